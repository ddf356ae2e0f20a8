from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, Dataset
from engram_lab.evaluation.datasets.reading import frame_of


def dataset(**changes: Any) -> Dataset:
    parts: dict[str, Any] = {
        "id": "mine",
        "memories": frame_of(
            [{"id": "m1", "content": "a"}, {"id": "m2", "content": "b"}], MEMORIES
        ),
        "queries": frame_of([{"id": "q1", "text": "?"}], QUERIES),
        "qrels": frame_of([{"query_id": "q1", "memory_id": "m1", "relevance": 1}], QRELS),
    }
    return Dataset(**{**parts, **changes})


def test_a_data_set_holds_what_it_was_given() -> None:
    assert dataset().memories["content"].to_list() == ["a", "b"]
    assert dataset().qrels.rows() == [("q1", "m1", 1)]


@pytest.mark.parametrize("name", ["memories", "queries", "qrels"])
def test_other_columns_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{name} of the data set 'mine' have the columns"):
        dataset(**{name: pl.DataFrame({"id": ["x"]})})


def test_an_id_that_is_there_twice_is_refused() -> None:
    twice = frame_of([{"id": "m1", "content": "a"}, {"id": "m1", "content": "b"}], MEMORIES)

    with pytest.raises(InvalidInputError, match="more than once"):
        dataset(memories=twice)


def test_a_pair_that_is_judged_twice_is_refused() -> None:
    row = {"query_id": "q1", "memory_id": "m1", "relevance": 1}

    with pytest.raises(InvalidInputError, match=r"qrels .* more than once"):
        dataset(qrels=frame_of([row, {**row, "relevance": 0}], QRELS))


@pytest.mark.parametrize(
    ("row", "noun"),
    [
        ({"query_id": "q9", "memory_id": "m1"}, "query_id"),
        ({"query_id": "q1", "memory_id": "m9"}, "memory_id"),
    ],
)
def test_a_judgement_of_what_is_not_there_is_refused(row: dict[str, str], noun: str) -> None:
    with pytest.raises(InvalidInputError, match=f"unknown {noun}"):
        dataset(qrels=frame_of([{**row, "relevance": 1}], QRELS))


def test_a_relevance_that_means_nothing_is_refused() -> None:
    row = {"query_id": "q1", "memory_id": "m1", "relevance": -3}

    assert dataset(qrels=frame_of([{**row, "relevance": -2}], QRELS)).qrels.height == 1
    with pytest.raises(InvalidInputError, match="hold the relevance -3: below 0 there are -1 for"):
        dataset(qrels=frame_of([row], QRELS))


def test_a_judgement_across_corpora_is_refused() -> None:
    elsewhere = frame_of([{"id": "m1", "content": "a", "corpus": "other"}], MEMORIES)

    with pytest.raises(InvalidInputError, match="lie in different corpora"):
        dataset(memories=elsewhere)


@pytest.mark.parametrize(
    ("name", "schema", "row", "column"),
    [
        ("memories", MEMORIES, {"id": "m1", "content": " \n"}, "content"),
        ("memories", MEMORIES, {"id": None, "content": "a"}, "id"),
        ("memories", MEMORIES, {"id": "m1", "content": None}, "content"),
        ("memories", MEMORIES, {"id": "m1", "content": "a", "corpus": None}, "corpus"),
        ("queries", QUERIES, {"id": "q1", "text": ""}, "text"),
        ("qrels", QRELS, {"query_id": "q1", "memory_id": "m1"}, "relevance"),
    ],
)
def test_an_empty_value_is_refused_with_its_row(
    name: str, schema: pl.Schema, row: dict[str, Any], column: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"{name} .* have no {column} in row 0"):
        dataset(**{name: frame_of([row], schema)})


@pytest.mark.parametrize("id_", ["a b", "a\tb", "a\n", "\ufeffa", "a\u2003b"])
def test_an_id_that_no_trec_file_can_write_is_refused(id_: str) -> None:
    with pytest.raises(InvalidInputError, match="white space"):
        dataset(memories=frame_of([{"id": id_, "content": "a"}], MEMORIES))


def test_equal_data_have_equal_hashes_and_any_change_shows() -> None:
    same = dataset().hash
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [{"id": "m1", "content": "a"}, {"id": "m2", "content": "b"}]

    assert dataset().hash == same
    assert dataset(id="another name").hash == same
    others = [
        dataset(memories=frame_of([rows[0], {**rows[1], "content": "c"}], MEMORIES)),
        dataset(memories=frame_of([rows[0], {**rows[1], "event_at": moment}], MEMORIES)),
        dataset(memories=frame_of(rows[::-1], MEMORIES)),
        dataset(queries=frame_of([{"id": "q1", "text": "!"}], QUERIES)),
        dataset(qrels=frame_of([{"query_id": "q1", "memory_id": "m1", "relevance": 2}], QRELS)),
    ]
    assert len({same, *(each.hash for each in others)}) == 6


@given(st.text("abc", min_size=3, max_size=6), st.data())
def test_the_hash_tells_where_one_text_ends(text: str, data: st.DataObject) -> None:
    ends = data.draw(st.lists(st.integers(1, len(text) - 1), min_size=2, max_size=2, unique=True))

    hashes = {
        dataset(
            memories=frame_of(
                [{"id": "m1", "content": text[:end]}, {"id": "m2", "content": text[end:]}], MEMORIES
            )
        ).hash
        for end in ends
    }

    assert len(hashes) == 2
