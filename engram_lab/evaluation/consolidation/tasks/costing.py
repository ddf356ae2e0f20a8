"""Task 7: what a dream costs: rows, seconds, bytes and tokens, the whole and what is new alone."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.consolidation.filling import staged
from engram_lab.evaluation.consolidation.outcome import Outcome
from engram_lab.evaluation.consolidation.world.making import make_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engram_lab.consolidation import DreamReport
    from engram_lab.evaluation.consolidation.filling import Play, Stage
    from engram_lab.evaluation.consolidation.outcome import Setting

__all__ = ["Costing"]

_NEW: Final = 0.05
"""Share of the world that is told anew before the second dream."""
_MOST_NEW: Final = 1_000
_LEAST_NEW: Final = 50
_OTHER_WORLD: Final = 1_000_003
"""Added to the seed for what is told anew."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Costing:
    """Dreams of a whole world by the steps that are set, then of what is told anew.

    `full` is the first dream, `idle` the next with nothing new, `incremental` one after as much as
    a twentieth was told anew, and `undo` the way back from that. These are facts of one run on one
    machine: seconds and bytes have no interval, and are those of the day.
    """

    name: str = field(default="costing", init=False)

    def run(self, setting: Setting) -> Outcome:
        """Return what each dream cost."""
        told = setting.say
        count = max(_LEAST_NEW, min(_MOST_NEW, round(setting.size * _NEW)))
        anew = make_world(size=count, seed=(setting.seed + _OTHER_WORLD) % 2**63)
        drafts = [{"content": each.text, "type": each.type} for each in anew.told]
        with staged(setting) as stage, stage.copy("costing") as play:
            told("dreaming of everything")
            facts = [*_dream(stage, play, "full", memories=len(play.world.told))]
            play.clock.advance(days=1)
            told("dreaming of nothing new")
            facts += _dream(stage, play, "idle", memories=len(play.world.told))
            play.clock.advance(days=1)
            play.engine.remember_many(drafts)
            play.engine.embed()
            told(f"dreaming of {len(drafts)} new memories")
            facts += _dream(stage, play, "incremental", memories=len(drafts))
            facts += _undone(play)
        seconds = dict(facts)
        share = seconds["costing.incremental_seconds"] / max(1e-9, seconds["costing.full_seconds"])
        facts.append(("costing.incremental_share_of_full_seconds", share))
        return Outcome(task=self.name, facts=tuple(facts))


def _dream(stage: Stage, play: Play, kind: str, *, memories: int) -> Iterator[tuple[str, float]]:
    """Dream, and yield what it cost, also for each thousand of the memories that it was about."""
    before = _bytes(stage.folder)
    start = time.perf_counter()
    report = play.engine.dream(yes=True)
    seconds = time.perf_counter() - start
    grown = _bytes(stage.folder) - before
    rows = _rows(report)
    thousands = memories / 1_000
    yield f"costing.{kind}_memories", float(memories)
    yield f"costing.{kind}_rows", float(rows)
    yield f"costing.{kind}_rows_per_1000", rows / thousands
    yield f"costing.{kind}_tokens_before", float(report.run.tokens_before)
    yield f"costing.{kind}_tokens_after", float(report.run.tokens_after)
    yield f"costing.{kind}_seconds", seconds
    yield f"costing.{kind}_seconds_per_1000", seconds / thousands
    yield f"costing.{kind}_bytes", float(grown)
    yield f"costing.{kind}_bytes_per_1000", grown / thousands


def _rows(report: DreamReport) -> int:
    """Return how many memories and links were written."""
    return sum(sum(step.counts.values()) for step in report.run.steps)


def _undone(play: Play) -> Iterator[tuple[str, float]]:
    latest = play.engine.dreams(limit=1)
    if latest:
        start = time.perf_counter()
        play.engine.undo(latest[0].id)
        yield "costing.undo_seconds", time.perf_counter() - start


def _bytes(folder: Path) -> int:
    """Return the size of the files of the copy."""
    return sum(each.stat().st_size for each in folder.glob("costing.db*") if each.is_file())
