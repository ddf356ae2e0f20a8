from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import AccessDeniedError, ConflictError, InvalidInputError
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engram_lab.core.types import Memory

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OWN_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def names(store: SqliteStore) -> list[str]:
    return [workspace.name for workspace in store.workspaces.all()]


def test_what_is_remembered_can_be_got(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "tea", "tags": ["taste"], "metadata": {"a": [1]}})

    assert memory == store.memories.get(memory.id)
    assert memory.content == "tea"
    assert memory.tags == ("taste",)
    assert memory.metadata == {"a": [1]}
    assert memory.version == 1
    assert (memory.created_at, memory.updated_at) == (NOON, NOON)
    assert UUID(memory.id).version == 7


def test_every_field_comes_back_as_it_was_given(store: SqliteStore) -> None:
    draft: dict[str, Any] = {
        "id": OWN_ID,
        "content": "naïve 雪 \U0001f375\ttea\r\n",
        "type": "recipe",
        "tags": ("b", "a", "'; DROP TABLE memories; --"),
        "metadata": {
            "deep": {"list": [1, 2.5, True, None, "x", {"y": []}]},
            "": 0,
            "big": 2**63 - 1,
        },
        "importance": 0.1 + 0.2,
        "workspace": "kitchen",
        "scope": "global/org:a",
        "tier": "daily",
        "event_at": datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        "valid_from": datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        "valid_to": datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        "expires_at": NOON + timedelta(microseconds=1),
        "lifecycle": "stale",
        "pinned": True,
        "media_url": "https://example.org/a?b=%20",
        "session_id": "session 1",
        "agent_id": "coder",
        "source": "chat",
        "snapshot_origin": "old.egm",
        "snapshot_loaded_at": NOON,
    }
    memory = store.memories.remember(draft)

    assert draft == {name: getattr(memory, name) for name in draft}
    assert memory == store.memories.get(OWN_ID)
    assert type(memory.metadata["deep"]["list"][2]) is bool
    assert type(memory.metadata["deep"]["list"][1]) is float


def test_a_private_section_is_kept_and_not_shown(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "the pin <private>is 7</private> is safe"})
    assert memory.content == "the pin  is safe"
    assert "is 7" in store.memories.get(memory.id, private=True).content


def test_the_hash_is_that_of_the_content_beside_it(store: SqliteStore) -> None:
    # A hash of what is hidden would let anybody try all four-digit pins.
    hidden = store.memories.remember({"content": "pin <private>1234</private>"})
    shown = store.memories.remember({"content": "pin"})
    assert shown.content_hash == hidden.content_hash
    private = store.memories.get(hidden.id, private=True)
    assert private.content_hash != hidden.content_hash
    guess = {"content_hash": private.content_hash}
    assert store.memories.count(Selection.of(guess)) == 0


def test_a_new_workspace_is_made(store: SqliteStore) -> None:
    store.memories.remember({"content": "x", "workspace": "kitchen"})
    assert names(store) == ["default", "kitchen"]


def test_a_refused_memory_makes_no_workspace(store: SqliteStore) -> None:
    with pytest.raises(InvalidInputError):
        store.memories.remember({"content": "", "workspace": "kitchen"})
    drafts: list[dict[str, Any]] = [{"content": "", "workspace": "cellar"}, {"content": "x"}]
    assert len(store.memories.remember_many(drafts, keep_going=True).refused) == 1
    assert names(store) == ["default"]


def test_a_memory_inherits_the_scope_of_its_workspace(store: SqliteStore) -> None:
    store.workspaces.put("acme", scope="global/org:acme")
    assert store.memories.remember({"content": "x", "workspace": "acme"}).scope == "global/org:acme"
    own = {"content": "x", "workspace": "acme", "scope": "global/org:b"}
    assert store.memories.remember(own).scope == "global/org:b"


def test_an_agents_memory_lies_in_its_own_scope(store: SqliteStore) -> None:
    coder = store.as_agent("coder", "global/org:a/agent:coder")
    assert coder.memories.remember({"content": "x"}).scope == "global/org:a/agent:coder"


def test_an_agent_writes_below_itself_only_with_a_grant(store: SqliteStore) -> None:
    lead, below = store.as_agent("lead", "global/org:a"), "global/org:a/agent:helper"
    with pytest.raises(AccessDeniedError, match="no write access to 'global/org:a/agent:helper'"):
        lead.memories.remember({"content": "x", "scope": below})
    store.grants.allow("lead", below, "write")
    memory = lead.memories.remember({"content": "x", "scope": below})
    assert memory == lead.memories.get(memory.id)
    assert memory.scope == below


