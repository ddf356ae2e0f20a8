"""Our side: a store of a workload with its indexes, as a user has it, and what it costs to make.

The vectors come ready: an embedder that looks them up stands for the model, so that what is
measured is the retrieval, at the default settings.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from retrieval_figures import progress, within
from retrieval_workload import DIM

from engram_lab import Engine
from engram_lab.config import EngineConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from retrieval_figures import Report
    from retrieval_workload import Workload

    from engram_lab.engine.indexes import Indexes

CHUNK = 10_000
CHANGES = 1_000
WRITES = 200
WRITE_BAR_MS = 1.0

# Alone in a process of its own: what a service that opens the store has in memory.
CHILD = """
import re, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from retrieval_ours import Given, opened
from retrieval_workload import workload
def resident(kind):
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{kind}:\\s+(\\d+) kB", status)[1]) / 1024
data = workload(Path(sys.argv[3]), int(sys.argv[4]))
given = Given(data)
given.ask(data)
with opened(Path(sys.argv[2]), given, kind=sys.argv[5], read_only=True) as engine:
    own, mapped, start = resident("RssAnon"), resident("RssFile"), time.perf_counter()
    engine.recall(data.questions[0].text)
    print(time.perf_counter() - start)
    for question in data.questions:
        engine.recall(question.text)
    print(resident("RssAnon") - own)
    print(resident("RssFile") - mapped)
"""


class Given:
    """An embedder that looks vectors up: of the questions, and of texts as they are stored."""

    fingerprint = "given-384"
    dim = DIM

    def __init__(self, data: Workload) -> None:
        self._vectors = data.vectors
        self._questions: dict[str, NDArray[np.float32]] = {}
        self._rows: dict[str, int] = {}

    def ask(self, data: Workload) -> None:
        """Learn the vectors of the questions."""
        pairs = zip(data.questions, data.question_vectors, strict=True)
        self._questions = {question.text: values for question, values in pairs}

    def tell(self, texts: dict[str, int]) -> None:
        """Learn which row of the workload the vector of each text is."""
        self._rows = texts

    def embed(
        self, texts: Sequence[str], *, kind: Literal["query", "document"]
    ) -> NDArray[np.float32]:
        """Return float32 [n, 384]."""
        if kind == "query":
            return np.stack([self._questions[text] for text in texts])
        return np.asarray(self._vectors[[self._rows[text] for text in texts]])


def opened(file: Path, given: Given, *, kind: str = "auto", read_only: bool = False) -> Engine:
    """Open a store at the default settings, but for the kind of index that is asked for."""
    config = EngineConfig()
    config = replace(config, index=replace(config.index, kind=kind))
    return Engine.open(file, config=config, embedder=given, read_only=read_only)


def indexes_of(engine: Engine) -> Indexes:
    """Return what finds the memories of an engine: its parts are measured apart."""
    return engine._indexes  # noqa: SLF001


def fill(engine: Engine, given: Given, data: Workload) -> None:
    """Store the texts and their vectors, 10,000 at a time."""
    some: dict[str, int] = {}
    for row, text in enumerate(data.texts()):
        some[text] = row
        if len(some) == CHUNK or row == data.rows - 1:
            given.tell(some)
            engine.remember_many({"content": each} for each in some)
            if (row + 1) % (10 * CHUNK) == 0:
                progress(f"stored {row + 1:,} memories")
            some = {}


@contextmanager
def store_of(report: Report, data: Workload, file: Path, *, kind: str) -> Iterator[Engine]:
    """Yield an engine over the workload with its indexes made; tell what that took.

    A store that is there is used as it is.
    """
    given, known = Given(data), file.exists()
    with opened(file, given, kind=kind) as engine:
        if not known:
            progress(f"storing {data.rows:,} memories with their vectors")
            start = time.perf_counter()
            fill(engine, given, data)
            rate = data.rows / (time.perf_counter() - start)
            report.tell("stored with ready vectors", data.rows, rate, "rows/s")
        given.ask(data)
        indexes = indexes_of(engine)
        for name, make in (("words", indexes.lexical), ("vectors", indexes.dense)):
            start = time.perf_counter()
            make()
            took = time.perf_counter() - start
            report.tell(f"index of {name}: {'load' if known else 'build'}", data.rows, took, "s")
    with opened(file, given, kind=kind) as engine:
        yield engine


def resident(report: Report, data: Workload, file: Path, *, kind: str) -> None:
    """Tell what a process of its own takes to open the store, and has in memory then."""
    here = Path(__file__).parent
    place = [str(here), str(file), str(data.folder.parent), str(data.rows), kind]
    said = subprocess.run(  # noqa: S603
        [sys.executable, "-c", CHILD, *place], capture_output=True, text=True, check=True
    )
    first, own, mapped = map(float, said.stdout.split())
    report.tell("first recall of a new process: indexes mapped", data.rows, first * 1e3, "ms")
    report.tell("memory of the indexes, after 200 recalls", data.rows, own, "MiB")
    report.tell("mapped from files, after 200 recalls", data.rows, mapped, "MiB")


def following(report: Report, data: Workload, file: Path, *, kind: str) -> None:
    """Measure how the indexes follow writes, one at a time and 1,000 at once; undo the writes."""
    given = Given(data)
    engine = opened(file, given, kind=kind)
    try:
        written = follow(report, engine, given, data)
        start = time.perf_counter()
        engine.purge(written)
        took_s = time.perf_counter() - start
        report.tell(f"purge of {len(written):,} memories", data.rows, took_s, "s")
    finally:
        start = time.perf_counter()
        engine.close()
    report.tell("closing after it", data.rows, time.perf_counter() - start, "s")


def follow(report: Report, engine: Engine, given: Given, data: Workload) -> list[str]:
    """Write, catch up, and return the ids of what was written."""
    lexical, dense = indexes_of(engine).lexical(), indexes_of(engine).dense()
    assert dense is not None  # noqa: S101 - an embedder is given
    took: dict[str, list[float]] = {"words": [], "vectors": []}
    written: list[str] = []
    for number in range(WRITES):
        text = f"follow{number} the writer said something about {number}"
        given.tell({text: number})
        written.append(engine.remember(text).id)
        for name, index in (("words", lexical), ("vectors", dense.index)):
            start = time.perf_counter()
            index.catch_up()
            took[name].append((time.perf_counter() - start) * 1e3)
    for name, times in took.items():
        title = f"catch-up of {name} after one write"
        report.add(within(title, data.rows, float(np.median(times)), WRITE_BAR_MS, unit="ms"))
        report.tell(f"{title}, mean of {WRITES}", data.rows, float(np.mean(times)), "ms")
        report.tell(f"{title}, longest", data.rows, max(times), "ms")
    texts = {f"many{number} written at once": number for number in range(CHANGES)}
    given.tell(texts)
    written += engine.remember_many({"content": text} for text in texts).ids
    for name, index in (("words", lexical), ("vectors", dense.index)):
        start = time.perf_counter()
        index.catch_up()
        took_ms = (time.perf_counter() - start) * 1e3
        report.tell(f"catch-up of {name} after {CHANGES:,} changes", data.rows, took_ms, "ms")
    return written
