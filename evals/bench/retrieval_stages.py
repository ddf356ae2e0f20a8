"""Where the time of a hybrid recall goes: its stages called one by one, and a profile."""

from __future__ import annotations

import cProfile
import pstats
import time
from dataclasses import replace
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
from retrieval_figures import Timings, progress
from retrieval_ours import indexes_of

from engram_lab import Engine
from engram_lab.core.clock import SystemClock
from engram_lab.core.selection import Selection
from engram_lab.retrieval.within import ranked_within

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retrieval_figures import Report
    from retrieval_workload import Workload

K, DEPTH = 10, 100
ROUNDS = 3
SHOWN = 30


def unrecorded(engine: Engine) -> Engine:
    """Return a view of an engine that records no recalls; not to be closed."""
    learning = replace(engine.config.learning, record_recalls=False)
    config = replace(engine.config, learning=learning)
    return Engine(engine.store, config=config, clock=SystemClock(), indexes=indexes_of(engine))


def measure(report: Report, data: Workload, engine: Engine) -> None:
    """Put the stages of a recall into the report, as medians over all questions."""
    indexes, corpus = indexes_of(engine), engine.store.corpus
    lexical, dense = indexes.lexical(), indexes.dense()
    assert dense is not None  # noqa: S101 - an embedder is given
    chosen, quiet = Selection().also(forgotten=False), unrecorded(engine)
    asked = (corpus, chosen, DEPTH)
    times: dict[str, Timings] = {}

    def timed(name: str, number: int, step: Callable[..., Any], *given: Any) -> Any:
        start = time.perf_counter_ns()
        answer = step(*given)
        times.setdefault(name, Timings()).add(number, time.perf_counter_ns() - start)
        return answer

    for _ in range(ROUNDS):
        for number, question in enumerate(data.questions):
            text, vector = question.text, data.question_vectors[number]
            terms = lexical.analyser.query_terms(text)
            timed("words: anything new?", number, indexes.lexical)
            timed("vectors: anything new?", number, indexes.dense)
            by_words, near = partial(lexical.search, terms), partial(dense.index.search, vector)
            timed("words: search", number, by_words, DEPTH)
            timed("words: search in the selection", number, ranked_within, by_words, *asked)
            timed("vectors: search", number, near, DEPTH)
            found = timed("vectors: search in the selection", number, ranked_within, near, *asked)
            timed("fetch of 10", number, corpus.fetch, found.keys[:K], chosen)
            timed("= Engine.recall, recording nothing", number, quiet.recall, text, K)
            timed("= Engine.recall", number, engine.recall, text, K)
    for name, each in times.items():
        every = [one for some in each.raw().values() for one in some]
        report.row(
            f"where the time of a recall goes, {data.rows:,} rows",
            p50_us=each.p50,
            mean_us=float(np.mean(every)) / 1e3,
            what=name,
        )


def profiled(data: Workload, engine: Engine, file: Path) -> None:
    """Write where the time of a recall goes, function by function."""
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(ROUNDS):
        for question in data.questions:
            engine.recall(question.text, k=K)
    profile.disable()
    text = StringIO()
    statistics = pstats.Stats(profile, stream=text)
    statistics.sort_stats("tottime").print_stats(SHOWN)
    statistics.sort_stats("cumtime").print_stats(SHOWN)
    file.write_text(text.getvalue())
    progress(f"the profile of {ROUNDS * len(data.questions)} recalls is in {file}")
