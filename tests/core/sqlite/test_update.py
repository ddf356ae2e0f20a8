from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import (
    AccessDeniedError,
    InvalidInputError,
    NotFoundError,
    VersionConflictError,
)
from engram_lab.core.selection import Selection
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.core.clock import ManualClock
    from engram_lab.core.types import Memory

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def tea(store: SqliteStore) -> Memory:
    return store.memories.remember(
        {"content": "tea", "tags": ["taste"], "metadata": {"cups": 1}, "source": "chat"}
    )


def test_an_update_is_a_new_version(store: SqliteStore, tea: Memory, clock: ManualClock) -> None:
    clock.advance(hours=1)
    updated = store.memories.update(tea.id, {"content": "coffee", "importance": 1})

    assert updated == store.memories.get(tea.id)
    assert updated.content == "coffee"
    assert updated.importance == 1.0
    assert updated.version == 2
    assert updated.created_at == NOON
    assert updated.updated_at == NOON + timedelta(hours=1)
    assert updated.tags == ("taste",)


def test_none_clears_a_field(store: SqliteStore, tea: Memory) -> None:
    cleared = store.memories.update(tea.id, {"tags": None, "metadata": None, "source": None})
    assert (cleared.tags, cleared.metadata, cleared.source) == ((), {}, None)
    assert store.memories.count(Selection.of({"tags": {"contains": "taste"}})) == 0
    assert store.memories.count(Selection.of({"metadata.cups": 1})) == 0


def test_an_update_with_the_version_it_read_succeeds(store: SqliteStore, tea: Memory) -> None:
    assert store.memories.update(tea.id, {"content": "coffee"}, version=1).version == 2


@pytest.mark.parametrize("version", [0, 1, 3, -1, 10**30])
def test_an_update_of_another_version_is_refused(
    store: SqliteStore, tea: Memory, version: int
) -> None:
    store.memories.update(tea.id, {"content": "coffee"})
    with pytest.raises(
        VersionConflictError, match=r"at version 2, not .*: read it again"
    ) as raised:
        store.memories.update(tea.id, {"content": "milk"}, version=version)
    assert (raised.value.expected, raised.value.actual) == (version, 2)
    assert store.memories.get(tea.id).content == "coffee"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"content": "tea"},
        {"content": "t\x00ea"},
        {"tags": ["taste", "taste"], "metadata": '{"cups":1}', "importance": 0.5},
        {"event_at": None},
    ],
)
def test_where_nothing_differs_nothing_is_written(
    store: SqliteStore, tea: Memory, clock: ManualClock, changes: dict[str, Any]
) -> None:
    last = store.changes.last()
    clock.advance(hours=1)
    assert tea == store.memories.update(tea.id, changes)
    assert last == store.changes.last()
    assert len(store.memories.history(tea.id)) == 1


@pytest.mark.parametrize("value", [True, 1.0])
def test_true_and_one_differ_though_python_says_they_do_not(
    store: SqliteStore, tea: Memory, value: object
) -> None:
    updated = store.memories.update(tea.id, {"metadata": {"cups": value}})
    assert type(value) is type(updated.metadata["cups"])
    assert updated.version == 2


def test_a_key_that_moves_within_metadata_is_kept_where_it_is(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "x", "metadata": {"a": 1, "b": 2}})
    updated = store.memories.update(memory.id, {"metadata": {"b": 2, "a": 1}})
    assert updated.metadata == {"a": 1, "b": 2}


def test_the_indexes_follow(store: SqliteStore, tea: Memory) -> None:
    store.memories.update(
        tea.id, {"content": "strong coffee", "tags": ["morning"], "metadata": {"cups": 2}}
    )
    assert store.memories.count(Selection.of({"tags": {"contains": "taste"}})) == 0
    assert store.memories.count(Selection.of({"tags": {"contains": "morning"}})) == 1
    assert store.memories.count(Selection.of({"metadata.cups": 1})) == 0
    assert store.memories.count(Selection.of({"metadata.cups": 2})) == 1
    assert store.memories.match_text(["tea"], Selection(), 10) == []
    assert [m.memory.id for m in store.memories.match_text(["coffee"], Selection(), 10)] == [tea.id]


