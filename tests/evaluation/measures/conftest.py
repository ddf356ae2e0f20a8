"""Small worlds of rankings and judgements, drawn by hypothesis or written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest
from hypothesis import strategies as st

from engram_lab.evaluation.datasets.dataset import QRELS
from engram_lab.evaluation.measures.measure import Judged
from engram_lab.evaluation.runs.run import Run

MEMORIES = [f"m{number}" for number in range(12)]
RELEVANCES = st.sampled_from([-2, -1, 0, 0, 1, 1, 2, 3])
# Few values, so that many tie.
SCORES = st.sampled_from([0.0, 0.5, 1.0, 1.0 + 1e-9, 2.0, -1.0])


@dataclass(frozen=True, kw_only=True)
class World:
    """Rankings by score, judgements, and the length of each memory."""

    queries: tuple[str, ...]
    found: dict[str, dict[str, float]]
    judged: dict[str, dict[str, int]]
    tokens: dict[str, int]

    @property
    def run(self) -> Run:
        rows = [
            (query, memory, score)
            for query, hits in self.found.items()
            for memory, score in hits.items()
        ]
        schema = {"query_id": pl.String, "memory_id": pl.String, "score": pl.Float64}
        return Run.from_frame("s", pl.DataFrame(rows, schema=schema, orient="row"))

    @property
    def qrels(self) -> pl.DataFrame:
        rows = [
            (query, memory, relevance)
            for query, some in self.judged.items()
            for memory, relevance in some.items()
        ]
        return pl.DataFrame(rows, schema=QRELS, orient="row")

    @property
    def lengths(self) -> pl.DataFrame:
        schema = {"memory_id": pl.String, "tokens": pl.Int64}
        return pl.DataFrame(list(self.tokens.items()), schema=schema, orient="row")

    @property
    def view(self) -> Judged:
        return Judged.of(self.run, self.qrels, queries=self.queries, tokens=self.lengths)

    def ranking(self, query: str) -> list[str]:
        """Return the hits of a query as trec_eval orders them."""
        hits = self.run.hits.filter(pl.col("query_id") == query)
        return list(hits.sort("rank")["memory_id"])

    def relevant(self, query: str, level: int = 1) -> set[str]:
        judged = self.judged.get(query, {})
        return {memory for memory, relevance in judged.items() if relevance >= level}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    names = [f"q{number}" for number in range(draw(st.integers(1, 6)))]
    queries = draw(st.permutations(names))
    memory = st.sampled_from(MEMORIES)
    found = {
        name: draw(st.dictionaries(memory, SCORES, min_size=1, max_size=len(MEMORIES)))
        for name in (*names, "not asked")
        if draw(st.booleans())
    }
    if found and not set(found) & set(names):
        found[names[0]] = {"m0": 1.0}
    judged = {
        name: draw(st.dictionaries(memory, RELEVANCES, min_size=1, max_size=8))
        for name in (*names, "not asked")
        if draw(st.integers(0, 3))
    }
    tokens = {name: draw(st.integers(0, 9)) for name in MEMORIES}
    return World(queries=tuple(queries), found=found, judged=judged, tokens=tokens)


@pytest.fixture(scope="session")
def any_world() -> st.SearchStrategy[World]:
    """Draw one with `data.draw(any_world)`."""
    return worlds()


@pytest.fixture(scope="session")
def one_query() -> Callable[..., Any]:
    """Return the judged ranking of a single query: `one_query("abc", {"a": 1, "x": 1})`."""

    def made(
        ranking: Sequence[str],
        judged: Mapping[str, int],
        tokens: Mapping[str, int] | None = None,
    ) -> Judged:
        world = World(
            queries=("q",),
            found={"q": {memory: -float(rank) for rank, memory in enumerate(ranking)}}
            if ranking
            else {},
            judged={"q": dict(judged)} if judged else {},
            tokens=dict(tokens or {}),
        )
        return world.view

    return made
