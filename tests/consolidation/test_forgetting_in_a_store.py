"""Fading, pruning and gists where it counts: in a store, dreamt by an engine, night after night."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from engram_lab import Engine, EngineConfig, ManualClock
from engram_lab.core.errors import DreamRefusedError, InvalidInputError

START = datetime(2026, 1, 1, 3, tzinfo=UTC)
PLACES = ("Karsk", "Vellen", "Orrin", "Tamsel", "Quorn", "Ibera", "Zeld", "Murn")

Opener = Callable[..., Engine]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def opened(clock: ManualClock) -> Iterator[Opener]:
    engines: list[Engine] = []

    def make(**dream: Any) -> Engine:
        told = {"store": {"seed": 1}, "dream": dream}
        engines.append(Engine.open(":memory:", config=EngineConfig.from_dict(told), clock=clock))
        return engines[-1]

    yield make
    for each in engines:
        with closing(each):
            pass


def states(engine: Engine) -> dict[str, str]:
    return {
        engine.get(id_).content: engine.get(id_).lifecycle
        for id_ in engine.store.dreams.columns("default").ids
    }


def remembered(engine: Engine, count: int = 8, **common: Any) -> list[str]:
    texts = [{"content": f"The mill of {place} grinds rye.", **common} for place in PLACES[:count]]
    return list(engine.remember_many(texts).ids)


def test_night_after_night_what_is_unused_steps_back_and_a_recall_brings_it_forward(
    opened: Opener, clock: ManualClock
) -> None:
    engine = opened(steps="fade", fade_importance=0.0, fade_archives="unused", most_removed=1.0)
    engine.remember("The mill of Karsk grinds rye.", type="decision", importance=0.2)
    engine.remember("The ferry to Vellen is blue.", pinned=True)
    engine.remember("Orrin pays on Fridays.", importance=0.95)
    seen = []
    for _ in range(95):
        engine.dream()
        seen.append(states(engine)["The mill of Karsk grinds rye."])
        clock.advance(days=1)
    assert [seen.index("stale"), seen.index("archived")] == [30, 90]
    kept = {"The ferry to Vellen is blue.": "active", "Orrin pays on Fridays.": "active"}
    assert states(engine) == {"The mill of Karsk grinds rye.": "archived", **kept}
    (fact,) = [each for each in engine.store.dreams.columns("default").types if each == "decision"]
    assert fact == "decision"


def test_a_stale_memory_that_is_recalled_is_active_again(
    opened: Opener, clock: ManualClock
) -> None:
    engine = opened(steps="fade", fade_importance=0.0, fade_frequency=0.0)
    remembered(engine, 2)
    clock.advance(days=40)
    assert len(engine.dream().changes) == 2
    clock.advance(days=1)
    assert engine.recall("Karsk", k=1)[0].memory.content == "The mill of Karsk grinds rye."
    clock.advance(days=1)
    engine.dream()
    assert states(engine) == {
        "The mill of Karsk grinds rye.": "active",
        "The mill of Vellen grinds rye.": "stale",
    }
    assert len(engine.dream().changes) == 0


def test_thirty_nights_without_new_data_lose_nothing_and_recall_answers_as_before(
    opened: Opener, clock: ManualClock
) -> None:
    """Neither 26 % in 3.5 days nor relevance that falls with each pass: every score is the same."""
    engine = opened(steps="abstract,fade,prune", abstract_min_days=400.0)
    ids = remembered(engine)
    clock.advance(days=200)
    before = [engine.recall(place, k=8) for place in PLACES]
    clock.advance(days=100)
    for _ in range(30):
        engine.dream()
        clock.advance(days=1)
    after = [engine.recall(place, k=8) for place in PLACES]
    assert set(states(engine).values()) == {"stale"}
    assert sorted(engine.store.dreams.columns("default").ids) == sorted(ids)
    for was, now in zip(before, after, strict=True):
        assert [(each.memory.id, each.score) for each in now] == [
            (each.memory.id, each.score) for each in was
        ]


def test_a_budget_is_kept_and_asked_for_first_and_undone_to_the_last_bit(opened: Opener) -> None:
    engine = opened(steps="prune", prune_most_memories=5)
    ids = remembered(engine)
    were = [engine.get(each) for each in ids]
    with pytest.raises(DreamRefusedError, match="3 of 8 memories"):
        engine.dream()
    report = engine.dream(yes=True)
    assert sorted(states(engine).values()) == ["active"] * 5 + ["archived"] * 3
    assert len(engine.dream().changes) == 0
    engine.undo(report.run.id)
    assert [engine.get(each) for each in ids] == were


def test_a_budget_that_protection_does_not_leave_room_for_is_refused(opened: Opener) -> None:
    engine = opened(steps="prune", prune_most_memories=3)
    remembered(engine, 4, pinned=True)
    with pytest.raises(InvalidInputError, match="may have 3 memories, and 4 memories of 32 tokens"):
        engine.dream(yes=True)


def test_a_gist_is_found_and_names_its_sources_and_leaves_with_the_undo(
    opened: Opener, clock: ManualClock
) -> None:
    engine = opened(steps="abstract", abstract_by="session")
    ids = remembered(engine, 6, session_id="s1")
    clock.advance(days=31)
    report = engine.dream()
    (made,) = [each for each in report.changes if each.action == "remember"]
    gist = engine.get(made.id)
    assert (gist.type, gist.source) == ("summary", "dream:abstract")
    found = engine.store.links.of(gist.id, direction="out")
    assert sorted(each.to_id for each in found) == sorted(ids)
    assert gist.id in [each.memory.id for each in engine.recall("mill rye", k=10)]
    clock.advance(days=1)
    assert len(engine.dream().changes) == 0
    engine.undo(report.run.id)
    assert sorted(engine.store.dreams.columns("default").ids) == sorted(ids)


def test_no_gist_tells_what_was_forgotten_and_a_forgotten_gist_does_not_come_back(
    opened: Opener, clock: ManualClock
) -> None:
    engine = opened(steps="abstract", abstract_by="session", abstract_chars=2000)
    ids = remembered(engine, 6, session_id="s1")
    other = remembered(engine, 6, session_id="s2")
    clock.advance(days=31)
    made = [each for each in engine.dream().changes if each.action == "remember"]
    assert all("Orrin" in engine.get(each.id).content for each in made)
    engine.forget(ids[2])
    engine.forget(next(each.id for each in made if set(each.sources) == set(other)))
    for _ in range(3):
        clock.advance(days=1)
        engine.dream()
        assert [text for text in states(engine) if "\n" in text] == []
    # What is left of the first group is told again once something of it changes.
    engine.update(ids[0], content="The mill of Karsk grinds oats.")
    clock.advance(days=40)
    engine.dream()
    (gist,) = [text for text in states(engine) if "\n" in text]
    assert "oats" in gist
    assert "Orrin" not in gist


def test_a_clock_that_runs_ahead_fades_nothing(opened: Opener, clock: ManualClock) -> None:
    engine = opened(steps="fade,prune", prune_most_memories=8)
    remembered(engine)
    clock.advance(days=-3000)
    assert len(engine.dream(dry_run=True).changes) == 0
