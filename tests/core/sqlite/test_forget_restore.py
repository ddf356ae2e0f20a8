from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engram_lab.core.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    VersionConflictError,
)
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.types import RecalledMemory, RecallEvent

if TYPE_CHECKING:
    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore
    from engram_lab.core.types import Memory

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TASTE = Selection.of({"tags": {"contains": "taste"}})
EVENT_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def tea(store: SqliteStore) -> Memory:
    return store.memories.remember({"content": "tea", "tags": ["taste"], "metadata": {"cups": 1}})


def test_a_forgotten_memory_is_in_no_read(store: SqliteStore, tea: Memory) -> None:
    store.memories.forget(tea.id)

    with pytest.raises(NotFoundError):
        store.memories.get(tea.id)
    assert store.memories.get_many([tea.id]) == [None]
    assert store.memories.count(Selection()) == 0
    assert store.memories.count(TASTE) == 0
    assert len(store.memories.select(Selection())) == 0
    assert store.memories.aggregate(Selection(), "type") == []
    assert store.memories.match_text(["tea"], Selection(), 10) == []
    assert store.tables.scan("memories").read_all().num_rows == 0
    assert store.vectors.missing("e") == []


def test_a_forgotten_memory_is_lost_to_nobody_who_asks(
    store: SqliteStore, tea: Memory, clock: ManualClock
) -> None:
    clock.advance(hours=1)
    store.memories.forget(tea.id)
    gone = store.memories.get(tea.id, forgotten=True)

    assert tea.content == gone.content
    assert NOON + timedelta(hours=1) == gone.forgotten_at
    assert gone.version == 2
    assert store.memories.count(TASTE.also(forgotten=True)) == 1
    assert [version.action for version in store.memories.history(tea.id)] == ["remember", "forget"]
    assert tea == store.memories.get(tea.id, as_of=NOON)


def test_restoring_brings_everything_back(
    store: SqliteStore, tea: Memory, clock: ManualClock
) -> None:
    store.memories.forget(tea.id)
    clock.advance(hours=1)
    back = store.memories.restore(tea.id)

    assert back == store.memories.get(tea.id)
    assert (3, None, NOON + timedelta(hours=1)) == (
        back.version,
        back.forgotten_at,
        back.updated_at,
    )
    assert (tea.content, tea.tags, tea.metadata) == (back.content, back.tags, back.metadata)
    assert store.memories.count(TASTE) == 1
    assert len(store.memories.match_text(["tea"], Selection(), 10)) == 1


def test_restoring_goes_back_to_any_version(store: SqliteStore, tea: Memory) -> None:
    store.memories.update(tea.id, {"content": "coffee", "tags": ["morning"], "importance": 1})
    store.memories.forget(tea.id)
    back = store.memories.restore(tea.id, version=1, author="ada", reason="tea after all")

    assert (tea.content, tea.tags, tea.importance) == (back.content, back.tags, back.importance)
    assert back.version == 4
    assert store.memories.count(TASTE) == 1
    assert store.memories.match_text(["coffee"], Selection(), 10) == []
    history = store.memories.history(tea.id)
    assert [v.action for v in history] == ["remember", "update", "forget", "restore"]
    assert (history[-1].author, history[-1].reason) == ("ada", "tea after all")
    assert [v.memory.content for v in history] == ["tea", "coffee", "coffee", "tea"]


def test_restoring_the_forgotten_state_itself_makes_it_present(
    store: SqliteStore, tea: Memory
) -> None:
    store.memories.forget(tea.id)
    back = store.memories.restore(tea.id, version=2)
    assert (back.version, back.forgotten_at) == (3, None)


def test_a_memory_that_is_not_forgotten_needs_a_version(store: SqliteStore, tea: Memory) -> None:
    with pytest.raises(ConflictError, match="is not forgotten: name the version"):
        store.memories.restore(tea.id)
    store.memories.update(tea.id, {"content": "coffee"})
    assert store.memories.restore(tea.id, version=1).content == "tea"


@pytest.mark.parametrize("version", [0, 2, 99, -1])
def test_an_unknown_version_is_not_found(store: SqliteStore, tea: Memory, version: int) -> None:
    with pytest.raises(NotFoundError, match="there is no version"):
        store.memories.restore(tea.id, version=version)
    assert store.memories.get(tea.id).version == 1


def test_what_is_counted_goes_on(store: SqliteStore, tea: Memory, clock: ManualClock) -> None:
    store.memories.update(tea.id, {"content": "coffee"})
    clock.advance(hours=1)
    hit = RecalledMemory(memory_id=tea.id, rank=1, score=1.0)
    store.events.record([RecallEvent(id=EVENT_ID, at=clock.now(), query="tea", hits=(hit,))])
    back = store.memories.restore(tea.id, version=1)
    assert (back.access_count, back.last_accessed_at) == (1, clock.now())


def test_a_state_that_has_expired_cannot_come_back(store: SqliteStore, clock: ManualClock) -> None:
    daily = store.memories.remember({"content": "milk", "tier": "daily"})
    store.memories.update(daily.id, {"tier": "permanent"})
    clock.advance(days=2)
    with pytest.raises(InvalidInputError, match=r"version 1 of memory .* expired at"):
        store.memories.restore(daily.id, version=1)
    assert store.memories.get(daily.id).tier == "permanent"


@pytest.mark.parametrize("version", [0, 2])
def test_forgetting_another_version_is_refused(
    store: SqliteStore, tea: Memory, version: int
) -> None:
    with pytest.raises(VersionConflictError):
        store.memories.forget(tea.id, version=version)
    assert tea == store.memories.get(tea.id)
    store.memories.forget(tea.id, version=1)


def test_forgetting_twice_is_not_found(store: SqliteStore, tea: Memory) -> None:
    store.memories.forget(tea.id)
    last = store.changes.last()
    with pytest.raises(NotFoundError):
        store.memories.forget(tea.id)
    assert last == store.changes.last()


def test_vectors_wait_for_their_memory_to_come_back(store: SqliteStore, tea: Memory) -> None:
    store.vectors.put("e", [tea.id], np.ones((1, 2), dtype=np.float32))
    store.memories.forget(tea.id)
    assert store.vectors.get("e", [tea.id]) == [None]
    store.memories.restore(tea.id)
    assert store.vectors.get("e", [tea.id]) != [None]


def test_links_hide_and_come_back(store: SqliteStore, tea: Memory) -> None:
    cup = store.memories.remember({"content": "cup"})
    link = store.links.put(tea.id, cup.id)
    store.memories.forget(cup.id)
    assert store.links.of(tea.id) == []
    store.memories.restore(cup.id)
    assert [link] == store.links.of(tea.id)


def test_an_agent_restores_only_to_where_it_may_write(store: SqliteStore) -> None:
    coder = store.as_agent("coder", "global/org:a")
    memory = store.memories.remember({"content": "x", "scope": "global/org:b"})
    store.memories.update(memory.id, {"scope": "global/org:a"})
    with pytest.raises((AccessDeniedError, NotFoundError)):
        coder.memories.restore(memory.id, version=1)
    assert store.memories.get(memory.id).version == 2


def test_a_forgotten_memory_may_be_remembered_again(store: SqliteStore, tea: Memory) -> None:
    store.memories.forget(tea.id)
    again = store.memories.remember({"content": "tea"}, dedup="reject")
    assert again.id != tea.id
    assert store.memories.count(EVERYTHING) == 2
