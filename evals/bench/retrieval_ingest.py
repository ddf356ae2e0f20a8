"""Storing memories with MiniLM against the encoder alone on the same texts; one query's vector."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from retrieval_figures import at_most, progress
from retrieval_workload import SEED

from engram_lab import Engine
from engram_lab.core.errors import EmbedderError, MissingDependencyError
from engram_lab.retrieval.embedders import EmbedderOptions, resolve

if TYPE_CHECKING:
    from retrieval_figures import Report

BATCHES, BATCH = 8, 256
INGEST_BAR = 1.15
TEXT = (
    "the a of to in was is that it he she they we for on with as had at by from this her his but "
    "not be are or an were which when there been who more if out so said what up its about into "
    "than them can only other new some time could these two may then do first any my now such "
    "like our over man me even most made after also did many before must through back years where "
    "much your way well down should because each just those people how too little state good very "
    "make world still own see men work long get here between both life being under never day same "
    "another know while last might us great old year off come since against go came right used "
    "harbour tide bread choir garden winter letter train coffee window music river doctor market "
    "school island kitchen holiday bicycle museum"
)


def sentences() -> list[list[str]]:
    """Return batches of texts of 6 to 40 ordinary words."""
    rng, words = np.random.default_rng([SEED, 9]), TEXT.split()
    lengths = rng.integers(6, 41, (BATCHES + 1, BATCH)).tolist()
    return [[" ".join(rng.choice(words, length)) for length in each] for each in lengths]


def measure(report: Report, folder: Path) -> None:
    """Put the figures of storing with embeddings into the report."""
    try:
        embedder = resolve("minilm", EmbedderOptions())
    except (EmbedderError, MissingDependencyError) as error:
        report.remark(f"ingest with embeddings was not measured: {error}")
        return
    progress(f"ingest: {BATCHES} batches of {BATCH} texts, embedded by MiniLM")
    warm, *batches = sentences()
    embedder.embed(warm, kind="document")
    ours: list[float] = []
    floor: list[float] = []
    with Engine.open(Path(folder) / "ingest.db", embedder=embedder) as engine:
        engine.remember_many({"content": text} for text in warm)
        for number, batch in enumerate(batches):
            for side in ("ours", "floor") if number % 2 else ("floor", "ours"):
                start = time.perf_counter()
                if side == "ours":
                    engine.remember_many({"content": text} for text in batch)
                else:
                    embedder.embed(batch, kind="document")
                (ours if side == "ours" else floor).append(time.perf_counter() - start)
        waiting = engine.store.embedding_queue.counts(embedder.fingerprint)
    if waiting.pending:
        report.remark(f"ingest: {waiting.pending} texts were left to embed")
    mine, theirs = (float(np.median(times)) / BATCH * 1e6 for times in (ours, floor))
    title = "remember_many with MiniLM against the encoder alone"
    rows = BATCHES * BATCH
    report.add(at_most(title, rows, mine, theirs, unit="µs/text", bar=INGEST_BAR))
    took: list[float] = []
    for text in batches[0][:100]:
        start = time.perf_counter()
        embedder.embed([" ".join(text.split()[:8])], kind="query")
        took.append((time.perf_counter() - start) * 1e3)
    report.tell("embedding of one query of 8 words by MiniLM, p50", 1, float(np.median(took)), "ms")