def test_an_id_is_taken_once(store: SqliteStore) -> None:
    store.memories.remember({"content": "x", "id": OWN_ID})
    with pytest.raises(ConflictError, match=f"there already is a memory {OWN_ID}"):
        store.memories.remember({"content": "y", "id": OWN_ID})
    store.memories.forget(OWN_ID)
    with pytest.raises(ConflictError):
        store.memories.remember({"content": "y", "id": OWN_ID})
    twice = [{"content": str(n), "id": "01890a5d-ac96-774b-bcce-b302099a8058"} for n in range(2)]
    with pytest.raises(ConflictError):
        store.memories.remember_many(twice)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the door: rows are written a hundred at a time, so that few rows make many writes."""
    monkeypatch.setattr("engram_lab.core.sqlite.remembering._ROWS_AT_ONCE", 100)


def test_many_are_remembered_in_their_order(store: SqliteStore, small_batches: None) -> None:
    contents = [f"memory {number}" for number in range(450)]
    report = store.memories.remember_many({"content": each, "tags": ["t"]} for each in contents)

    assert list(report.ids) == sorted(report.ids)
    found = store.memories.get_many(report.ids)
    assert contents == [memory.content for memory in found if memory is not None]
    assert report == report.__class__(ids=report.ids)
    assert store.memories.count(Selection.of({"tags": {"contains": "t"}})) == 450


def test_no_drafts_are_fine(store: SqliteStore) -> None:
    assert store.memories.remember_many([]).ids == ()
    assert store.changes.last() == 0


def test_one_bad_row_refuses_all_and_says_which(store: SqliteStore) -> None:
    drafts: Any = [{"content": "a"}, {"content": "b"}, {"content": "c", "importance": 2}]
    with pytest.raises(InvalidInputError, match="row 2: importance is '2'") as raised:
        store.memories.remember_many(drafts)
    assert raised.value.row == 2
    assert store.memories.count(EVERYTHING) == 0
    assert store.changes.last() == 0


def test_a_source_that_fails_midway_stores_nothing(store: SqliteStore, small_batches: None) -> None:
    def drafts() -> Iterator[dict[str, Any]]:
        for number in range(350):
            yield {"content": f"memory {number}", "workspace": "kitchen"}
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store.memories.remember_many(drafts())
    assert store.memories.count(EVERYTHING) == 0
    assert names(store) == ["default"]


def test_a_source_may_write_to_the_store_it_feeds(store: SqliteStore, small_batches: None) -> None:
    def drafts() -> Iterator[dict[str, Any]]:
        for number in range(150):
            if number % 70 == 69:
                store.memories.remember({"content": f"aside {number}", "metadata": {"n": number}})
            yield {"content": f"memory {number}", "tags": ["t"], "metadata": {"n": number}}

    report = store.memories.remember_many(drafts())
    found = [memory.content for memory in store.memories.get_many(report.ids) if memory]
    assert found == [f"memory {number}" for number in range(150)]
    assert store.memories.count(Selection.of({"metadata.n": 69})) == 2
    assert store.memories.count(Selection.of({"tags": {"contains": "t"}})) == 150
    assert store.changes.last() == 152


def test_with_keep_going_the_good_rows_are_stored_and_the_bad_reported(store: SqliteStore) -> None:
    drafts: Any = [
        {"content": "a"},
        {"content": ""},
        "no object",
        {"content": "b", "scope": "nowhere"},
        {"content": "c", "id": OWN_ID},
        {"content": "d", "id": OWN_ID},
        {"content": "e"},
    ]
    report = store.memories.remember_many(drafts, keep_going=True)

    found = [memory.content for memory in store.memories.get_many(report.ids) if memory]
    assert found == ["a", "c", "e"]
    assert [refused.row for refused in report.refused] == [1, 2, 3, 5]
    reasons = [refused.reason for refused in report.refused]
    assert reasons[0] == "content is empty: a memory needs a text"
    assert reasons[1] == "a memory is an object with at least 'content', not a str"
    assert "scope is 'nowhere'" in reasons[2]
    assert "there already is a memory" in reasons[3]


def test_with_keep_going_what_an_agent_may_not_write_is_reported(store: SqliteStore) -> None:
    coder = store.as_agent("coder", "global/org:a")
    drafts = [{"content": "a"}, {"content": "b", "scope": "global/org:b"}]
    with pytest.raises(AccessDeniedError):
        coder.memories.remember_many(drafts)
    report = coder.memories.remember_many(drafts, keep_going=True)
    assert [refused.row for refused in report.refused] == [1]
    assert len(report.ids) == 1


def test_author_and_reason_are_in_the_history(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "x"}, author="ada", reason="she said so")
    (version,) = store.memories.history(memory.id)
    assert (version.action, version.author, version.reason) == ("remember", "ada", "she said so")
    other = store.memories.remember({"content": "y"})
    (version,) = store.memories.history(other.id)
    assert (version.author, version.reason) == ("owner", None)


@pytest.mark.parametrize("words", [{"author": ""}, {"author": "a\x00"}, {"reason": " "}])
def test_author_and_reason_are_labels(store: SqliteStore, words: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        store.memories.remember({"content": "x"}, **words)
    assert store.memories.count(EVERYTHING) == 0


def run_of(path: str, seed: int) -> list[Memory]:
    settings = StoreSettings(seed=seed)
    with closing(SqliteStore.open(path, settings=settings, clock=ManualClock(NOON))) as store:
        store.sessions.start()
        store.identities.add("Ada")
        return [store.memories.remember({"content": f"memory {number}"}) for number in range(3)]


def test_the_same_seed_and_clock_give_the_same_memories() -> None:
    assert run_of(":memory:", 7) == run_of(":memory:", 7)
    assert run_of(":memory:", 7) != run_of(":memory:", 8)


def test_a_reopened_store_repeats_no_id(path: Path) -> None:
    settings = StoreSettings(seed=7)
    ids = set()
    for name in ("Ada", "Bob", "Cy"):
        with closing(SqliteStore.open(str(path), settings=settings, clock=ManualClock())) as store:
            ids.add(store.identities.add(name).id)
            ids.add(store.sessions.start().id)
    assert len(ids) == 6
