"""Search by words alone, common words among them: ours, FTS5 and bm25s, and whether it is exact."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from retrieval_figures import Timings, at_least, progress, within
from retrieval_floors import split
from retrieval_ours import indexes_of
from retrieval_workload import common_queries, queries_by_rank, words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retrieval_figures import Report
    from retrieval_floors import Exact, FullText, Static
    from retrieval_workload import Workload

    from engram_lab import Engine

    Search = Callable[[str], Any]

DEPTH = 100
QUERIES = 200
ROUNDS = 3
FEW = 25  # FTS5 takes most of a second each at a million
RANKS = (0, 1, 3, 9, 30, 100, 1000)
P95_BARS_MS = {100_000: 3.0, 1_000_000: 25.0}


def timed(queries: Sequence[str], sides: dict[str, tuple[Search, int]]) -> dict[str, Timings]:
    """Ask every side each query in turn; one of `few` queries is asked that many and once only."""
    times = {name: Timings() for name in sides}
    for turn in range(ROUNDS + 1):
        for number, query in enumerate(queries):
            for name, (search, most) in sides.items():
                if number >= most or (most < len(queries) and turn > 1):
                    continue
                start = time.perf_counter_ns()
                search(query)
                took = time.perf_counter_ns() - start
                if turn:
                    times[name].add(number, took)
    return times


def measure(
    report: Report,
    data: Workload,
    engine: Engine,
    *,
    static: Static,
    exact: Exact,
    full_text: FullText,
) -> None:
    """Put the figures of the keyword arm into the report."""
    lexical, analyser = indexes_of(engine).lexical(), indexes_of(engine).lexical().analyser
    alive = engine.store.corpus.alive()

    def ours(query: str) -> Any:
        return lexical.search(analyser.query_terms(query), DEPTH)

    queries = common_queries(QUERIES)
    few = QUERIES if data.rows < 1_000_000 else FEW  # noqa: PLR2004 - see FEW
    sides: dict[str, tuple[Search, int]] = {
        "ours": (ours, QUERIES),
        "bm25s": (lambda query: static.search(split(query), DEPTH), QUERIES),
        "fts5": (lambda query: full_text.search(split(query), DEPTH), few),
    }
    progress(f"words: {QUERIES} queries of 4 terms")
    times = timed(queries, sides)
    for name, each in times.items():
        report.row(
            f"BM25, 4 terms as common as they come, depth {DEPTH}, {data.rows:,} rows",
            who=name,
            p50_ms=each.p50 / 1e3,
            p95_ms=each.p95 / 1e3,
        )
    if (bar := P95_BARS_MS.get(data.rows)) is not None:
        p95_ms = times["ours"].p95 / 1e3
        report.add(within("BM25, 4 terms: p95", data.rows, p95_ms, bar, unit="ms"))
    agree = 0
    for query in queries:
        rows = np.searchsorted(alive, ours(query).keys)
        agree += exact.agrees(split(query), rows, DEPTH)
    share = 100 * agree / len(queries)
    report.add(at_least("BM25: queries answered exactly", data.rows, share, 100, unit="%"))
    for rank in RANKS:
        some = timed(
            queries_by_rank(rank, FEW), {name: (side, FEW) for name, (side, _) in sides.items()}
        )
        report.row(
            f"BM25 by the commonest of 4 terms, ms (p50), {data.rows:,} rows",
            share=f"{100 * exact.share(words()[rank].lower()):.2f} %",
            **{name: each.p50 / 1e3 for name, each in some.items()},
        )
