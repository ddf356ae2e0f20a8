"""Whether a person who reads the conversations would agree with what is said to answer."""

from __future__ import annotations

import re

import polars as pl
import pytest

from engram_lab.evaluation.datasets.dataset import STALE
from engram_lab.evaluation.datasets.fiction.chaining import CHAINS
from engram_lab.evaluation.datasets.fictional import generate


def test_turns_that_answer_together_may_come_in_any_order() -> None:
    order = re.compile(r"\b(first|second|third|last|then|also|too|left)\b", re.IGNORECASE)
    assert [said for chain in CHAINS for said in chain.says if order.search(said)] == []


@pytest.mark.parametrize("seed", [1, 2026])
def test_a_number_that_changes_becomes_smaller_as_its_words_say(seed: int) -> None:
    data = generate(seed)
    told = (
        data.queries.filter(category="update")
        .select(query_id="id")
        .join(data.qrels, on="query_id")
        .join(data.memories.select(memory_id="id", said="content"), on="memory_id")
        .with_columns(number=pl.col("said").str.extract(r"(\d+)").cast(pl.Int64))
        .drop_nulls("number")
    )
    now, before = (
        dict(told.filter(pl.col("relevance") == relevance).select("query_id", "number").rows())
        for relevance in (1, STALE)
    )
    assert now.keys() == before.keys()
    assert len(now) >= 5
    assert [query for query in now if now[query] >= before[query]] == []
