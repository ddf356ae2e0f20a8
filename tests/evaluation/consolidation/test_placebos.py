"""Placebos hide exactly what is over the number, in their own order, never what is protected."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from engram_lab.config import EmbeddingSettings, EngineConfig
from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.types import RecalledMemory, RecallEvent
from engram_lab.engine import Engine
from engram_lab.evaluation.consolidation.placebos import PLACEBOS, placebo

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Five memories, a day apart; the first is pinned, the second was recalled last."""
    clock = ManualClock()
    config = EngineConfig(embedding=EmbeddingSettings(model="none"))
    with Engine.open(":memory:", config=config, clock=clock) as opened:
        for place, type_ in enumerate(("note", "note", "note", "fact", "note")):
            memory = opened.remember(f"m{place}", type=type_, pinned=place == 0)
            if place == 1:
                second = memory.id
            clock.advance(days=1)
        clock.advance(days=60)
        hit = RecalledMemory(memory_id=second, rank=1, score=1.0)
        event = RecallEvent(id=opened.store.new_id(), at=clock.now(), query="q", hits=(hit,))
        opened.store.events.record([event])
        yield opened


def left(engine: Engine) -> set[str]:
    columns = engine.store.dreams.columns("default")
    rows = zip(columns.ids, columns.archived, strict=True)
    return {engine.get(id_).content for id_, hidden in rows if not hidden}


@pytest.mark.parametrize(
    ("name", "kept"),
    [("lru", {"m0", "m1", "m4"}), ("recency", {"m0", "m3", "m4"}), ("ttl", {"m0", "m3", "m4"})],
)
def test_each_keeps_by_its_order(engine: Engine, name: str, kept: set[str]) -> None:
    engine.dream(steps=[placebo(name, keep=3)], yes=True)
    assert left(engine) == kept


@pytest.mark.parametrize("name", sorted(PLACEBOS))
def test_what_is_protected_stays_though_the_number_be_too_small(engine: Engine, name: str) -> None:
    engine.dream(steps=[placebo(name, keep=0)], yes=True)
    assert left(engine) == {"m0"}


@pytest.mark.parametrize("name", sorted(PLACEBOS))
def test_smaller_budgets_keep_a_part_of_what_larger_ones_keep(engine: Engine, name: str) -> None:
    before = left(engine)
    for keep in (4, 3, 2, 1):
        engine.dream(steps=[placebo(name, keep=keep)], yes=True)
        after = left(engine)
        assert after < before
        assert len(after) == keep
        before = after
        assert len(engine.dream(steps=[placebo(name, keep=keep)], yes=True)) == 0


def test_time_to_live_goes_by_type(engine: Engine) -> None:
    engine.dream(steps=[placebo("ttl", keep=2)], yes=True)
    assert left(engine) == {"m0", "m3"}  # a fact outlives a younger note


def test_an_unknown_placebo_and_a_negative_number_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="is no placebo"):
        placebo("fifo", keep=1)
    with pytest.raises(InvalidInputError, match="0 or more"):
        placebo("lru", keep=-1)


def test_a_lot_is_drawn_by_the_seed_alone(engine: Engine) -> None:
    report = engine.dream(steps=[placebo("random_drop", keep=2)], dry_run=True)
    again = engine.dream(steps=[placebo("random_drop", keep=2)], dry_run=True)
    assert [each.id for each in report] == [each.id for each in again]
    assert len(report) == 3
    assert timedelta(0) == report.run.ended_at - report.run.started_at
