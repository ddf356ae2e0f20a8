from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from engram_lab.core.clock import ManualClock, from_us, to_us
from engram_lab.core.errors import AccessDeniedError, InvalidInputError, NotFoundError
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.sqlite import SqliteStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


def contents(store: SqliteStore, **options: Any) -> set[str]:
    return {memory.content for memory in store.memories.select(Selection.of(**options))}


def test_the_history_tells_every_version_in_order(store: SqliteStore, clock: ManualClock) -> None:
    memory = store.memories.remember({"content": "tea"}, author="ada")
    clock.advance(hours=1)
    store.memories.update(memory.id, {"content": "coffee"}, author="bob", reason="he likes it")
    clock.advance(hours=1)
    store.memories.forget(memory.id)
    first, second, third = store.memories.history(memory.id)

    assert [first.number, second.number, third.number] == [1, 2, 3]
    assert [v.memory.content for v in (first, second, third)] == ["tea", "coffee", "coffee"]
    assert (second.action, second.author, second.reason) == ("update", "bob", "he likes it")
    assert [v.recorded_at for v in (first, second, third)] == [NOON, NOON + HOUR, NOON + 2 * HOUR]
    assert (first.superseded_at, second.superseded_at) == (NOON + HOUR, NOON + 2 * HOUR)
    assert third.superseded_at is None
    assert first.memory.created_at == third.memory.created_at


def test_the_history_shows_private_sections_to_the_owner_alone(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "a<private>b</private>"})
    store.memories.update(memory.id, {"content": "c<private>d</private>"})
    assert [v.memory.content for v in store.memories.history(memory.id)] == ["a", "c"]
    private = store.memories.history(memory.id, private=True)
    assert "b" in private[0].memory.content
    with pytest.raises(AccessDeniedError):
        store.as_agent("coder", "global").memories.history(memory.id, private=True)


def test_there_is_no_history_of_what_is_not_there(store: SqliteStore) -> None:
    with pytest.raises(NotFoundError):
        store.memories.history(UNKNOWN)


def test_versions_out_of_reach_are_left_out_of_a_history(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "ours", "scope": "global/org:b"})
    store.memories.update(memory.id, {"content": "shared", "scope": "global"})
    coder = store.as_agent("coder", "global/org:a")
    assert [v.memory.content for v in coder.memories.history(memory.id)] == ["shared"]

    store.memories.update(memory.id, {"content": "ours again", "scope": "global/org:b"})
    with pytest.raises(NotFoundError):
        coder.memories.history(memory.id)


def test_the_past_is_read_as_it_was(store: SqliteStore, clock: ManualClock) -> None:
    memory = store.memories.remember({"content": "tea"})
    clock.advance(hours=1)
    store.memories.update(memory.id, {"content": "coffee"})
    clock.advance(hours=1)
    store.memories.forget(memory.id)
    clock.advance(hours=1)
    store.memories.restore(memory.id, version=1)

    just_before = NOON - timedelta(microseconds=1)
    with pytest.raises(NotFoundError):
        store.memories.get(memory.id, as_of=just_before)
    assert store.memories.get(memory.id, as_of=NOON).content == "tea"
    assert store.memories.get(memory.id, as_of=NOON + HOUR - timedelta(microseconds=1)).version == 1
    assert store.memories.get(memory.id, as_of=NOON + HOUR).content == "coffee"
    with pytest.raises(NotFoundError):
        store.memories.get(memory.id, as_of=NOON + 2 * HOUR)
    forgotten = store.memories.get(memory.id, as_of=NOON + 2 * HOUR, forgotten=True)
    assert (forgotten.version, forgotten.content) == (3, "coffee")
    assert store.memories.get(memory.id, as_of=NOON + 3 * HOUR).content == "tea"
    assert store.memories.get(memory.id, as_of=NOON + 99 * HOUR).version == 4


def test_of_several_versions_at_one_moment_the_last_counts(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "a"})
    for content in ("b", "c"):
        store.memories.update(memory.id, {"content": content})
    assert store.memories.get(memory.id, as_of=NOON).content == "c"
    assert store.memories.count(Selection.of(as_of=NOON)) == 1


