"""One size of the benchmark of dreams, in a process of its own.

python evals/bench/dreaming_worker.py FILE SIZE NEW
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engram_lab import Engine
from engram_lab.config import EmbeddingSettings, EngineConfig, StoreSettings
from engram_lab.core.clock import ManualClock
from engram_lab.core.types import RecalledMemory, RecallEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.core.progress import Told

SEED = 20261121
EVENTS_FOR_EACH = 10
"""Memories for each recall."""

HITS = 10
_KIB_PER_GIB = 1 << 20
_SYLLABLES = tuple(a + b for a in "bdfgklmnprstvz" for b in "aeiou")
_THINGS = (
    "gym", "garden", "office", "server", "car", "insurance", "phone", "studio", "boat", "library",
    "course", "storage", "parking", "newsletter", "licence", "hosting", "choir", "laundry",
)  # fmt: skip
_MONTHS = ("January", "March", "April", "June", "August", "October", "November")


def facts(count: int, *, start: int = 0) -> Iterator[str]:
    """Yield facts: of ten, one says the one before in other words, one differs by its number."""
    for number in range(start, start + count):
        kind = number % 10
        rng = np.random.default_rng([SEED, number - (kind in {1, 3})])
        name = "".join(rng.choice(_SYLLABLES, 3)).title()
        family = "".join(rng.choice(_SYLLABLES, 3)).title()
        thing, month = str(rng.choice(_THINGS)), str(rng.choice(_MONTHS))
        amount = int(rng.integers(10, 900)) + (kind == 3)  # noqa: PLR2004
        if kind == 1:
            yield f"The {thing} costs {name} {family} {amount} euros monthly since {month}"
        else:
            yield f"{name} {family} pays {amount} euros a month for the {thing} since {month}"


def recalled(engine: Engine, ids: list[str], clock: ManualClock) -> None:
    """Record recalls in which groups of memories come back together."""
    rng = np.random.default_rng([SEED, 1])
    events = []
    for _ in range(len(ids) // EVENTS_FOR_EACH):
        clock.advance(seconds=1)
        first = int(rng.integers(0, len(ids)))
        chosen = dict.fromkeys([first, (first + 7) % len(ids), *rng.integers(0, len(ids), HITS)])
        hits = tuple(
            RecalledMemory(memory_id=ids[place], rank=rank, score=1 / rank)
            for rank, place in enumerate(list(chosen)[:HITS], 1)
        )
        event = RecallEvent(id=engine.store.new_id(), at=clock.now(), query="a question", hits=hits)
        events.append(event)
    engine.store.events.record(events)


def main() -> None:
    """Fill, dream, dream again, add, dream, undo; print the figures as one line of JSON."""
    file, size, new = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    clock = ManualClock()
    base = EngineConfig()
    config = replace(
        base,
        store=StoreSettings(synchronous="normal", seed=1),
        embedding=EmbeddingSettings(model="hashing"),
        dream=replace(base.dream, lock_s=3600.0),
    )
    figures: dict[str, float] = {}
    with Engine.open(file, config=config, clock=clock) as engine:
        engine.remember_many({"content": text} for text in facts(size))
        ids = [row["id"] for row in engine.to_polars().select("id").to_dicts()]
        recalled(engine, ids, clock)
        began = time.perf_counter()
        engine.recall("warm up", 1)
        figures["index_s"] = time.perf_counter() - began
    with Engine.open(file, config=config, clock=clock) as engine:
        clock.advance(hours=8)
        began = time.perf_counter()
        marks: list[float] = []
        names: list[str] = []

        def mark(told: Told) -> None:
            if told.task == "dreaming" and told.note and told.note not in names:
                names.append(told.note)
                marks.append(time.perf_counter())

        report = engine.dream(yes=True, progress=mark)
        ended = time.perf_counter()
        figures["full_s"] = ended - began
        for name, start, stop in zip(names, marks, [*marks[1:], ended], strict=True):
            figures[f"step {name}".replace("carrying", "carried")] = stop - start
        figures["changes"] = len(report)
        told = Counter((each.step, each.action) for each in report)
        figures["merged"] = told["merge", "update"]
        began = time.perf_counter()
        again = engine.dream(yes=True)
        figures["again_s"] = time.perf_counter() - began
        if len(again):
            raise SystemExit(f"a second dream plans {len(again)} changes: it should plan none")
        engine.remember_many({"content": text} for text in facts(new, start=size))
        engine.recall("warm up", 1)  # so that the index has taken them in
        clock.advance(hours=8)
        began = time.perf_counter()
        engine.dream(yes=True, dry_run=True)
        figures["dry_run_s"] = time.perf_counter() - began
        began = time.perf_counter()
        last = engine.dream(yes=True)
        figures["incremental_s"] = time.perf_counter() - began
        began = time.perf_counter()
        engine.undo(last.run_id)
        engine.undo(report.run_id, keep_later=True)
        figures["undo_s"] = time.perf_counter() - began
    figures["peak_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_GIB
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
