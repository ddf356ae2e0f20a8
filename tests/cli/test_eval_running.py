from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from engram_lab.evaluation.shipped import shipped

if TYPE_CHECKING:
    from tests.cli.conftest import Engram

MEMORIES = """\
{"id": "m1", "content": "the tide turns at six"}
{"id": "m2", "content": "Ada drinks coffee"}
"""
QUERIES = """\
{"id": "q1", "text": "when does the tide turn", "category": "when"}
{"id": "q2", "text": "what does Ada drink", "category": "what"}
"""
QRELS = "query-id\tcorpus-id\tscore\nq1\tm1\t1\nq2\tm2\t1\n"

RUN = ("eval", "run", "frames", "--data", "mine", "--no-guards", "--no-cache")


@pytest.fixture
def mine(engram: Engram) -> Path:
    """Return data of a user's own: a folder of files."""
    folder = Path("mine")
    folder.mkdir()
    (folder / "memories.jsonl").write_text(MEMORIES, encoding="utf-8")
    (folder / "queries.jsonl").write_text(QUERIES, encoding="utf-8")
    (folder / "qrels.tsv").write_text(QRELS, encoding="utf-8")
    return folder


@pytest.fixture
def done(engram: Engram, mine: Path) -> Path:
    """Return the folder of a run."""
    engram(*RUN, "--system", "bm25", "--system", "random", "--out", "done")
    return Path("done")


def _schema() -> dict[str, object]:
    found: dict[str, object] = json.loads((shipped("schemas") / "results.schema.json").read_bytes())
    return found


# What is written


def test_a_run_prints_the_results_that_it_writes(engram: Engram, mine: Path) -> None:
    printed = engram.json(*RUN, "--system", "bm25", "--out", "out")

    assert printed == json.loads(Path("out/results.json").read_bytes())
    jsonschema.validate(printed, _schema())
    (bm25,) = printed["systems"]
    assert bm25["name"] == "bm25"
    assert bm25["measures"]["R@10"] == {"mean": 1.0, "ci": [1.0, 1.0], "n": 2, "unscored": 0}
    assert bm25["categories"]["what"]["R@10"]["n"] == 1
    assert {each.name for each in Path("out").iterdir()} == {
        "memories.parquet", "per_query.parquet", "qrels.parquet", "qrels.trec", "queries.parquet",
        "record.json", "results.json", "runs",
    }  # fmt: skip


def test_the_table_says_where_all_of_it_lies(engram: Engram, mine: Path) -> None:
    said = engram(*RUN, "--system", "bm25")

    assert "R@10" in said
    assert said.endswith("runs/frames holds the runs, the values of each query and the record\n")


def test_the_same_command_writes_the_same_runs_in_any_order_of_systems(
    engram: Engram, done: Path
) -> None:
    engram(*RUN, "--system", "bm25", "--system", "random", "--out", "again")
    engram(*RUN, "--system", "random", "--system", "bm25", "--out", "turned")

    def runs(folder: str) -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in Path(folder, "runs").iterdir()}

    def record(folder: str) -> str:
        found: str = json.loads(Path(folder, "record.json").read_bytes())["id"]
        return found

    assert runs("done") == runs("again") == runs("turned")
    assert record("done") == record("again")


def test_what_was_scored_is_results_too(engram: Engram, done: Path) -> None:
    judged = ("--qrels", "done/qrels.trec", "--out", "scored")
    printed = engram.json("eval", "score", "done/runs/bm25.trec", *judged)

    assert printed == json.loads(Path("scored/results.json").read_bytes())
    jsonschema.validate(printed, _schema())
    assert printed["systems"][0]["measures"]["nDCG@10"]["mean"] == 1


def test_each_table_says_how_many_queries_count_and_why(engram: Engram, done: Path) -> None:
    assert "\nn = 2 queries\n" in engram(*RUN, "--system", "bm25", "--out", "again")
    by_file = engram("eval", "score", "done/runs/bm25.trec", "--qrels", "done/qrels.trec")
    assert "n = 2 queries; judged by a file, which knows neither" in " ".join(by_file.split())


# Mistakes: one sentence, exit code 2, and nothing is changed