def test_a_selection_of_the_past(store: SqliteStore, clock: ManualClock) -> None:
    one = store.memories.remember({"content": "one", "tags": ["x"], "metadata": {"n": 1}})
    clock.advance(hours=1)
    store.memories.remember({"content": "two", "tags": ["x"], "workspace": "other"})
    clock.advance(hours=1)
    store.memories.update(one.id, {"content": "uno", "tags": ["y"], "metadata": {"n": 2}})

    assert contents(store, as_of=NOON) == {"one"}
    assert contents(store, as_of=NOON + HOUR) == {"one", "two"}
    assert contents(store, as_of=NOON + 2 * HOUR) == {"uno", "two"}
    assert contents(store, as_of=NOON + HOUR, filter={"tags": {"contains": "x"}}) == {"one", "two"}
    assert contents(store, as_of=NOON + HOUR, filter={"metadata.n": 1}) == {"one"}
    assert contents(store, as_of=NOON + HOUR, workspace="other") == {"two"}
    assert store.memories.count(Selection.of(as_of=NOON + HOUR)) == 2
    assert contents(store, as_of="2026-01-01T12:00:00Z") == {"one"}


def test_the_private_parts_of_the_past_are_the_owners(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "a<private>b</private>"})
    store.memories.update(memory.id, {"content": "c"})
    past = from_us(to_us(NOON))
    store.memories.update(memory.id, {"content": "d<private>e</private>"})
    assert contents(store, as_of=past) == {"d"}
    assert contents(store, as_of=past, private=True) == {"d<private>e</private>"}


def test_the_past_was_judged_at_its_own_time(store: SqliteStore, clock: ManualClock) -> None:
    store.memories.remember({"content": "milk", "expires_at": NOON + HOUR})
    clock.advance(minutes=30)
    store.memories.remember({"content": "tea", "expires_at": NOON + 5 * HOUR})
    assert contents(store, as_of=NOON + HOUR) == {"tea"}
    clock.advance(hours=2)
    # What has expired meanwhile is in no read, be it of the past.
    assert contents(store, as_of=NOON + timedelta(minutes=45)) == {"tea"}


def test_the_past_of_an_agent_is_what_it_may_see_now(
    store: SqliteStore, clock: ManualClock
) -> None:
    memory = store.memories.remember({"content": "shared", "scope": "global"})
    clock.advance(hours=1)
    store.memories.update(memory.id, {"scope": "global/org:b"})
    coder = store.as_agent("coder", "global/org:a")
    with pytest.raises(NotFoundError):
        coder.memories.get(memory.id, as_of=NOON)
    assert contents(coder, as_of=NOON) == set()
    assert coder.memories.count(Selection.of(as_of=NOON)) == 0
    assert coder.tables.scan("memories", Selection.of(as_of=NOON)).read_all().num_rows == 0

    other = store.memories.remember({"content": "theirs", "scope": "global/org:b"})
    clock.advance(hours=1)
    store.memories.update(other.id, {"scope": "global"})
    assert contents(coder, as_of=NOON + HOUR) == set()
    assert contents(coder, as_of=NOON + 2 * HOUR) == {"theirs"}


def test_what_was_purged_is_in_no_past(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "tea"})
    store.memories.update(memory.id, {"content": "coffee"})
    store.memories.purge([memory.id])
    assert store.memories.count(EVERYTHING.also(as_of=NOON)) == 0
    with pytest.raises(NotFoundError):
        store.memories.history(memory.id)


def test_the_words_and_groups_of_the_past_are_not_kept(store: SqliteStore) -> None:
    past = Selection.of(as_of=NOON)
    with pytest.raises(InvalidInputError, match="leave out as_of"):
        store.memories.match_text(["tea"], past, 10)
    with pytest.raises(InvalidInputError, match="leave out as_of"):
        store.memories.aggregate(past, "type")


def test_validity_is_another_time_than_record(store: SqliteStore) -> None:
    store.memories.remember({"content": "always"})
    store.memories.remember({"content": "morning", "valid_to": NOON})
    store.memories.remember({"content": "afternoon", "valid_from": NOON})
    store.memories.remember({"content": "never", "valid_from": NOON, "valid_to": NOON})
    assert contents(store, valid_at=NOON - HOUR) == {"always", "morning"}
    assert contents(store, valid_at=NOON) == {"always", "afternoon"}
    assert contents(store, valid_at=NOON, as_of=NOON) == {"always", "afternoon"}
    assert contents(store, valid_at=NOON, as_of=NOON - HOUR) == set()


def test_under_a_running_clock_every_moment_has_one_state() -> None:
    clock = ManualClock(NOON, tick=timedelta(microseconds=1))
    with closing(SqliteStore.open(":memory:", clock=clock)) as store:
        memory = store.memories.remember({"content": "0"})
        for number in range(1, 5):
            store.memories.update(memory.id, {"content": str(number)})
        store.memories.forget(memory.id)
        history = store.memories.history(memory.id)
        for version, following in pairwise(history):
            assert version.superseded_at == following.memory.updated_at == following.recorded_at
        moment, end = memory.created_at, clock.now()
        while moment < end:
            state = store.memories.get(memory.id, as_of=moment, forgotten=True)
            assert state.updated_at <= moment
            moment += timedelta(microseconds=1)
