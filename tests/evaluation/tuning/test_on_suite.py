"""Tuning on a suite with real engines, small enough to wait for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from engram_lab.config import EngineConfig, load_config
from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import EvaluationError, InvalidInputError
from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, Dataset
from engram_lab.evaluation.suite import GateRules, Suite
from engram_lab.evaluation.systems import SystemSpec
from engram_lab.evaluation.tuning.ledger import Ledger
from engram_lab.evaluation.tuning.on_suite import base_of, tune_suite
from engram_lab.evaluation.tuning.space import parse_space
from engram_lab.evaluation.tuning.tune import Plan

if TYPE_CHECKING:
    from engram_lab.core.progress import Told


WORDS = ("oak", "elm", "ash", "fir", "yew", "box", "bay", "fig")
B = "retrieval.bm25_b"

SUITE = Suite(
    id="mine",
    title="Long memories answer, short ones distract",
    dataset=None,
    reader="frames",
    measures=("RR",),
    gate=GateRules(measures=("RR",)),
    depth=10,
    resamples=200,
)

SPACE = parse_space(
    {
        "title": "length",
        "fixed": {"retrieval.strategy": "keyword"},
        "parameters": [{"name": B, "kind": "float", "low": 0, "high": 1, "step": 0.25}],
    },
    id="length",
)


def dataset() -> Dataset:
    """Six conversations in which the long memory answers, so that its length should not count."""
    memories, queries, qrels = [], [], []
    for number in range(6):
        corpus = f"c{number}"
        for word in WORDS:
            long = f"{word} {word} " + " ".join(f"leaf{number}{word}{each}" for each in range(30))
            memories += [
                {"id": f"{corpus}-{word}-long", "corpus": corpus, "content": long},
                {"id": f"{corpus}-{word}-short", "corpus": corpus, "content": f"{word} tree"},
            ]
            queries.append({"id": f"{corpus}-{word}", "corpus": corpus, "text": word,
                            "cluster": corpus})  # fmt: skip
            qrels.append({"query_id": f"{corpus}-{word}", "memory_id": f"{corpus}-{word}-long",
                          "relevance": 1})  # fmt: skip
    return Dataset(
        id="mine",
        memories=pl.DataFrame(memories, schema=MEMORIES),
        queries=pl.DataFrame(queries, schema=QUERIES),
        qrels=pl.DataFrame(qrels, schema=QRELS),
    )


DATA = dataset()


def plan(**changes: Any) -> Plan:
    base = EngineConfig.from_dict({"embedding": {"model": "none"}})
    options: dict[str, Any] = {"trials": 4, "base": base, "resamples": 199}
    return Plan(**{"space": SPACE, "measure": "RR", **options, **changes})


def test_a_suite_is_tuned_on_what_is_not_held_out_and_looked_at_once(tmp_path: Path) -> None:
    found = tune_suite(
        SUITE,
        DATA,
        plan(trials=8),
        out=tmp_path / "one",
        hold_out=["c4", "c5"],
        look=True,
        clock=ManualClock(),
        command="engram eval tune mine",
    )
    assert found.used == ("c0", "c1", "c2", "c3")
    assert found.held_out == ("c4", "c5")
    assert found.tuned.best.settings[B] < 0.5
    assert found.tuned.held_out == 1.0
    assert found.tuned.trials[0].value == 0.5
    assert found.look is not None
    assert found.look.number == 1
    assert found.look.comparison.contrasts[0].n == 16
    assert found.look.comparison.contrasts[0].mean_b == 1.0
    said = json.loads((tmp_path / "one" / "tuning.json").read_text())
    assert said["dataset"]["hash"] == DATA.hash
    assert said["dataset"]["held_out"] == ["c4", "c5"]
    assert said["look"]["mean"] == 1.0
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.check(said["ledger"])
    assert [(each.kind, each.units) for each in ledger.entries()] == [
        ("held out", ("c4", "c5")),
        ("tuned", ("c0", "c1", "c2", "c3")),
        ("looked", ("c4", "c5")),
    ]
    assert {each.by for each in ledger.entries()} == {"engram eval tune mine"}
    config = load_config(tmp_path / "one" / "config.yaml", environ={}).config
    assert config == found.tuned.config
    rows = pl.read_parquet(tmp_path / "one" / "per_query.parquet")
    assert set(rows["cluster"]) == {"c0", "c1", "c2", "c3"}


def test_what_is_held_out_is_never_tuned_on(tmp_path: Path) -> None:
    tune_suite(SUITE, DATA, plan(), out=tmp_path / "one", hold_out=["c5"])
    with pytest.raises(EvaluationError, match=r"'c5' of 'mine' must not be tuned on.*'c0' may be"):
        tune_suite(SUITE, DATA, plan(), out=tmp_path / "two", on=["c0", "c5"])
    assert not (tmp_path / "two").exists()
    later = tune_suite(SUITE, DATA, plan(), out=tmp_path / "three")
    assert later.used == ("c0", "c1", "c2", "c3", "c4")
    with pytest.raises(EvaluationError, match="cannot be held out"):
        tune_suite(SUITE, DATA, plan(), out=tmp_path / "four", hold_out=["c0"])
    with pytest.raises(EvaluationError, match="all of 'mine' is held out"):
        tune_suite(
            SUITE,
            DATA,
            plan(),
            out=tmp_path / "five",
            hold_out=[f"c{number}" for number in range(6)],
            ledger=tmp_path / "another.jsonl",
        )


def test_a_share_is_held_out_by_the_seed(tmp_path: Path) -> None:
    found = tune_suite(SUITE, DATA, plan(seed=3), out=tmp_path / "a" / "one", hold_out=0.3)
    again = tune_suite(SUITE, DATA, plan(seed=3), out=tmp_path / "b" / "one", hold_out=0.3)
    assert len(found.held_out) == 2
    assert found.held_out == again.held_out
    assert found.look is None


def test_the_same_search_is_taken_up_and_noted_once(tmp_path: Path) -> None:
    first = tune_suite(SUITE, DATA, plan(), out=tmp_path / "one")
    heard: list[Told] = []
    second = tune_suite(
        SUITE, DATA, plan(trials=6), out=tmp_path / "one",
        progress=heard.append,
    )  # fmt: skip
    assert [each.done for each in heard if each.task == "tuning"] == [5, 6, 7, 7]
    assert second.tuned.trials[:5] == first.tuned.trials
    assert len(Ledger(tmp_path / "ledger.jsonl").entries()) == 1
    with pytest.raises(EvaluationError, match="a search of something else"):
        tune_suite(SUITE, DATA, plan(seed=1), out=tmp_path / "one")


def test_a_measure_that_the_suite_does_not_have_is_measured(tmp_path: Path) -> None:
    found = tune_suite(SUITE, DATA, plan(measure="Success@1", trials=2), out=tmp_path / "one")
    assert found.tuned.comparison.contrasts[0].measure == "Success@1"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hold_out": ["c9"]}, "no cluster 'c9': it has c0, c1"),
        ({"on": ["c0", "x"]}, "no cluster 'x'"),
        ({"plan": plan(measure="nDGC@10")}, "nDGC@10"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        tune_suite(SUITE, DATA, **{"plan": plan(), "out": tmp_path / "one", **options})
    assert not list(tmp_path.iterdir())


def test_a_look_at_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="nothing is held out"):
        tune_suite(SUITE, DATA, plan(), out=tmp_path / "one", look=True)


def test_only_engines_are_tuned() -> None:
    config = base_of(SystemSpec(name="mine", settings={"retrieval": {"bm25_b": 0.5}}))
    assert config.retrieval.bm25_b == 0.5
    with pytest.raises(InvalidInputError, match="'chance' is of kind 'random'"):
        base_of(SystemSpec(name="chance", kind="random"))
