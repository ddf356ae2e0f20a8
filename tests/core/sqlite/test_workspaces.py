from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
)
from engram_lab.core.reports import CleanupReport
from engram_lab.core.selection import Selection
from engram_lab.core.types import Workspace

if TYPE_CHECKING:
    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DONE = CleanupReport(expired=0, aged_out=0, over_limit=0)


def remembered(store: SqliteStore, *contents: str, **fields: Any) -> list[str]:
    drafts = [{"content": content, **fields} for content in contents]
    return list(store.memories.remember_many(drafts).ids)


def contents(store: SqliteStore, workspace: str | None = None) -> list[str]:
    selection = Selection(workspace=workspace)
    return [memory.content for memory in store.memories.select(selection)]


def test_the_default_workspace_is_always_there(store: SqliteStore) -> None:
    assert [Workspace(name="default", created_at=NOON)] == store.workspaces.all()


def test_a_workspace_keeps_its_settings(store: SqliteStore, clock: ManualClock) -> None:
    made = store.workspaces.put(
        "kitchen",
        scope="global/org:a",
        description="what is cooked",
        max_age_days=0.5,
        max_memories=3,
    )
    assert made == store.workspaces.get("kitchen")
    assert made == Workspace(
        name="kitchen",
        scope="global/org:a",
        description="what is cooked",
        max_age_days=0.5,
        max_memories=3,
        created_at=NOON,
    )
    clock.advance(days=1)
    assert Workspace(name="kitchen", created_at=NOON) == store.workspaces.put("kitchen")
    assert [each.name for each in store.workspaces.all()] == ["default", "kitchen"]


def test_an_unknown_workspace_is_not_found(store: SqliteStore) -> None:
    with pytest.raises(NotFoundError, match="there is no workspace 'kitchen'"):
        store.workspaces.get("kitchen")


