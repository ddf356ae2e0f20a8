from __future__ import annotations

from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import EngramError, InvalidInputError
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.types import LogEntry

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Undone(Exception):  # noqa: N818 - no error of anything: a test's own way out
    pass


def test_a_new_store_has_no_changes(store: SqliteStore) -> None:
    assert store.changes.last() == 0
    assert store.changes.since(0) == []


def test_the_log_tells_who_did_what_and_why(store: SqliteStore, clock: ManualClock) -> None:
    memory = store.memories.remember({"content": "tea"}, author="ada", reason="she said so")
    clock.advance(hours=1)
    store.memories.update(memory.id, {"content": "milk"})
    first, second = store.changes.since(0)
    assert first == LogEntry(
        number=1,
        at=NOON,
        action="remember",
        target="memory",
        id=memory.id,
        version=1,
        author="ada",
        reason="she said so",
    )
    assert (
        second.number, second.action, second.version, second.author, second.reason,
    ) == (2, "update", 2, "owner", None)  # fmt: skip


def test_one_reads_on_from_any_number(store: SqliteStore) -> None:
    store.memories.remember_many({"content": str(number)} for number in range(5))
    assert [entry.number for entry in store.changes.since(0, limit=2)] == [1, 2]
    assert [entry.number for entry in store.changes.since(2)] == [3, 4, 5]
    assert store.changes.since(5) == []
    assert store.changes.since(99) == []
    assert store.changes.last() == 5


def test_an_undone_transaction_leaves_no_gap(store: SqliteStore) -> None:
    store.memories.remember({"content": "a"})
    with suppress(Undone), store.transaction():
        store.memories.remember({"content": "b"})
        raise Undone
    store.memories.remember({"content": "c"})
    assert [entry.number for entry in store.changes.since(0)] == [1, 2]
    assert store.changes.last() == 2


def test_an_inner_block_is_undone_alone(store: SqliteStore) -> None:
    with store.transaction():
        outer = store.memories.remember({"content": "a"})
        with suppress(Undone), store.transaction():
            store.memories.remember({"content": "b"})
            raise Undone
        with suppress(InvalidInputError):
            store.memories.remember({"content": ""})
        later = store.memories.remember({"content": "c"})
    assert [outer.id, later.id] == [entry.id for entry in store.changes.since(0)]


def test_reads_within_a_transaction_see_what_it_wrote(store: SqliteStore) -> None:
    with store.transaction():
        memory = store.memories.remember({"content": "a"})
        assert memory == store.memories.get(memory.id)
        assert store.changes.last() == 1


def test_a_commit_changes_the_revision_and_a_read_does_not(store: SqliteStore) -> None:
    before = store.revision()
    store.memories.count(Selection())
    assert before == store.revision()
    store.memories.remember({"content": "a"})
    assert before != store.revision()


VECTOR = np.ones((1, 2), dtype=np.float32)
DEEDS: dict[str, Callable[[SqliteStore, list[str], int], Any]] = {
    "remember": lambda store, ids, n: store.memories.remember({"content": f"{n}"}, dedup="merge"),
    "remember daily": lambda store, ids, n: store.memories.remember(
        {"content": f"{n}", "tier": "daily"}
    ),
    "remember many": lambda store, ids, n: store.memories.remember_many(
        [{"content": f"{n}"}, {"content": ""}, {"content": f"{n} again"}], keep_going=n % 2 == 0
    ),
    "update": lambda store, ids, n: store.memories.update(ids[n % len(ids)], {"content": f"u{n}"}),
    "forget": lambda store, ids, n: store.memories.forget(ids[n % len(ids)]),
    "restore": lambda store, ids, n: store.memories.restore(ids[n % len(ids)]),
    "restore first": lambda store, ids, n: store.memories.restore(ids[n % len(ids)], version=1),
    "purge": lambda store, ids, n: store.memories.purge([ids[n % len(ids)]]),
    "link": lambda store, ids, n: store.links.put(ids[n % len(ids)], ids[-1]),
    "vector": lambda store, ids, n: store.vectors.put("e", [ids[n % len(ids)]], VECTOR),
    "turn": lambda store, ids, n: store.sessions.add_turns(
        store.sessions.start().id, [{"speaker": "A", "content": f"{n}"}]
    ),
    "clean up": lambda store, ids, n: store.memories.clean_up(),
}
steps = st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(0, 7))


def deed(store: SqliteStore, clock: ManualClock, name: str, number: int) -> None:
    clock.advance(hours=number)
    known = [entry.id for entry in store.changes.since(0) if entry.target == "memory"]
    with suppress(EngramError, IndexError, ZeroDivisionError):  # a refused deed leaves no trace
        DEEDS[name](store, known, number)


@given(st.lists(st.lists(steps, max_size=5), max_size=5), st.data())
def test_whatever_happens_the_numbers_have_no_gap(
    blocks: list[list[tuple[str, int]]], data: st.DataObject
) -> None:
    clock = ManualClock(NOON)
    with closing(SqliteStore.open(":memory:", clock=clock)) as store:
        store.workspaces.put("default", max_memories=4, max_age_days=1)
        for block in blocks:
            undo = data.draw(st.booleans())
            before = store.changes.since(0)
            with suppress(Undone), store.transaction():
                for name, number in block:
                    deed(store, clock, name, number)
                if undo:
                    raise Undone
            after = store.changes.since(0)
            assert list(range(1, len(after) + 1)) == [entry.number for entry in after]
            assert not undo or before == after
            assert [entry.number for entry in before] == list(range(1, len(before) + 1))
        assert [each for each in store.doctor.examine() if not each.ok] == []


@pytest.mark.parametrize("number", [-1, 0])
def test_a_number_before_the_first_is_the_beginning(store: SqliteStore, number: int) -> None:
    store.memories.remember({"content": "a"})
    assert len(store.changes.since(number)) == 1
