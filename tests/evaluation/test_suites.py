from __future__ import annotations

import math
from pathlib import Path

import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.measures.parsing import parse_measure
from engram_lab.evaluation.suites import load_suite, suite_names, suite_of

PLAIN = {"title": "a suite", "dataset": "tiny", "measures": ["R@10", "RR"]}


def test_the_names_that_other_tools_rely_on_are_there() -> None:
    relied_on = {"tiny", "locomo-turn", "locomo-session", "longmemeval-s", "longmemeval-m"}

    assert relied_on | {"realtalk-turn", "beir"} <= set(suite_names())


@pytest.mark.parametrize("name", suite_names())
def test_every_suite_measures_what_is_known_under_its_canonical_name(name: str) -> None:
    suite = load_suite(name)

    assert [parse_measure(each).name for each in suite.measures] == list(suite.measures)
    assert set(suite.gate.measures) <= set(suite.measures)
    assert suite.gate.measures


@pytest.mark.parametrize("name", suite_names())
def test_every_suite_reads_data_that_have_a_manifest_or_a_reader(name: str) -> None:
    from engram_lab.evaluation.datasets.catalogue import manifests
    from engram_lab.evaluation.datasets.readers import READERS

    suite = load_suite(name)

    assert suite.dataset in {each.id for each in manifests()} or suite.reader in READERS.names()


def test_a_gate_that_names_no_measure_tests_the_first() -> None:
    assert suite_of("mine", dict(PLAIN)).gate.measures == ("R@10",)


def test_a_suite_of_ones_own_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'title = "mine"\nreader = "frames"\nmeasures = ["RR"]\n', encoding="utf-8"
    )

    suite = load_suite(str(tmp_path / "mine.toml"))

    assert (suite.id, suite.reader, suite.dataset) == ("mine", "frames", None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mesures": ["R@10"]}, "unknown 'mesures'"),
        ({"measures": "R@10"}, "give a list of names"),
        ({"measures": ["RR", "RR"]}, "something twice"),
        ({"reader": "frames"}, "must name a dataset, or the reader"),
        ({"dataset": None}, "must name a dataset, or the reader"),
        ({"gate": {"measures": ["AP"]}}, "does not measure"),
        ({"gate": {"margn": 1}}, "unknown 'margn'"),
        ({"title": None}, "title"),
        ({"title": 3}, "title is 3 where a text must be"),
        ({"measures": []}, "has no measures"),
        ({"dataset": 7}, "dataset is 7 where a text must be"),
        ({"store": 3}, "store is 3 where a table must be"),
        ({"gate": 3}, "gate is 3 where a table must be"),
        ({"options": {"unit": 3}}, "options is .* where a table of texts must be"),
        ({"depth": 0}, "depth is 0 where a whole number from 1 must be"),
        ({"depth": True}, "depth is True where a whole number from 1 must be"),
        ({"depth": 9}, r"asks for 9 hits, and R@10 looks at more: raise its depth"),
        ({"level": 95}, "level is 95 where a number between 0 and 1 must be"),
        ({"resamples": 0}, "resamples is 0 where"),
        ({"seed": -1}, "seed is -1 where a whole number from 0 must be"),
        ({"gate": {"alpha": "a"}}, "alpha is 'a' where a number between 0 and 1 must be"),
        ({"gate": {"margin": -0.1}}, "margin is -0.1 where a number from 0 must be"),
        ({"gate": {"margin": math.nan}}, "margin is nan where a number from 0 must be"),
        ({"gate": {"categories": 1}}, "categories is 1 where true or false must be"),
    ],
)
def test_what_means_nothing_is_refused(change: dict[str, object], said: str) -> None:
    content = {**PLAIN, **change}
    if change.get("title", "") is None:
        del content["title"]

    with pytest.raises(InvalidInputError, match=said):
        suite_of("mine", content)


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(InvalidInputError, match=r"did you mean 'tiny'\?.*locomo-turn"):
        load_suite("tinny")


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("title = ", encoding="utf-8")

    with pytest.raises(InvalidInputError, match=r"bad\.toml is no TOML"):
        load_suite(str(tmp_path / "bad.toml"))
