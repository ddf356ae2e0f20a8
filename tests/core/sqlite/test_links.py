from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from engram_lab.core.errors import InvalidInputError, NotFoundError
from engram_lab.core.types import LINK_TYPES, Link

if TYPE_CHECKING:
    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


class Ids(NamedTuple):
    a: str
    b: str
    c: str


@pytest.fixture
def ids(store: SqliteStore) -> Ids:
    return Ids(*store.memories.remember_many([{"content": each} for each in "abc"]).ids)


def test_a_link_is_what_was_given(store: SqliteStore, ids: Ids) -> None:
    link = store.links.put(
        ids.a,
        ids.b,
        type="supersedes",
        weight=0.25,
        confidence=0.5,
        source="auto",
        context="because",
        valid_from="2026-01-01",
        pinned=True,
    )
    assert [link] == store.links.of(ids.a)
    assert link == Link(
        id=link.id,
        from_id=ids.a,
        to_id=ids.b,
        type="supersedes",
        weight=0.25,
        confidence=0.5,
        source="auto",
        context="because",
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        pinned=True,
        created_at=NOON,
        updated_at=NOON,
    )


def test_a_link_is_found_from_both_ends(store: SqliteStore, ids: Ids) -> None:
    link = store.links.put(ids.a, ids.b)
    assert [link] == store.links.of(ids.b)
    assert [link] == store.links.of(ids.a, direction="out")
    assert [link] == store.links.of(ids.b, direction="in")
    assert store.links.of(ids.a, direction="in") == []
    assert store.links.of(ids.b, direction="out") == []
    assert store.links.of(ids.c) == []


def test_the_heaviest_come_first_and_ties_by_id(store: SqliteStore, ids: Ids) -> None:
    light = store.links.put(ids.a, ids.b, weight=0.1)
    heavy = store.links.put(ids.a, ids.c, weight=0.9)
    same = store.links.put(ids.c, ids.a, weight=0.1)
    assert [heavy, light, same] == store.links.of(ids.a)


def test_links_of_many_memories_come_each_once(store: SqliteStore, ids: Ids) -> None:
    first = store.links.put(ids.a, ids.b, weight=0.5)
    second = store.links.put(ids.b, ids.c, weight=0.75, type="extends")
    ended = store.links.put(ids.c, ids.a, valid_from=NOON - HOUR, valid_to=NOON)
    assert store.links.around([ids.a, ids.b, ids.a, UNKNOWN]) == [second, first]
    assert store.links.around([ids.a, ids.c], direction="in") == [second]
    assert store.links.around([ids.a, ids.c], direction="out") == [first]
    assert store.links.around([ids.a, ids.b], types=["extends"]) == [second]
    assert store.links.around([ids.a], valid_at=NOON - HOUR) == [ended, first]
    assert store.links.around([ids.a], closed=True) == [ended, first]
    assert store.links.around([]) == []
    with pytest.raises(InvalidInputError, match="direction is 'up'"):
        store.links.around([ids.a], direction="up")  # type: ignore[arg-type]


def test_links_of_many_memories_are_within_reach(store: SqliteStore, ids: Ids) -> None:
    own = store.memories.remember({"content": "own", "scope": "global/org:a"}).id
    other = store.memories.remember({"content": "other", "scope": "global/org:ab"}).id
    for each in (own, other):
        store.links.put(ids.a, each)
    agent = store.as_agent("coder", "global/org:a")
    assert [link.to_id for link in agent.links.around([ids.a, other])] == [own]


@pytest.mark.parametrize("name", [*LINK_TYPES, "likes", "a type of my own"])
def test_the_type_is_open_text(store: SqliteStore, ids: Ids, name: str) -> None:
    link = store.links.put(ids.a, ids.b, type=name)
    assert [link] == store.links.of(ids.a, types=[name])
    assert store.links.of(ids.a, types=["another"]) == []
    assert store.links.of(ids.a, types=[]) == []


def test_an_open_link_is_changed_not_doubled(
    store: SqliteStore, ids: Ids, clock: ManualClock
) -> None:
    first = store.links.put(ids.a, ids.b, weight=0.2, context="once")
    clock.advance(hours=1)
    second = store.links.put(ids.a, ids.b, weight=0.7)
    assert [second] == store.links.of(ids.a, closed=True)
    assert (first.id, first.created_at) == (second.id, second.created_at)
    assert (second.weight, second.context, second.updated_at) == (0.7, None, NOON + HOUR)


def test_another_type_or_direction_is_another_link(store: SqliteStore, ids: Ids) -> None:
    links = {
        store.links.put(ids.a, ids.b).id,
        store.links.put(ids.b, ids.a).id,
        store.links.put(ids.a, ids.b, type="extends").id,
    }
    assert links == {link.id for link in store.links.of(ids.a)}
    assert len(links) == 3


def test_closing_ends_a_link_and_keeps_it(store: SqliteStore, ids: Ids, clock: ManualClock) -> None:
    link = store.links.put(ids.a, ids.b)
    clock.advance(hours=1)
    closed = store.links.close(link.id)
    assert (link.id, NOON + HOUR) == (closed.id, closed.valid_to)
    assert store.links.of(ids.a) == []
    assert [closed] == store.links.of(ids.a, closed=True)
    assert [closed] == store.links.of(ids.a, valid_at=NOON + HOUR - timedelta(microseconds=1))
    assert store.links.of(ids.a, valid_at=NOON + HOUR) == []