MISTAKES = [
    ("eval run tinny", "did you mean 'tiny'"),
    ("eval run tiny --system bm52", "did you mean 'bm25'"),
    ("eval run tiny --system bm25 --system bm25", "named twice"),
    ("eval run tiny --system ladder --system bm25", "name no other beside it"),
    ("eval run tiny --system bm25 --out FILE", "FILE is a file: name a folder"),
    ("eval run tiny --system bm25 --out FILE/below", "FILE is a file: name a folder"),
    ("eval run frames --system bm25", "--data PATH"),
    ("eval run tiny --system none.toml", "no file none.toml: give the path of a system"),
    ("eval run none.toml", "no file none.toml: give the path of a suite in TOML, or a name, such"),
    ("eval run locomo-turn --data none", "--data is none, which does not exist"),
    ("eval tune tiny --data none", "--data is none, which does not exist"),
    ("eval show nothing", "`engram eval list` has all names"),
    ("eval fetch locmo", "did you mean 'locomo'"),
    ("eval score FILE --suite tiny --qrels FILE", "give one of them"),
    ("eval score FILE --qrels FILE", "FILE: it judges nothing"),
    (
        "eval score none.trec --qrels done/qrels.trec",
        r"none.trec: it cannot be read \(No such file or directory\): give the path",
    ),
    (
        "eval score done/runs/bm25.trec --qrels done/qrels.trec --measure nDCG@",
        "write NAME@K, such as nDCG@10, where NAME is one of AP, ",
    ),
    ("eval score done/runs/bm25.trec --qrels done/qrels.trec --measure nDGC@9", "nDCG@9"),
    (
        "eval score done/runs/bm25.trec --qrels done/qrels.trec --out done",
        "or --fresh at the command line",
    ),
    ("eval score done/qrels.trec --qrels done/qrels.trec", "line 1: .* has 4 fields"),
    ("eval report FILE", "FILE/results.json: it cannot be read"),
    ("eval report nowhere", "nowhere holds no results.json"),
]


@pytest.mark.parametrize(("command", "said"), MISTAKES, ids=[each for each, _ in MISTAKES])
def test_a_mistake_is_one_sentence(engram: Engram, done: Path, command: str, said: str) -> None:
    Path("FILE").write_bytes(b"")
    before = {each: each.read_bytes() for each in Path().rglob("*") if each.is_file()}

    refused = engram.refused(*command.split())

    assert re.search(said, refused), refused
    assert {each: each.read_bytes() for each in Path().rglob("*") if each.is_file()} == before


def test_data_that_are_not_here_are_skipped_and_that_is_no_success(engram: Engram) -> None:
    Path("nowhere").mkdir()
    ran = engram.run("eval", "run", "locomo-turn", "--data", "nowhere", "--json")

    assert (ran.code, ran.err) == (3, "")
    assert ran.json["suite"] == "locomo-turn"
    assert "engram eval fetch locomo" in ran.json["skipped"]
    assert not Path("runs").exists()


def test_results_that_are_not_to_be_lost_stay(engram: Engram, done: Path) -> None:
    said = engram.refused(*RUN, "--system", "recency", "--out", "done")

    assert "give another folder, or replace them" in said
    assert {each.stem for each in (done / "runs").iterdir()} == {"bm25", "random"}

    engram(*RUN, "--system", "recency", "--out", "done", "--fresh")
    assert {each.stem for each in (done / "runs").iterdir()} == {"recency"}


def test_a_report_that_cannot_be_written_costs_no_results(engram: Engram, mine: Path) -> None:
    Path("file").write_bytes(b"")

    ran = engram.run(
        *RUN, "--system", "bm25", "--out", "out", "--report", "file/report.html", "--json"
    )

    assert ran.code == 2
    assert "file" in ran.err
    assert ran.json == json.loads(Path("out/results.json").read_bytes())


def test_without_a_package_the_extra_is_named_and_nothing_is_written(
    engram: Engram, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    said = engram.refused("eval", "tune", "frames", "--data", "mine", "--system", "bm25")

    assert 'pip install ".[tune]"' in said
    assert not Path("runs").exists()
