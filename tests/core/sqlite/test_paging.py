from __future__ import annotations

import base64
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.selection import Order, Selection
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from engram_lab.core.types import Memory

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ORDERS: tuple[Order, ...] = get_args(Order)
KEYS: dict[Order, Any] = {
    "id": lambda memory: memory.id,
    "created_at": lambda memory: (memory.created_at, memory.id),
    "updated_at": lambda memory: (memory.updated_at, memory.id),
    "event_at": lambda memory: (memory.event_at or memory.created_at, memory.id),
    "importance": lambda memory: (memory.importance, memory.id),
}


def pages(
    store: SqliteStore, selection: Selection, order: Order, limit: int, *, descending: bool
) -> list[list[Memory]]:
    found: list[list[Memory]] = []
    cursor = None
    while len(found) < 100:
        page = store.memories.select(
            selection, order=order, descending=descending, limit=limit, cursor=cursor
        )
        found.append(list(page))
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise AssertionError("the pages have no end")


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.1, 0.1 + 0.2, 1.0]),
            st.none() | st.integers(-3, 3),
            st.integers(0, 2),
            st.booleans(),
        ),
        max_size=12,
    ),
    st.integers(1, 5),
)
def test_the_pages_hold_everything_once_in_every_order(
    rows: list[tuple[float, int | None, int, bool]], limit: int
) -> None:
    clock = ManualClock(NOON)
    with closing(SqliteStore.open(":memory:", clock=clock)) as store:
        for importance, event, step, touched in rows:
            clock.advance(microseconds=step)
            at = None if event is None else NOON + timedelta(microseconds=event)
            memory = store.memories.remember(
                {"content": "x", "importance": importance, "event_at": at}
            )
            if touched:
                store.memories.update(memory.id, {"content": "y"})
        everything = list(store.memories.select(Selection(), limit=100))
        assert len(rows) == len(everything)
        for order in ORDERS:
            for descending in (False, True):
                found = pages(store, Selection(), order, limit, descending=descending)
                expected = sorted(everything, key=KEYS[order], reverse=descending)
                assert expected == [memory for page in found for memory in page]
                assert all(len(page) == limit for page in found[:-1])
                past = Selection(as_of=clock.now())
                again = pages(store, past, order, limit, descending=descending)
                assert expected == [memory for page in again for memory in page]


def test_a_page_that_ends_the_listing_has_no_cursor(store: SqliteStore) -> None:
    assert store.memories.select(Selection()).next_cursor is None
    store.memories.remember_many([{"content": "a"}, {"content": "b"}])
    assert store.memories.select(Selection(), limit=2).next_cursor is None
    assert store.memories.select(Selection(), limit=1).next_cursor is not None


def test_pages_keep_to_their_selection(store: SqliteStore) -> None:
    store.memories.remember_many(
        {"content": str(number), "tags": ["even"] if number % 2 == 0 else []}
        for number in range(10)
    )
    even = Selection.of({"tags": {"contains": "even"}})
    found = pages(store, even, "importance", 2, descending=True)
    assert [[m.content for m in page] for page in found] == [["8", "6"], ["4", "2"], ["0"]]


@pytest.mark.parametrize("order", ORDERS)
def test_a_cursor_of_another_listing_is_refused(store: SqliteStore, order: Order) -> None:
    store.memories.remember_many([{"content": "a"}, {"content": "b"}])
    cursor = store.memories.select(Selection(), order=order, limit=1).next_cursor
    assert len(store.memories.select(Selection(), order=order, cursor=cursor)) == 1
    with pytest.raises(InvalidInputError, match="the cursor is of another listing"):
        store.memories.select(Selection(), order=order, descending=True, cursor=cursor)
    for other in set(ORDERS) - {order}:
        with pytest.raises(InvalidInputError, match="the cursor is of another listing"):
            store.memories.select(Selection(), order=other, cursor=cursor)


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "not base64!",
        "AAAA",
        "\ud800",
        "é",
        7,
        b"\xff",
        encoded(None),
        encoded("abcd"),
        encoded([]),
        encoded(["id", False, "x"]),
        encoded(["id", False, None, "x"]),
        encoded(["id", False, ["x"], "x"]),
        encoded(["id", False, "x", 7]),
        encoded({"id": 1, "b": 2, "c": 3, "d": 4}),
        "A" * 1_000_001,
    ],
    ids=lambda cursor: repr(cursor)[:20],
)
def test_what_is_no_cursor_is_refused(store: SqliteStore, cursor: Any) -> None:
    store.memories.remember({"content": "a"})
    with pytest.raises(InvalidInputError, match="the cursor is of another listing"):
        store.memories.select(Selection(), cursor=cursor)


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_a_forged_cursor_harms_nobody(cursor: str) -> None:
    with closing(SqliteStore.open(":memory:")) as store, pytest.raises(InvalidInputError):
        store.memories.select(Selection(), cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 10_001, "7", None, 1.5])
def test_a_page_has_1_to_10000_memories(store: SqliteStore, limit: Any) -> None:
    with pytest.raises(InvalidInputError, match="allowed are 1 to 10000"):
        store.memories.select(Selection(), limit=limit)


@pytest.mark.parametrize("order", ["content", "id; DROP TABLE memories", "", None, ["id"]])
def test_an_unknown_order_is_refused_with_the_known(store: SqliteStore, order: Any) -> None:
    with pytest.raises(InvalidInputError, match="allowed are id, created_at, updated_at, event_at"):
        store.memories.select(Selection(), order=order)
