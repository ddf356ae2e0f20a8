"""What recording recalls costs a recall: the same questions with and without, in turn."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from dreaming_worker import facts
from retrieval_figures import at_most, progress

from engram_lab import Engine
from engram_lab.config import EmbeddingSettings, EngineConfig, LearningSettings
from engram_lab.core.errors import EmbedderError, MissingDependencyError
from engram_lab.retrieval.embedders import EmbedderOptions, resolve

if TYPE_CHECKING:
    from retrieval_figures import Report

ROUNDS, QUESTIONS, BATCH = 6, 160, 32
RECORDING_BAR = 1.05


def recording(report: Report, *, memories: int) -> None:
    """Put what recording costs into the report, as a share of a recall with the default model.

    Events are written many at a time, so what counts is the time of 32 recalls together. With
    vectors of hashed words a recall takes less, and the share of recording is larger: that is told.
    """
    ours, floor = _both("hashing", memories)
    report.tell("recorded to not, with hashed words", memories, ours / floor, "times")
    try:
        resolve("minilm", EmbedderOptions())
    except (EmbedderError, MissingDependencyError) as error:
        report.remark(f"recording was not measured with MiniLM: {error}")
        return
    ours, floor = _both("minilm", memories)
    title = "a recall that is recorded to one that is not"
    report.add(at_most(title, memories, ours, floor, unit="µs", bar=RECORDING_BAR))


def _both(model: str, memories: int) -> tuple[float, float]:
    """Return the microseconds of a recall that is recorded, and of one that is not."""
    progress(f"recording of recalls, {memories:,} memories, {model}")
    texts = list(facts(memories))
    base = replace(EngineConfig(), embedding=EmbeddingSettings(model=model))
    embedder = resolve(model, EmbedderOptions())  # shared, as two sessions of a model differ
    asked = [" ".join(text.split()[:6]) for text in texts[:: max(1, memories // QUESTIONS)]]
    took: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        engines = {}
        for kept in (True, False):
            config = replace(base, learning=LearningSettings(record_recalls=kept))
            file = Path(folder) / f"{kept}.db"
            engine = stack.enter_context(Engine.open(file, config=config, embedder=embedder))
            engine.remember_many({"content": text} for text in texts)
            engine.recall("warm up", 1)
            engines[kept] = engine
        for turn in range(ROUNDS):
            for start in range(0, len(asked) - BATCH + 1, BATCH):
                for kept in (True, False) if (turn + start // BATCH) % 2 else (False, True):
                    began = time.perf_counter()
                    for question in asked[start : start + BATCH]:
                        engines[kept].recall(question)
                    if turn:
                        took[kept].append(time.perf_counter() - began)
    return float(np.median(took[True])) / BATCH * 1e6, float(np.median(took[False])) / BATCH * 1e6
