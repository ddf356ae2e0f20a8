"""Links followed by functions of the live DuckDB connection."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.interchange import LiveDuckDB
from engram_lab.core.schemas import LINKS
from engram_lab.core.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def live(store: SqliteStore, clock: ManualClock, **chosen: Any) -> LiveDuckDB:
    return LiveDuckDB(store, Selection.of(**chosen), now=clock.now)


def rows(database: LiveDuckDB, query: str, *values: object) -> list[Any]:
    return database.sql(query, params=list(values)).fetchall()


def remembered(store: SqliteStore, count: int, **fields: Any) -> Sequence[str]:
    return store.memories.remember_many(
        {"content": f"memory {number}", **fields} for number in range(count)
    ).ids


def chain(store: SqliteStore, ids: Sequence[str], **fields: Any) -> None:
    for here, there in pairwise(ids):
        store.links.put(here, there, **fields)


def test_what_links_lead_to_comes_nearest_first_with_its_weight(
    store: SqliteStore, clock: ManualClock
) -> None:
    a, b, c, d = remembered(store, 4)
    store.links.put(a, b, weight=0.5)
    store.links.put(b, c, weight=0.5)
    store.links.put(d, a, weight=0.25)
    with live(store, clock) as database:
        assert rows(database, "FROM reachable(?)", a) == [(b, 1, 0.5), (d, 1, 0.25), (c, 2, 0.25)]
        out = "FROM reachable(?, direction := 'out', max_depth := 1)"
        assert rows(database, out, a) == [(b, 1, 0.5)]
        assert rows(database, "FROM reachable(?, direction := 'in')", a) == [(d, 1, 0.25)]
        assert rows(database, "FROM reachable(?, min_weight := 0.4)", a) == [
            (b, 1, 0.5),
            (c, 2, 0.25),
        ]
        assert rows(database, "FROM reachable(?, types := ['extends'])", a) == []


def test_a_cycle_ends(store: SqliteStore, clock: ManualClock) -> None:
    a, b, c = ids = remembered(store, 3)
    chain(store, [*ids, a])
    with live(store, clock) as database:
        far = "FROM reachable(?, max_depth := 10, direction := 'out')"
        assert rows(database, far, a) == [(b, 1, 1.0), (c, 2, 1.0)]
        paths = rows(database, "SELECT ids FROM paths(?, ?, max_depth := 10)", a, c)
        assert paths == [([a, c],), ([a, b, c],)]


def test_ids_that_hold_one_another_do_not_block_a_path(
    store: SqliteStore, clock: ManualClock
) -> None:
    """A check for a cycle by substrings takes `1` for a part of `11`."""
    ids = ["11", "1", "111", "2"]
    links = pa.Table.from_pylist(
        [
            {
                **dict.fromkeys(LINKS.names),
                "id": here + there,
                "from_id": here,
                "to_id": there,
                "type": "extends",
                "weight": 1.0,
            }
            for here, there in pairwise(ids)
        ],
        schema=pa.schema([field.with_nullable(nullable=True) for field in LINKS]),
    )
    with live(store, clock) as database:
        assert rows(database, "FROM degrees()") == []
        database.register("memories", pa.table({"id": ids}))
        database.register("links", links)
        (found,) = rows(database, "SELECT ids, depth FROM paths('11', '2', direction := 'out')")
    assert found == (ids, 3)


def test_the_heaviest_path_is_first_and_ties_go_to_the_shorter(
    store: SqliteStore, clock: ManualClock
) -> None:
    a, b, c, d = remembered(store, 4)
    store.links.put(a, d, weight=0.25)
    chain(store, [a, b, d], weight=0.5)
    chain(store, [a, c, d], weight=0.9)
    store.links.put(a, c, weight=0.1, type="extends")
    with live(store, clock) as database:
        found = rows(database, "SELECT ids, depth, weight FROM paths(?, ?)", a, d)
        one = rows(database, "SELECT ids FROM paths(?, ?, most := 1)", a, d)
    assert [ids for ids, *_ in found] == [[a, c, d], [a, d], [a, b, d]]
    assert [weight for *_, weight in found] == pytest.approx([0.81, 0.25, 0.25])
    assert one == [([a, c, d],)]


@pytest.mark.parametrize("depth", [0, 11, -1])
@pytest.mark.parametrize("function", ["reachable('a'", "paths('a', 'b'"])
def test_how_deep_they_go_is_bounded(
    store: SqliteStore, clock: ManualClock, function: str, depth: int
) -> None:
    with (
        live(store, clock) as database,
        pytest.raises(duckdb.InvalidInputException, match=f"{depth}: allowed are 1 to 10"),
    ):
        rows(database, f"FROM {function}, max_depth := {depth})")


def test_an_unknown_direction_is_refused(store: SqliteStore, clock: ManualClock) -> None:
    a, b = remembered(store, 2)
    store.links.put(a, b)
    with (
        live(store, clock) as database,
        pytest.raises(duckdb.InvalidInputException, match="direction is up: allowed are out"),
    ):
        rows(database, "FROM reachable(?, direction := 'up')", a)


def test_a_link_holds_from_its_beginning_up_to_and_without_its_end(
    store: SqliteStore, clock: ManualClock
) -> None:
    a, b = remembered(store, 2)
    day = timedelta(days=1)
    store.links.put(a, b, valid_from=NOON, valid_to=NOON + day)
    with live(store, clock) as database:
        for moment in (NOON - timedelta(microseconds=1), NOON, NOON + day / 2, NOON + day):
            there = [link.to_id for link in store.links.of(a, valid_at=moment)]
            query = "SELECT id FROM reachable(?, moment := ?)"
            assert [id_ for (id_,) in rows(database, query, a, moment)] == there
            held = rows(database, "SELECT to_id FROM links_at(?)", moment)
            assert [id_ for (id_,) in held] == there
        assert rows(database, "SELECT id FROM reachable(?)", a) == [(b,)]
        clock.advance(days=1)
        assert rows(database, "SELECT id FROM reachable(?)", a) == []


def test_no_agent_sees_into_a_scope_whose_name_begins_like_its_own(
    store: SqliteStore, clock: ManualClock
) -> None:
    """A prefix of a text is not a scope above: `global/org:a` and `global/org:ab` are two."""
    (top,) = remembered(store, 1)
    (own,) = remembered(store, 1, scope="global/org:a")
    (other,) = remembered(store, 1, scope="global/org:ab")
    (end,) = store.memories.remember_many([{"content": "end"}]).ids
    chain(store, [top, other, end], weight=1.0)
    chain(store, [top, own, end], weight=0.5)
    with live(store.as_agent("coder", "global/org:a"), clock) as database:
        assert [row[0] for row in rows(database, "FROM reachable(?)", top)] == [own, end]
        assert rows(database, "FROM reachable(?)", other) == []
        assert rows(database, "SELECT ids FROM paths(?, ?)", top, end) == [([top, own, end],)]
        assert {row[0] for row in rows(database, "FROM degrees()")} == {top, own, end}
        assert {row[0] for row in rows(database, "FROM components()")} == {top, own, end}
    with live(store, clock, scope="global/org:a") as database:
        assert rows(database, "FROM degrees()") == [(own, 0, 0, 0, 0.0)]


def test_forgotten_archived_and_expired_memories_join_nothing(
    store: SqliteStore, clock: ManualClock
) -> None:
    a, b, c = remembered(store, 3)
    (daily,) = remembered(store, 1, tier="daily")
    for middle in (b, c, daily):
        store.links.put(a, middle)
    with live(store, clock) as database, live(store, clock, archived=True) as all_of_it:
        assert len(rows(database, "FROM reachable(?)", a)) == 3
        store.memories.forget(b)
        store.memories.update(c, {"lifecycle": "archived"})
        clock.advance(days=2)
        assert rows(database, "FROM reachable(?)", a) == []
        assert [row[0] for row in rows(all_of_it, "FROM reachable(?)", a)] == [c]


def test_degrees_count_every_link_and_every_memory(store: SqliteStore, clock: ManualClock) -> None:
    a, b, c = remembered(store, 3)
    store.links.put(a, b, weight=0.5)
    store.links.put(b, a, weight=0.25)
    store.links.put(a, b, weight=0.25, type="extends")
    with live(store, clock) as database:
        found = rows(database, "FROM degrees()")
    assert found == [(a, 3, 2, 1, 1.0), (b, 3, 1, 2, 1.0), (c, 0, 0, 0, 0.0)]


def test_a_component_goes_by_its_smallest_id(store: SqliteStore, clock: ManualClock) -> None:
    a, b, c, d, e = remembered(store, 5)
    chain(store, [e, b, d])
    with live(store, clock) as database:
        found = rows(database, "FROM components()")
    assert found == [(b, b, 3), (d, b, 3), (e, b, 3), (a, a, 1), (c, c, 1)]


def test_a_write_shows_in_the_next_query_of_a_function(
    store: SqliteStore, clock: ManualClock
) -> None:
    a, b, c = remembered(store, 3)
    store.links.put(a, b)
    with live(store, clock) as database:
        assert [row[0] for row in rows(database, "FROM reachable(?)", a)] == [b]
        link = store.links.put(b, c)
        assert [row[0] for row in rows(database, "FROM reachable(?)", a)] == [b, c]
        store.links.close(link.id)
        assert [row[0] for row in rows(database, "FROM REACHABLE(?)", a)] == [b]


def test_functions_join_with_tables(store: SqliteStore, clock: ManualClock) -> None:
    a, b = remembered(store, 2)
    store.links.put(a, b)
    with live(store, clock) as database:
        joined = "SELECT m.content FROM reachable(?) AS r JOIN memories AS m USING (id)"
        assert rows(database, joined, a) == [("memory 1",)]


def test_from_a_memory_to_itself_and_from_nobody_leads_no_path(
    store: SqliteStore, clock: ManualClock
) -> None:
    a, b = remembered(store, 2)
    store.links.put(a, b)
    store.links.put(b, a)
    with live(store, clock) as database:
        assert rows(database, "FROM paths(?, ?)", a, a) == []
        assert rows(database, "FROM paths('nobody', ?)", a) == []
        assert rows(database, "FROM reachable('nobody')") == []


def test_a_name_that_is_not_called_reads_no_links(store: SqliteStore, clock: ManualClock) -> None:
    with live(store, clock, filter={"pinned": True}) as database:
        assert rows(database, "SELECT 'paths' AS paths, 1 AS degrees FROM memories") == []
        with pytest.raises(InvalidInputError, match="choose among memories, not links"):
            rows(database, "FROM degrees ()")


@pytest.mark.parametrize("name", ["degrees()", '"degrees"()', "DEGREES ()"])
def test_a_function_is_known_however_it_is_written(
    store: SqliteStore, clock: ManualClock, name: str
) -> None:
    (a,) = remembered(store, 1)
    with live(store, clock) as database:
        assert rows(database, f"SELECT id FROM {name}") == [(a,)]
