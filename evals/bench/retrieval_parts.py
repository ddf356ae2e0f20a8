"""A hybrid recall against the sum of its bare parts, and how much of the nearest it finds."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from retrieval_figures import Report, Timings, at_least, at_most
from retrieval_floors import BACKEND, Rows, Static, exact_neighbours, recall_at, split
from retrieval_ours import indexes_of
from retrieval_workload import DIM

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from retrieval_peers import Ask
    from retrieval_workload import Workload

    from engram_lab import Engine

K, DEPTH = 10, 100
ROUNDS = 5
PARTS_BAR = 1.5
RECALL_BAR = 98.0
LABELS = {
    "recall": "Engine.recall, hybrid",
    "vectors": "bare FAISS",
    "words": f"bm25s ({BACKEND})",
    "rows": "SELECT of the rows",
    "sum": "sum of the parts",
}


class Overheard:
    """Stands before a FAISS index for a moment, and keeps the parameters it was searched with."""

    def __init__(self, index: Any) -> None:
        self.index = index
        self.ntotal = index.ntotal
        self.params: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.index, name)

    def search(self, query: NDArray[np.float32], k: int, params: Any = None) -> Any:
        """Search, and remember how."""
        self.params = params
        return self.index.search(query, k, params=params)


def bare_index(engine: Engine, data: Workload) -> Callable[[NDArray[np.float32]], Any]:
    """Return what searches with FAISS alone: the index that ours holds, looking at as much.

    Where ours goes over all vectors, FAISS does so too, in an index of its own.
    """
    import faiss

    dense = indexes_of(engine).dense()
    assert dense is not None  # noqa: S101 - an embedder is given
    held: Any = dense.index._held.index  # noqa: SLF001
    chosen: Any = None
    if held is None:
        index = faiss.IndexFlatIP(DIM)
        index.add(np.ascontiguousarray(data.vectors))
    else:
        index = held._index  # noqa: SLF001
        held._index = overheard = Overheard(index)  # noqa: SLF001
        dense.index.search(data.question_vectors[0], DEPTH)
        held._index, chosen = index, overheard.params  # noqa: SLF001

    def search(vector: NDArray[np.float32]) -> Any:
        faiss.omp_set_num_threads(1)
        return index.search(vector[np.newaxis], DEPTH, params=chosen)

    return search


def asker(engine: Engine, data: Workload) -> Ask:
    """Return what asks our engine a question by its number."""
    corpus = engine.store.corpus
    alive = corpus.alive()

    def ask(number: int) -> tuple[int, list[int]]:
        text = data.questions[number].text
        start = time.perf_counter_ns()
        hits = engine.recall(text, k=K)
        took = time.perf_counter_ns() - start
        return took, np.searchsorted(alive, corpus.find([hit.id for hit in hits])).tolist()

    return ask


def timed(
    data: Workload, engine: Engine, *, static: Static, bare: Any, rows: Rows
) -> dict[str, Timings]:
    """Time recall and its parts in turn, question by question; the first round warms up.

    Args:
        data: What is searched.
        engine: Ours.
        static: The words of the texts in bm25s.
        bare: Searches the vectors with FAISS alone, given float32 [384].
        rows: Reads memories by their keys.
    """
    alive = engine.store.corpus.alive()
    vectors = data.question_vectors
    times = {name: Timings() for name in LABELS}
    for turn in range(ROUNDS + 1):
        for number, question in enumerate(data.questions):
            steps: dict[str, Callable[[], Any]] = {
                "recall": partial(engine.recall, question.text, K),
                "vectors": partial(bare, vectors[number]),
                "words": partial(static.search, split(question.text), DEPTH),
            }
            took: dict[str, int] = {}
            answers: dict[str, Any] = {}
            # Whoever comes second finds in the cache what the first one read.
            for name in steps if (number + turn) % 2 else reversed(steps):
                start = time.perf_counter_ns()
                answers[name] = steps[name]()
                took[name] = time.perf_counter_ns() - start
            keys = alive[answers["words"][0][0][:K]]
            start = time.perf_counter_ns()
            rows.fetch(keys)
            took["rows"] = time.perf_counter_ns() - start
            took["sum"] = took["vectors"] + took["words"] + took["rows"]
            if turn:
                for name, nanoseconds in took.items():
                    times[name].add(number, nanoseconds)
    return times


def parts(
    report: Report, data: Workload, engine: Engine, *, static: Static, bare: Any, rows: Rows
) -> dict[str, Timings]:
    """Put a recall and its parts into the report, and return all times; see `timed`."""
    times = timed(data, engine, static=static, bare=bare, rows=rows)
    for name, label in LABELS.items():
        each = times[name]
        report.row(
            f"a hybrid recall and its parts, {data.rows:,} rows",
            what=label,
            p50_us=each.p50,
            p95_us=each.p95,
        )
    lexical = indexes_of(engine).lexical()
    unknown = [
        any(not lexical.df(term) for term in lexical.analyser.query_terms(question.text))
        for question in data.questions
    ]
    if any(unknown):
        spelt = float(np.median(times["recall"].each()[unknown]))
        title = f"hybrid recall of the {sum(unknown)} questions with an unknown word: p50"
        report.tell(title, data.rows, spelt, "µs")
    title = f"hybrid recall, k = {K}, against its bare parts: p50"
    ours, floor = times["recall"].p50, times["sum"].p50
    report.add(at_most(title, data.rows, ours, floor, unit="µs", bar=PARTS_BAR))
    return times


def neighbours(report: Report, data: Workload, engine: Engine) -> None:
    """Measure how many of the ten nearest the index of vectors finds."""
    dense = indexes_of(engine).dense()
    assert dense is not None  # noqa: S101 - an embedder is given
    best = engine.store.corpus.alive()[exact_neighbours(data.vectors, data.question_vectors, K)]
    asked = data.question_vectors
    share = 100 * recall_at([dense.index.search(each, DEPTH).keys[:K] for each in asked], best)
    title = f"recall@{K} of the index, within depth {DEPTH}"
    report.add(at_least(title, data.rows, share, RECALL_BAR, unit="%"))
    share = 100 * recall_at([dense.index.search(each, K).keys for each in asked], best)
    report.tell(f"recall@{K} of the index, asked for {K} alone", data.rows, share, "%")
