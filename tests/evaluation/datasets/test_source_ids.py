from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.evaluation.datasets.dataset import MEMORIES, QUERIES
from engram_lab.evaluation.datasets.locomo import read_locomo
from engram_lab.evaluation.datasets.source_ids import from_source_ids, to_source_ids

DATA = Path(os.environ.get("ENGRAM_DATA", "")) / "locomo"


def memories(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    full = [
        (id_, corpus, "words", None, None, None, None, None, source) for id_, corpus, source in rows
    ]
    return pl.DataFrame(full, schema=MEMORIES, orient="row")


def queries(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    full = [(id_, corpus, "words", None, None, None, source) for id_, corpus, source in rows]
    return pl.DataFrame(full, schema=QUERIES, orient="row")


def hits(*rows: tuple[str, str]) -> pl.DataFrame:
    schema = {"query_id": pl.String, "memory_id": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(score=pl.lit(1.0))


ASKED = queries(("q1", "a", "conv-1 qa[0]"), ("q2", "b", "conv-2 qa[0]"), ("q3", "b", None))
KNOWN = memories(("m1", "a", "conv-1 D1:1"), ("m2", "b", "conv-2 D1:1"), ("m3", "b", None))


@pytest.mark.parametrize("query", ["q2", "conv-2 qa[0]", "conv-2_qa[0]"])
@pytest.mark.parametrize("memory", ["m2", "conv-2 D1:1", "conv-2_D1:1", "D1:1"])
def test_each_published_form_is_understood(query: str, memory: str) -> None:
    found = from_source_ids(hits((query, memory)), queries=ASKED, memories=KNOWN)
    assert found.equals(hits(("q2", "m2")))


def test_a_short_name_is_that_of_the_corpus_that_is_asked() -> None:
    given = hits(("q2", "D1:1"), ("q1", "D1:1"), ("q3", "D1:1"), ("q3", "m3"))
    found = from_source_ids(given, queries=ASKED, memories=KNOWN)
    assert found.equals(hits(("q2", "m2"), ("q1", "m1"), ("q3", "m2"), ("q3", "m3")))


def test_what_is_not_known_stays_as_it_is() -> None:
    given = hits(("q9", "D1:1"), ("q1", "D7:7"), ("q1", "conv-2 D1:1"))
    assert from_source_ids(given, queries=ASKED, memories=KNOWN).equals(given)


def test_a_name_of_several_says_nothing_and_an_id_counts_first() -> None:
    known = memories(("m1", "a", "x same"), ("m2", "a", "y same"), ("m3", "a", "m1"))
    found = from_source_ids(hits(("q1", "same"), ("q1", "m1")), queries=ASKED, memories=known)
    assert found.equals(hits(("q1", "same"), ("q1", "m1")))


def test_an_id_that_is_its_own_source_id_is_itself() -> None:
    known = memories(("m1", "a", "m1"))
    assert from_source_ids(hits(("q1", "m1")), queries=ASKED, memories=known).equals(
        hits(("q1", "m1"))
    )


def test_published_ids_have_no_blanks() -> None:
    told = to_source_ids(hits(("q1", "m1"), ("q3", "m3")), queries=ASKED, memories=KNOWN)
    assert told.equals(hits(("conv-1_qa[0]", "conv-1_D1:1"), ("q3", "m3")))


@given(st.lists(st.sampled_from([("q1", "m1"), ("q2", "m2"), ("q2", "m3"), ("q3", "m2")])))
def test_there_and_back_again_is_the_same(rows: list[tuple[str, str]]) -> None:
    told = to_source_ids(hits(*rows), queries=ASKED, memories=KNOWN)
    assert from_source_ids(told, queries=ASKED, memories=KNOWN).equals(hits(*rows))


@pytest.mark.skipif(
    not (DATA / "locomo10.json").is_file(), reason="ENGRAM_DATA has no locomo/locomo10.json"
)
@pytest.mark.parametrize("unit", ["turn", "session"])
def test_judgements_of_the_published_file_survive_the_way(unit: str) -> None:
    dataset = read_locomo(DATA, id="locomo", options={"unit": unit})
    told = to_source_ids(dataset.qrels, queries=dataset.queries, memories=dataset.memories)
    assert not told["memory_id"].str.contains(" ").any()
    back = from_source_ids(told, queries=dataset.queries, memories=dataset.memories)
    assert back.equals(dataset.qrels)
    short = told.with_columns(pl.col("memory_id").str.replace("^conv-[0-9]+_", ""))
    back = from_source_ids(short, queries=dataset.queries, memories=dataset.memories)
    assert back.equals(dataset.qrels)