@pytest.mark.parametrize(
    "options",
    [
        {"name": "_system"},
        {"name": "Kitchen"},
        {"scope": "org:a"},
        {"description": ""},
        {"description": "x" * 4097},
        {"max_age_days": 0},
        {"max_age_days": -1},
        {"max_age_days": 36_501},
        {"max_age_days": math.nan},
        {"max_age_days": math.inf},
        {"max_age_days": "7"},
        {"max_age_days": True},
        {"max_memories": 0},
        {"max_memories": -1},
        {"max_memories": 1.5},
        {"max_memories": True},
        {"max_memories": "7"},
        pytest.param({"max_memories": 10**5000}, id="huge"),
    ],
)
def test_what_is_not_allowed_is_refused(store: SqliteStore, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        store.workspaces.put(**{"name": "kitchen", **options})
    assert [each.name for each in store.workspaces.all()] == ["default"]


def test_a_selection_keeps_to_a_workspace(store: SqliteStore) -> None:
    remembered(store, "a")
    remembered(store, "b", workspace="kitchen")
    assert contents(store) == ["a", "b"]
    assert contents(store, "kitchen") == ["b"]
    assert contents(store, "cellar") == []


def test_memories_keep_their_scope_when_their_workspace_gets_another(store: SqliteStore) -> None:
    (id_,) = remembered(store, "a", workspace="kitchen")
    store.workspaces.put("kitchen", scope="global/org:a")
    assert store.memories.get(id_).scope == "global"
    (new,) = remembered(store, "b", workspace="kitchen")
    assert store.memories.get(new).scope == "global/org:a"


def test_what_is_too_old_is_forgotten(store: SqliteStore, clock: ManualClock) -> None:
    store.workspaces.put("kitchen", max_age_days=2)
    (old,) = remembered(store, "old", workspace="kitchen")
    remembered(store, "pinned", workspace="kitchen", pinned=True)
    remembered(store, "elsewhere")
    clock.advance(days=1)
    remembered(store, "young", workspace="kitchen")
    clock.advance(days=1)
    assert store.memories.clean_up() == DONE  # just two days old is not yet too old

    clock.advance(microseconds=1)
    assert store.memories.clean_up() == CleanupReport(expired=0, aged_out=1, over_limit=0)
    assert store.memories.clean_up() == DONE
    assert contents(store) == ["pinned", "elsewhere", "young"]
    version = store.memories.history(old)[-1]
    assert (version.action, version.author) == ("forget", "clean-up")
    assert version.reason == "older than the workspace keeps"
    assert store.memories.restore(old).content == "old"


def test_what_is_too_much_is_forgotten_the_least_important_first(store: SqliteStore) -> None:
    store.workspaces.put("kitchen", max_memories=2)
    for importance in (0.5, 0.1, 0.9, 0.3):
        remembered(store, str(importance), workspace="kitchen", importance=importance)
    remembered(store, "elsewhere")
    assert store.memories.clean_up() == CleanupReport(expired=0, aged_out=0, over_limit=2)
    assert contents(store) == ["0.5", "0.9", "elsewhere"]


def test_of_the_equally_important_the_longest_unchanged_go_first(
    store: SqliteStore, clock: ManualClock
) -> None:
    store.workspaces.put("kitchen", max_memories=1)
    first, *_ = remembered(store, "first", "second", "third", workspace="kitchen")
    clock.advance(hours=1)
    store.memories.update(first, {"content": "first again"})
    store.memories.clean_up()
    assert contents(store) == ["first again"]


def test_pinned_memories_count_and_stay(store: SqliteStore) -> None:
    store.workspaces.put("kitchen", max_memories=1)
    remembered(store, "a", "b", workspace="kitchen", pinned=True)
    remembered(store, "c", workspace="kitchen", importance=1)
    assert store.memories.clean_up() == CleanupReport(expired=0, aged_out=0, over_limit=1)
    assert contents(store) == ["a", "b"]
    assert store.memories.clean_up() == DONE


def test_a_policy_within_its_bounds_forgets_nothing(store: SqliteStore) -> None:
    store.workspaces.put("kitchen", max_age_days=36_500, max_memories=2)
    remembered(store, "a", "b", workspace="kitchen")
    assert store.memories.clean_up() == DONE


def test_an_agent_makes_a_workspace_where_it_has_admin_access(store: SqliteStore) -> None:
    coder = store.as_agent("coder", "global/org:a")
    assert coder.workspaces.put("own", scope="global/org:a").scope == "global/org:a"
    for beyond in ("global", "global/org:a/team:t", "global/org:ab"):
        with pytest.raises(AccessDeniedError):
            coder.workspaces.put("other", scope=beyond)
    with pytest.raises(AccessDeniedError):
        coder.workspaces.put("default", scope="global/org:a")
    store.workspaces.put("theirs", scope="global/org:b")
    with pytest.raises(AccessDeniedError):
        coder.workspaces.put("theirs", scope="global/org:a")
    assert store.workspaces.get("theirs").scope == "global/org:b"


def test_a_workspace_that_an_agent_brings_about_has_its_scope(store: SqliteStore) -> None:
    store.as_agent("coder", "global/org:a").memories.remember({"content": "x", "workspace": "new"})
    assert store.workspaces.get("new").scope == "global/org:a"


def test_a_workspaces_scope_beyond_an_agent_is_not_its_default(store: SqliteStore) -> None:
    store.workspaces.put("theirs", scope="global/org:b")
    coder = store.as_agent("coder", "global/org:a")
    with pytest.raises(AccessDeniedError, match="no write access to 'global/org:b'"):
        coder.memories.remember({"content": "x", "workspace": "theirs"})
    own = {"content": "x", "workspace": "theirs", "scope": "global/org:a"}
    assert coder.memories.remember(own).workspace == "theirs"


def test_an_empty_workspace_can_be_removed_and_made_again(store: SqliteStore) -> None:
    (id_,) = remembered(store, "a", workspace="kitchen")
    for _ in range(2):  # forgotten, too, it is there: it can be restored
        with pytest.raises(ConflictError, match="holds 1 memories"):
            store.workspaces.remove("kitchen")
        if store.memories.get(id_, forgotten=True).forgotten_at is None:
            store.memories.forget(id_)
    store.memories.purge([id_])
    store.workspaces.remove("kitchen")
    assert [each.name for each in store.workspaces.all()] == ["default"]
    with pytest.raises(NotFoundError, match="there is no workspace 'kitchen'"):
        store.workspaces.remove("kitchen")
    remembered(store, "b", workspace="kitchen")
    assert contents(store, "kitchen") == ["b"]
    assert [each.name for each in store.workspaces.all()] == ["default", "kitchen"]


def test_the_default_workspace_and_one_with_sessions_stay(store: SqliteStore) -> None:
    with pytest.raises(ConflictError, match="always there"):
        store.workspaces.remove("default")
    store.sessions.start(workspace="kitchen")
    with pytest.raises(ConflictError, match="1 sessions"):
        store.workspaces.remove("kitchen")


def test_an_agent_removes_no_workspace_of_a_scope_that_is_not_its_own(store: SqliteStore) -> None:
    store.workspaces.put("kitchen", scope="global/org:a")
    with pytest.raises(AccessDeniedError):
        store.as_agent("cook", "global/org:b").workspaces.remove("kitchen")
    assert [each.name for each in store.workspaces.all()] == ["default", "kitchen"]