def test_new_content_drops_the_vectors_and_other_changes_keep_them(
    store: SqliteStore, tea: Memory
) -> None:
    store.vectors.put("e", [tea.id], np.ones((1, 2), dtype=np.float32))
    store.memories.update(tea.id, {"importance": 1})
    assert store.vectors.get("e", [tea.id]) != [None]
    store.memories.update(tea.id, {"content": "coffee"})
    assert store.vectors.get("e", [tea.id]) == [None]
    assert store.vectors.missing("e") == [tea.id]


def test_an_update_may_make_a_private_section(store: SqliteStore, tea: Memory) -> None:
    updated = store.memories.update(tea.id, {"content": "tea <private>and gin</private>"})
    assert updated.content == "tea "
    assert store.memories.match_text(["gin"], Selection(), 10) == []


def test_an_update_may_move_a_memory_to_a_new_workspace(store: SqliteStore, tea: Memory) -> None:
    assert store.memories.update(tea.id, {"workspace": "kitchen"}).workspace == "kitchen"
    assert store.workspaces.get("kitchen").name == "kitchen"


def test_a_clock_that_runs_back_makes_no_version_older_than_the_last(
    store: SqliteStore, tea: Memory, clock: ManualClock
) -> None:
    clock.advance(hours=-5)
    updated = store.memories.update(tea.id, {"content": "coffee"})
    assert updated.updated_at == NOON
    times = [version.memory.updated_at for version in store.memories.history(tea.id)]
    assert times == sorted(times)


@pytest.mark.parametrize(
    "changes", [{"content": ""}, {"version": 7}, {"importance": 2}, {"tier": "daily", "pinned": 1}]
)
def test_a_bad_update_changes_nothing(
    store: SqliteStore, tea: Memory, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInputError):
        store.memories.update(tea.id, changes)
    assert tea == store.memories.get(tea.id)
    assert len(store.memories.history(tea.id)) == 1


def test_what_is_not_there_cannot_be_updated(store: SqliteStore, tea: Memory) -> None:
    with pytest.raises(NotFoundError, match=f"there is no memory '{UNKNOWN}' that you may see"):
        store.memories.update(UNKNOWN, {"content": "x"})
    store.memories.forget(tea.id)
    with pytest.raises(NotFoundError):
        store.memories.update(tea.id, {"content": "x"})


def test_an_agent_moves_a_memory_only_to_where_it_may_write(store: SqliteStore) -> None:
    coder = store.as_agent("coder", "global/org:a")
    memory = coder.memories.remember({"content": "x"})
    with pytest.raises(AccessDeniedError, match="no write access to 'global/org:b'"):
        coder.memories.update(memory.id, {"scope": "global/org:b"})
    store.grants.allow("coder", "global/org:a/team:t", "write")
    below = coder.memories.update(memory.id, {"scope": "global/org:a/team:t"})
    assert (below.scope, below.version) == ("global/org:a/team:t", 2)


def test_author_and_reason_are_in_the_history(store: SqliteStore, tea: Memory) -> None:
    store.memories.update(tea.id, {"content": "coffee"}, author="ada", reason="changed her mind")
    version = store.memories.history(tea.id)[-1]
    assert (version.action, version.author, version.reason) == ("update", "ada", "changed her mind")


def test_limits_made_smaller_bind_what_is_given_not_what_is_stored(
    path: Path, clock: ManualClock
) -> None:
    with closing(SqliteStore.open(str(path), clock=clock)) as store:
        memory = store.memories.remember(
            {"content": "tea " * 20, "tags": ["a", "b"], "metadata": {"note": "x" * 100}}
        )
    tight = StoreSettings(max_metadata_bytes=20, max_content_chars=20, max_tags=1)
    with closing(SqliteStore.open(str(path), settings=tight, clock=clock)) as store:
        assert store.memories.update(memory.id, {"importance": 1}).metadata == {"note": "x" * 100}
        with pytest.raises(InvalidInputError, match="at most 20 are allowed"):
            store.memories.update(memory.id, {"metadata": {"note": "y" * 100}})
        store.memories.update(memory.id, {"metadata": {}})
        store.memories.restore(memory.id, version=1)
        store.memories.forget(memory.id)
        assert (memory.id,) == store.memories.purge([memory.id]).ids
