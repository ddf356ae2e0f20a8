"""What charts are drawn of: one small engine, and frames that are computed here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from engram_lab import Engine, EngineConfig, ManualClock, plots
from engram_lab.config import RetrievalSettings

if TYPE_CHECKING:
    from engram_lab import DreamReport, Hits

START = datetime(2026, 1, 1, tzinfo=UTC)
QUESTION = "who repaired the bicycle of Ana?"
TEXTS = (
    "Ana baked a plum cake for Boris",
    "Boris repaired the blue bicycle in Lisbon",
    "The bicycle was painted blue by Ana",
    "Ana plays the violin on Mondays",
    "Carla lost her bicycle key near the old harbour",
    "Deniz cooked fish in the kitchen",
    "Boris bought a bicycle lamp",
    "It snows in Ohrid",
)


def engine_of(**retrieval: Any) -> Engine:
    clock = ManualClock(START)
    config = EngineConfig(retrieval=RetrievalSettings(**retrieval))
    engine = Engine.open(":memory:", config=config, clock=clock)
    for text in TEXTS:
        engine.remember(text)
        clock.advance(days=9)
    return engine


@pytest.fixture(scope="session")
def hits() -> Iterator[Hits]:
    with engine_of() as engine:
        yield engine.recall(QUESTION, k=8)


@pytest.fixture(scope="session")
def reranked() -> Iterator[Hits]:
    """Hits of many arms, with a step that multiplies and one that adds."""
    with engine_of(profile="by-hand", mmr_lambda=0.6, recency_weight=0.4) as engine:
        yield engine.recall(QUESTION, k=8)


@pytest.fixture(scope="session")
def dreamt() -> Iterator[DreamReport]:
    clock = ManualClock(START)
    with Engine.open(":memory:", clock=clock) as engine:
        for _ in range(2):
            for text in TEXTS:
                engine.remember(text)
                clock.advance(hours=1)
        yield engine.dream(dry_run=True)


@pytest.fixture(scope="session")
def frames() -> dict[str, pl.DataFrame]:
    chance = np.random.default_rng(7)
    systems = pl.DataFrame({"system": ["dream", "lru"], "floor": [False, True]})
    times = systems.join(pl.DataFrame({"time": range(5)}), how="cross")
    steps = pl.DataFrame({"memories": [1_000, 10_000, 100_000]})
    return {
        "forest": pl.DataFrame(
            {
                "system": ["random", "bm25", "rrf"],
                "mean": [0.02, 0.51, 0.58],
                "low": [0.01, 0.47, 0.55],
                "high": [0.03, 0.55, 0.62],
                "floor": [True, False, False],
            }
        ),
        "query_deltas": pl.DataFrame({"delta": chance.normal(0, 0.3, 40).round(2)}),
        "reliability": pl.DataFrame(
            {"forecast": [0.1, 0.5, 0.9], "came": [0.2, 0.5, 0.8], "low": [0.1, 0.4, 0.7]}
        ),
        "survival": times.with_columns((0.9 ** pl.col("time")).alias("share")),
        "retention": times.select(
            "system",
            (1000 * (1 + pl.col("time"))).alias("kept"),
            (pl.col("time") / 5).alias("found"),
        ),
        "index_speed": pl.DataFrame({"index": ["exact", "hnsw"]})
        .join(steps, how="cross")
        .with_columns(
            (pl.col("memories") / 10_000).alias("ms"),
            pl.when(pl.col("index") == "exact").then(1.0).otherwise(0.97).alias("recall"),
        ),
        "nodes": pl.DataFrame(
            {
                "id": [f"m{each}" for each in range(6)],
                "label": [f"memory {each} of the harbour" for each in range(6)],
                "created_at": [START + timedelta(days=each) for each in range(6)],
            }
        ),
        "edges": pl.DataFrame(
            {
                "from_id": ["m0", "m1", "m3"],
                "to_id": ["m1", "m2", "m4"],
                "type": ["hebbian", "semantic", "hebbian"],
                "weight": [0.2, 0.9, 0.5],
                "valid_to": [START + timedelta(days=3), None, None],
            }
        ),
    }


@pytest.fixture(scope="session")
def charts(
    hits: Hits, reranked: Hits, dreamt: DreamReport, frames: dict[str, pl.DataFrame]
) -> dict[str, Callable[[], Any]]:
    """Return how each chart is drawn, by its name; some twice, of other data."""
    vectors = np.random.default_rng(1).normal(size=(30, 8))
    labels = [None if each % 5 == 0 else each % 3 for each in range(30)]
    of_frames = {
        name: lambda name=name: getattr(plots, name)(frames[name])
        for name in (
            *("forest", "query_deltas", "reliability", "survival", "retention"),
            "index_speed",
        )
    }
    return {
        **of_frames,
        "score_anatomy": lambda: plots.score_anatomy(hits),
        "score_anatomy of steps": lambda: plots.score_anatomy(reranked),
        "arm_overlap": lambda: plots.arm_overlap(hits),
        "score_anatomy of a frame": lambda: plots.score_anatomy(plots.anatomy_frame(reranked)),
        "arm_overlap of a frame": lambda: plots.arm_overlap(plots.overlap_frame(hits)),
        "link_graph": lambda: plots.link_graph(frames["nodes"], frames["edges"]),
        "embedding_map": lambda: plots.embedding_map(vectors, labels),
        "dream_diff": lambda: plots.dream_diff(dreamt),
        "dream_diff of a frame": lambda: plots.dream_diff(dreamt.to_polars()),
    }
