"""Data as they come out of notebooks and scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.datasets.dataset import Dataset
from engram_lab.evaluation.datasets.frames import read_frames

MEMORIES: list[dict[str, Any]] = [
    {"id": "m1", "content": "Bees dance."},
    {"id": "m2", "content": "Wasps sting."},
]
QUERIES: list[dict[str, Any]] = [{"id": "q1", "text": "Who dances?"}]
QRELS: list[dict[str, Any]] = [{"query_id": "q1", "memory_id": "m1", "relevance": 1}]


def mine(**changes: Any) -> Dataset:
    given = {"memories": MEMORIES, "queries": QUERIES, "qrels": QRELS}
    return Dataset.from_frames(id="mine", **{**given, **changes})


def folder_of(folder: Path, judgements: str, name: str = "qrels.trec") -> Path:
    for each, rows in (("memories", MEMORIES), ("queries", QUERIES)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{each}.jsonl").write_text(text, encoding="utf-8")
    (folder / name).write_text(judgements, encoding="utf-8")
    return folder


def test_numbers_of_numpy_and_what_pandas_writes_for_none_are_taken() -> None:
    rows = [
        {"id": np.int64(1), "content": np.str_("a"), "speaker": float("nan")},
        {"id": 2, "content": "b", "position": np.float64(1.0), "speaker": "Ann"},
    ]
    judged = [{"query_id": "q1", "memory_id": np.int64(2), "relevance": np.int8(1)}]
    found = mine(memories=rows, qrels=judged)
    assert found.memories["id"].to_list() == ["1", "2"]
    assert found.memories["speaker"].to_list() == [None, "Ann"]
    assert found.qrels.rows() == [("q1", "2", 1)]


def test_a_frame_of_pandas_gives_the_same() -> None:
    pandas = pytest.importorskip("pandas")
    rows = [{**MEMORIES[0], "event_at": pandas.Timestamp("2026-05-01")}, MEMORIES[1]]
    frame = pandas.DataFrame(rows)
    found = mine(memories=frame, queries=pandas.DataFrame(QUERIES), qrels=pandas.DataFrame(QRELS))
    assert found.hash == mine(memories=frame.to_dict("records")).hash
    assert found.memories["event_at"].null_count() == 1


def test_a_day_is_a_time() -> None:
    days = pl.DataFrame(MEMORIES).with_columns(event_at=pl.date(2026, 5, 1))
    assert mine(memories=days).memories["event_at"].dt.hour().to_list() == [0, 0]


@pytest.mark.parametrize("silent", ["memories", "queries"])
def test_a_corpus_that_only_one_of_the_two_names_is_that_of_both(silent: str) -> None:
    named = {"memories": MEMORIES, "queries": QUERIES}
    named = {
        name: [{**row, "corpus": "c"} for row in rows]
        for name, rows in named.items()
        if name != silent
    }
    found = mine(**named)
    assert set(found.memories["corpus"]) == set(found.queries["corpus"]) == {"c"}


def test_where_several_are_named_it_must_be_said() -> None:
    named = [{**row, "corpus": f"c{place}"} for place, row in enumerate(MEMORIES)]
    message = "queries: the column 'corpus' is missing, and memories has 'c0', 'c1'"
    with pytest.raises(InvalidInputError, match=message):
        mine(memories=named)
    assert mine(memories=named, queries=[], qrels=[]).memories["corpus"].to_list() == ["c0", "c1"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"memories": [*MEMORIES, MEMORIES[0]]}, "memories, row 2, column 'id': .* has 'm1'"),
        ({"queries": [*QUERIES, *QUERIES]}, "queries, row 1, column 'id': .* has 'q1' already"),
        ({"qrels": [*QRELS, *QRELS]}, "qrels, row 1, column 'memory_id': .* 'q1' and 'm1'"),
        (
            {"qrels": [*QRELS, {**QRELS[0], "memory_id": "m9"}]},
            "qrels, row 1: it names the unknown memory_id 'm9'",
        ),
        ({"memories": None}, "there are no memories: give a frame, or an empty list"),
    ],
)
def test_what_is_wrong_is_named_with_its_row(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        mine(**changes)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("qrels.json", '{"q1": {"m1": 1}}'),
        ("qrels.qrels", "q1 0 m1 1\n"),
        ("qrels.tsv", "query_id\tmemory_id\trelevance\nq1\tm1\t1\n"),
    ],
)
def test_judgements_are_read_by_their_ending(tmp_path: Path, name: str, text: str) -> None:
    found = read_frames(folder_of(tmp_path, text, name), id="mine", options={})
    assert found.hash == mine().hash


def test_an_unknown_id_in_a_file_is_named_with_the_file(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "q1 0 m1 1\nq1 0 m9 1\n")
    with pytest.raises(InvalidInputError, match=r"qrels\.trec, judgement 2: .* memory_id 'm9'"):
        read_frames(folder, id="mine", options={})