def test_beside_what_was_closed_a_new_one_opens(
    store: SqliteStore, ids: Ids, clock: ManualClock
) -> None:
    first = store.links.put(ids.a, ids.b)
    store.links.close(first.id, at=NOON)
    clock.advance(hours=1)
    second = store.links.put(ids.a, ids.b, valid_from=NOON + HOUR)
    assert first.id != second.id
    assert {first.id, second.id} == {each.id for each in store.links.of(ids.a, closed=True)}
    assert [second] == store.links.of(ids.a)


def test_a_changed_object_leaves_the_past_in_order(
    store: SqliteStore, ids: Ids, clock: ManualClock
) -> None:
    # Systems before us left both open, or ended the older one before it began.
    works_at_b = store.links.put(ids.a, ids.b, type="works_at", valid_from=NOON - 10 * HOUR)
    store.links.close(works_at_b.id, at=NOON - HOUR)
    works_at_c = store.links.put(ids.a, ids.c, type="works_at", valid_from=NOON - HOUR)
    for moment, expected in (
        (NOON - 11 * HOUR, []),
        (NOON - 10 * HOUR, [works_at_b.id]),
        (NOON - 2 * HOUR, [works_at_b.id]),
        (NOON - HOUR, [works_at_c.id]),
        (NOON, [works_at_c.id]),
    ):
        assert expected == [link.id for link in store.links.of(ids.a, valid_at=moment)]


def test_a_back_dated_link_never_ends_before_it_begins(store: SqliteStore, ids: Ids) -> None:
    open_link = store.links.put(ids.a, ids.b, valid_from=NOON)
    history = store.links.put(ids.a, ids.b, valid_from=NOON - 5 * HOUR, valid_to=NOON - HOUR)
    assert open_link.id != history.id
    for link in store.links.of(ids.a, closed=True):
        assert link.valid_from is not None
        assert link.valid_to is None or link.valid_from <= link.valid_to
    with pytest.raises(InvalidInputError, match=r"valid_to .* is before valid_from"):
        store.links.put(ids.a, ids.c, valid_from=NOON, valid_to=NOON - HOUR)
    with pytest.raises(InvalidInputError, match="the link begins at"):
        store.links.close(open_link.id, at=NOON - HOUR)
    assert store.links.close(open_link.id, at=NOON).valid_to == NOON


def test_a_link_that_is_still_to_come_does_not_hold_yet(
    store: SqliteStore, ids: Ids, clock: ManualClock
) -> None:
    link = store.links.put(ids.a, ids.b, valid_from=NOON + HOUR)
    assert store.links.of(ids.a) == []
    with pytest.raises(InvalidInputError, match="the link begins at"):
        store.links.close(link.id)
    clock.advance(hours=1)
    assert [link] == store.links.of(ids.a)


def test_a_memory_is_not_linked_to_itself(store: SqliteStore, ids: Ids) -> None:
    with pytest.raises(InvalidInputError, match="a memory is not linked to itself"):
        store.links.put(ids.a, ids.a)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": ""},
        {"type": "x" * 65},
        {"source": "\x00"},
        {"context": ""},
        {"weight": -0.1},
        {"weight": 1.1},
        {"weight": math.nan},
        {"weight": "1"},
        {"confidence": 2},
        {"confidence": True},
        {"valid_from": "soon"},
        {"valid_to": 7},
        {"pinned": "yes"},
        {"pinned": 7},
        {"pinned": None},
    ],
)
def test_a_malformed_link_is_refused(store: SqliteStore, ids: Ids, fields: dict[str, Any]) -> None:
    last = store.changes.last()
    with pytest.raises(InvalidInputError):
        store.links.put(ids.a, ids.b, **fields)
    assert last == store.changes.last()
    assert store.links.of(ids.a, closed=True) == []


def test_a_direction_is_one_of_three(store: SqliteStore, ids: Ids) -> None:
    direction: Any = "up"
    with pytest.raises(InvalidInputError, match="allowed are out, in, both"):
        store.links.of(ids.a, direction=direction)


def test_both_ends_must_be_there(store: SqliteStore, ids: Ids) -> None:
    for ends in ((ids.a, UNKNOWN), (UNKNOWN, ids.a)):
        with pytest.raises(NotFoundError):
            store.links.put(*ends)
    store.memories.forget(ids.b)
    with pytest.raises(NotFoundError):
        store.links.put(ids.a, ids.b)
    with pytest.raises(NotFoundError):
        store.links.of(UNKNOWN)
    with pytest.raises(NotFoundError):
        store.links.of(ids.b)
    with pytest.raises(NotFoundError, match="there is no link"):
        store.links.close(UNKNOWN)


def test_every_change_of_a_link_is_in_the_log(store: SqliteStore, ids: Ids) -> None:
    last = store.changes.last()
    link = store.links.put(ids.a, ids.b)
    store.links.put(ids.a, ids.b, weight=0.5)
    store.links.close(link.id)
    entries = store.changes.since(last)
    assert [entry.action for entry in entries] == ["link", "link", "unlink"]
    assert {("link", link.id, "owner")} == {(e.target, e.id, e.author) for e in entries}


def test_an_update_of_a_memory_keeps_its_links(store: SqliteStore, ids: Ids) -> None:
    link = store.links.put(ids.a, ids.b)
    store.memories.update(ids.a, {"content": "A"})
    assert [link] == store.links.of(ids.a)
