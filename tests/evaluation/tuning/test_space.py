"""A declared space of settings: what the engine knows and allows, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engram_lab.config import EngineConfig
from engram_lab.config.sections import nest
from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.declared import declared_names
from engram_lab.evaluation.tuning.space import Choice, Range, Space, parse_space, read_space

SHARE = {"name": "retrieval.dense_share", "kind": "float", "low": 0, "high": 1}


def space_of(*parameters: dict[str, Any], **fixed: Any) -> Space:
    nested = {f"retrieval.{name}": value for name, value in fixed.items()}
    return parse_space({"fixed": nested, "parameters": list(parameters)}, id="mine")


@pytest.mark.parametrize("name", declared_names("spaces"))
def test_every_space_that_comes_with_the_project_is_sound_and_holds_the_default(name: str) -> None:
    space = read_space(name)
    start = space.start(EngineConfig())
    assert start is not None
    assert EngineConfig.from_dict(nest(space.settings(start))).retrieval.strategy != "auto"


def test_the_hybrid_space_searches_fusion_normaliser_bm25_and_context() -> None:
    assert [each.name for each in read_space("hybrid").parameters] == [
        "retrieval.fusion",
        "retrieval.dense_share",
        "retrieval.normaliser",
        "retrieval.context_share",
        "retrieval.rrf_k",
        "retrieval.bm25_k1",
        "retrieval.bm25_b",
    ]


def test_a_space_says_what_its_file_said(tmp_path: Path) -> None:
    for name in declared_names("spaces"):
        space = read_space(name)
        assert parse_space(space.to_dict(), id=name) == space


def test_a_space_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "small.toml"
    file.write_text(
        "title = 'One'\n[fixed.retrieval]\nstrategy = 'hybrid'\n"
        "[[parameters]]\nname = 'retrieval.mmr_lambda'\nkind = 'choice'\nchoices = ['none', 0.5]\n"
    )
    space = read_space(file)
    assert space.id == "small"
    assert space.fixed == {"retrieval.strategy": "hybrid"}
    assert space.parameters == (Choice(name="retrieval.mmr_lambda", choices=(None, 0.5)),)


def test_a_parameter_that_does_nothing_is_left_out_of_the_settings() -> None:
    space = read_space("hybrid")
    sampled = {
        "retrieval.fusion": "rrf",
        "retrieval.dense_share": 0.3,
        "retrieval.normaliser": "tmm",
        "retrieval.context_share": 0.2,
        "retrieval.rrf_k": 5,
        "retrieval.bm25_k1": 1.0,
        "retrieval.bm25_b": 0.5,
    }
    assert space.settings(sampled) == {
        "retrieval.strategy": "hybrid",
        "retrieval.fusion": "rrf",
        "retrieval.rrf_k": 5,
        "retrieval.bm25_k1": 1.0,
        "retrieval.bm25_b": 0.5,
    }
    weighted = space.settings({**sampled, "retrieval.fusion": "weighted"})
    assert "retrieval.rrf_k" not in weighted
    assert weighted["retrieval.dense_share"] == 0.3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"name": "retrieval.dense_shar", "kind": "float", "low": 0, "high": 1}, "did you mean"),
        ({"name": "retrieval.dense_share", "kind": "float", "low": 0, "high": 2}, "0 to 1"),
        ({"name": "retrieval.rrf_k", "kind": "float", "low": 1, "high": 2}, "has it as int"),
        ({"name": "retrieval.bm25_b", "kind": "int", "low": 0, "high": 1}, "has it as float"),
        ({"name": "retrieval.fusion", "kind": "int", "low": 0, "high": 1}, "is no number"),
        ({"name": "retrieval.fusion", "kind": "choice", "choices": ["rrf", "rff"]}, "'rff'"),
        ({"name": "retrieval.fusion", "kind": "choice", "choices": ["rrf", "linear"]}, "linear"),
        ({"name": "retrieval.normaliser", "kind": "choice", "choices": ["tmm", "z"]}, "'z'"),
        ({"name": "retrieval.strategy", "kind": "choice", "choices": ["auto", "x"]}, "one of auto"),
        ({"name": "store.path", "kind": "choice", "choices": ["a", "b"]}, "cannot be tuned"),
        ({"name": "embedding.api_key", "kind": "choice", "choices": ["a", "b"]}, "be tuned"),
        ({"name": "embedding.threads", "kind": "int", "low": 1, "high": 2}, "cannot be tuned"),
        ({"name": "retrieval.rrf_k", "kind": "int", "low": 9, "high": 9}, "less than high"),
        ({"name": "retrieval.rrf_k", "kind": "int", "low": 1.5, "high": 9}, "give a int"),
        ({"name": "retrieval.rrf_k", "kind": "int", "low": True, "high": 9}, "give a int"),
        ({"name": "retrieval.rrf_k", "kind": "int", "high": 9}, "has no low"),
        ({"name": "retrieval.rrf_k", "kind": "int", "low": 0, "high": 9, "log": True}, "above 0"),
        ({"name": "retrieval.rrf_k", "kind": "int", "low": 0, "high": 9, "log": "y"}, "true or"),
        ({"name": "retrieval.rrf_k", "kind": "int", "low": 0, "high": 9, "step": 20}, "step 20"),
        ({"name": "retrieval.rrf_k", "kind": "whole", "low": 0, "high": 9}, "float, int, choice"),
        ({"name": "retrieval.rrf_k", "kind": "int", "low": 0, "high": 9, "by": 1}, "'by'"),
        ({"name": "retrieval.fusion", "kind": "choice", "choices": ["rrf"]}, "two or more"),
        ({"name": "retrieval.fusion", "kind": "choice", "choices": ["rrf", "rrf"]}, "each once"),
        ({"name": "retrieval.fusion", "kind": "choice"}, "no list of choices"),
        ({**SHARE, "when": {"retrieval.fusion": "rrf"}}, "depends on retrieval.fusion"),
        ({"kind": "float", "low": 0, "high": 1}, "has no name"),
    ],
)
def test_what_means_nothing_is_refused_and_named(content: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        space_of(content)


def test_all_that_the_engine_refuses_is_listed_at_once() -> None:
    wrong = ({**SHARE, "low": -1}, {"name": "no.such", "kind": "int", "low": 0, "high": 1})
    with pytest.raises(InvalidInputError, match=r"dense_share .*no\.such"):
        space_of(*wrong)


def test_a_setting_stands_once() -> None:
    with pytest.raises(InvalidInputError, match="stands twice"):
        space_of(SHARE, SHARE)
    with pytest.raises(InvalidInputError, match="stands twice"):
        space_of(SHARE, dense_share=0.5)


def test_an_unknown_space_or_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="did you mean 'hybrid'"):
        read_space("hybird")
    with pytest.raises(InvalidInputError, match="'limits'"):
        parse_space({"limits": 1}, id="mine")
    with pytest.raises(InvalidInputError, match="has no parameters"):
        parse_space({}, id="mine")
    with pytest.raises(InvalidInputError, match="a table of settings"):
        parse_space({"fixed": 3}, id="mine")
    with pytest.raises(InvalidInputError, match="when is a table"):
        space_of({**SHARE, "when": 3})


def test_a_default_outside_the_space_is_no_start() -> None:
    assert space_of({**SHARE, "low": 0.6}).start(EngineConfig()) is None
    assert space_of({**SHARE, "low": 0.1, "step": 0.25}).start(EngineConfig()) is None
    assert space_of({**SHARE, "step": 0.25}).start(EngineConfig()) is not None


def test_a_range_holds_its_ends_its_steps_and_nothing_else() -> None:
    stepped = Range(name="x", kind="float", low=0.0, high=1.0, step=0.1)
    assert [each for each in (0.0, 0.3, 0.35, 1.0, 1.1, True, "0.3") if stepped.holds(each)] == [
        0.0,
        0.3,
        1.0,
    ]
    assert not any(map(Choice(name="x", choices=(1, 2)).holds, (True, 1.0, "1")))
