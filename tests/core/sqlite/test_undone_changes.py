"""Numbers of the change log that somebody looked at before their transaction was undone."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.sqlite import undone
from engram_lab.core.sqlite.undone import Undone

if TYPE_CHECKING:
    from engram_lab.core.sqlite import SqliteStore


class _UndoneError(Exception):
    """What a transaction raises to be undone."""


@pytest.fixture(params=["memory", "file"])
def any_store(
    request: pytest.FixtureRequest, store: SqliteStore, file_store: SqliteStore
) -> SqliteStore:
    return store if request.param == "memory" else file_store


def undo_an_update(store: SqliteStore, id_: str, *, look: bool) -> tuple[int, str | None]:
    """Update a memory, look at the log if told so, and undo all of it."""
    seen: tuple[int, str | None] = (0, None)
    with suppress(_UndoneError), store.transaction():
        store.memories.update(id_, {"content": "undone"})
        number = store.corpus.last()
        if look:
            seen = (number, store.corpus.stamp(number))
        raise _UndoneError
    return seen


def test_a_change_in_the_place_of_one_that_was_seen_and_undone_has_another_stamp(
    any_store: SqliteStore,
) -> None:
    memory = any_store.memories.remember({"content": "first"})
    number, stamp = undo_an_update(any_store, memory.id, look=True)
    any_store.memories.update(memory.id, {"content": "second"})  # at the same moment
    assert any_store.corpus.last() == number
    assert any_store.corpus.stamp(number) not in {stamp, None}
    assert any_store.corpus.head() == (number, any_store.corpus.stamp(number))


def test_each_time_it_is_undone_it_is_another(any_store: SqliteStore) -> None:
    memory = any_store.memories.remember({"content": "first"})
    stamps = {undo_an_update(any_store, memory.id, look=True)[1] for _ in range(3)}
    assert len(stamps) == 3


def test_an_inner_step_that_is_undone_is_known_within_the_outer_one(
    any_store: SqliteStore,
) -> None:
    memory = any_store.memories.remember({"content": "first"})
    with any_store.transaction():
        number, stamp = undo_an_update(any_store, memory.id, look=True)
        any_store.memories.update(memory.id, {"content": "second"})
        assert any_store.corpus.head()[0] == number
        assert any_store.corpus.head()[1] != stamp
    assert any_store.corpus.stamp(number) != stamp


def test_what_was_kept_before_has_the_stamp_that_it_had(any_store: SqliteStore) -> None:
    memory = any_store.memories.remember({"content": "first"})
    before = any_store.corpus.head()
    undo_an_update(any_store, memory.id, look=True)
    assert any_store.corpus.head() == before


def test_what_nobody_saw_may_have_the_stamp_of_what_was_undone(any_store: SqliteStore) -> None:
    # An index file of this state, of another process perhaps, is as good as it was.
    memory = any_store.memories.remember({"content": "first"})
    undo_an_update(any_store, memory.id, look=False)
    any_store.memories.update(memory.id, {"content": "second"})
    number, stamp = any_store.corpus.head()
    undo_an_update(any_store, memory.id, look=True)
    assert any_store.corpus.stamp(number) == stamp


def test_many_that_were_undone_are_kept_in_little_room(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undone, "_MOST_RANGES", 4)
    memory = store.memories.remember({"content": "first"})
    seen = []
    for turn in range(12):
        number, stamp = undo_an_update(store, memory.id, look=True)
        store.memories.update(memory.id, {"content": f"turn {turn}"})
        seen.append((number, stamp))
    assert all(store.corpus.stamp(number) != stamp for number, stamp in seen)
    assert len(store._context.database.undone._ranges) <= 5


def test_nothing_was_taken_back_at_first() -> None:
    assert Undone().times(1) == 0
