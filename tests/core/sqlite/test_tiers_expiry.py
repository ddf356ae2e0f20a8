from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engram_lab.core.errors import AccessDeniedError, InvalidInputError, NotFoundError
from engram_lab.core.reports import CleanupReport
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from engram_lab.core.clock import ManualClock
    from engram_lab.core.types import Memory

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NOTHING_DONE = CleanupReport(expired=0, aged_out=0, over_limit=0)


@pytest.fixture
def milk(store: SqliteStore) -> Memory:
    return store.memories.remember({"content": "milk", "tier": "daily", "tags": ["fridge"]})


def test_a_daily_memory_lives_for_a_day(store: SqliteStore, milk: Memory) -> None:
    assert milk.expires_at == NOON + DAY
    assert milk == store.memories.get(milk.id)


def test_how_long_is_a_setting(clock: ManualClock) -> None:
    settings = StoreSettings(daily_ttl_hours=0.5)
    with closing(SqliteStore.open(":memory:", settings=settings, clock=clock)) as store:
        memory = store.memories.remember({"content": "milk", "tier": "daily"})
        assert memory.expires_at == NOON + timedelta(minutes=30)


def test_it_is_there_to_the_last_microsecond_and_then_in_no_read(
    store: SqliteStore, milk: Memory, clock: ManualClock
) -> None:
    tea = store.memories.remember({"content": "tea"})
    store.links.put(tea.id, milk.id)
    store.vectors.put("e", [milk.id], np.ones((1, 2), dtype=np.float32))
    entity = store.entities.mention(milk.id, "fridge")
    clock.advance(days=1, microseconds=-1)
    assert store.memories.get(milk.id).content == "milk"

    clock.advance(microseconds=1)
    with pytest.raises(NotFoundError):
        store.memories.get(milk.id)
    with pytest.raises(NotFoundError):
        store.memories.get(milk.id, forgotten=True)
    with pytest.raises(NotFoundError):
        store.memories.get(milk.id, as_of=NOON)
    with pytest.raises(NotFoundError):
        store.memories.history(milk.id)
    assert store.memories.get_many([milk.id]) == [None]
    assert [tea.id] == [memory.id for memory in store.memories.select(EVERYTHING)]
    assert store.memories.count(EVERYTHING) == 1
    assert store.memories.count(EVERYTHING.also(as_of=NOON)) == 1
    assert store.memories.count(Selection.of({"tags": {"contains": "fridge"}})) == 0
    assert store.memories.aggregate(EVERYTHING, "tag") == []
    assert store.memories.match_text(["milk"], EVERYTHING, 10) == []
    assert store.links.of(tea.id) == []
    assert store.vectors.get("e", [milk.id]) == [None]
    assert store.entities.memories(entity.id) == []
    counts = store.tables.counts(EVERYTHING)
    seen = {name: counts[name] for name in ("memories", "versions", "links", "vectors", "mentions")}
    assert seen == {"memories": 1, "versions": 1, "links": 0, "vectors": 0, "mentions": 0}


def test_an_expired_memory_cannot_be_written(
    store: SqliteStore, milk: Memory, clock: ManualClock
) -> None:
    clock.advance(days=1)
    with pytest.raises(NotFoundError):
        store.memories.update(milk.id, {"tier": "permanent"})
    with pytest.raises(NotFoundError):
        store.memories.forget(milk.id)
    with pytest.raises(NotFoundError):
        store.memories.restore(milk.id, version=1)


def test_promotion_saves_it(store: SqliteStore, milk: Memory, clock: ManualClock) -> None:
    promoted = store.memories.update(milk.id, {"tier": "permanent"})
    assert (promoted.tier, promoted.expires_at) == ("permanent", None)
    clock.advance(days=400)
    assert store.memories.clean_up() == NOTHING_DONE
    assert store.memories.get(milk.id).content == "milk"


def test_demotion_counts_from_then(store: SqliteStore, clock: ManualClock) -> None:
    tea = store.memories.remember({"content": "tea"})
    clock.advance(days=5)
    assert store.memories.update(tea.id, {"tier": "daily"}).expires_at == NOON + 6 * DAY


def test_an_expiry_may_be_put_off_and_not_into_the_past(store: SqliteStore, milk: Memory) -> None:
    later = NOON + 7 * DAY
    assert store.memories.update(milk.id, {"expires_at": later}).expires_at == later
    with pytest.raises(InvalidInputError, match="is not after the present"):
        store.memories.update(milk.id, {"expires_at": NOON})
    assert store.memories.get(milk.id).expires_at == later


def test_nothing_is_remembered_that_has_expired(store: SqliteStore) -> None:
    with pytest.raises(InvalidInputError, match="is not after the present"):
        store.memories.remember({"content": "sour milk", "expires_at": NOON})
    assert store.changes.last() == 0


def test_cleaning_up_purges_what_has_expired(
    store: SqliteStore, milk: Memory, clock: ManualClock
) -> None:
    store.memories.remember({"content": "tea"})
    forgotten = store.memories.remember({"content": "cream", "tier": "daily"})
    store.memories.forget(forgotten.id)
    clock.advance(days=1)

    assert store.memories.clean_up() == CleanupReport(expired=2, aged_out=0, over_limit=0)
    assert store.memories.clean_up() == NOTHING_DONE
    purged = store.changes.since(store.changes.last() - 2)
    assert {milk.id, forgotten.id} == {entry.id for entry in purged}
    assert {("purge", "clean-up", "expired")} == {(e.action, e.author, e.reason) for e in purged}


def test_cleaning_up_before_anything_expires_does_nothing(store: SqliteStore, milk: Memory) -> None:
    assert store.memories.clean_up() == NOTHING_DONE
    assert milk == store.memories.get(milk.id)


def test_the_bytes_of_what_expired_are_gone(file_store: SqliteStore, clock: ManualClock) -> None:
    from pathlib import Path

    file_store.memories.remember({"content": "zyxwvutqponm", "tier": "daily"})
    clock.advance(days=1)
    file_store.memories.clean_up()
    path = Path(file_store._context.database.path)  # behind the door: where its bytes are
    for each in path.parent.iterdir():
        assert b"zyxwvutqponm" not in each.read_bytes()


def test_only_the_owner_cleans_up(store: SqliteStore) -> None:
    with pytest.raises(AccessDeniedError, match="may not clean up the store"):
        store.as_agent("coder", "global").memories.clean_up()


def test_archived_memories_are_read_where_asked_for(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "tea", "lifecycle": "archived", "tags": ["a"]})
    assert memory == store.memories.get(memory.id)
    assert store.memories.count(Selection()) == 0
    assert store.memories.match_text(["tea"], Selection(), 10) == []
    archived = Selection(archived=True)
    assert store.memories.count(archived) == 1
    assert len(store.memories.match_text(["tea"], archived, 10)) == 1


def test_archiving_and_coming_back_loses_nothing(store: SqliteStore) -> None:
    # A system before us wrote "archived" over the type, and gave it back as "note".
    memory = store.memories.remember({"content": "tea", "type": "preference", "tags": ["a"]})
    store.memories.update(memory.id, {"lifecycle": "archived"})
    back = store.memories.update(memory.id, {"lifecycle": "active"})
    assert (back.type, back.tags, back.lifecycle) == ("preference", ("a",), "active")
