"""Neighbours, parts of the graph, and links that hold for a time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from engram_lab import Engine, ManualClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def engine(opened: Callable[..., Engine], clock: ManualClock) -> Iterator[Engine]:
    with opened(clock=clock, embedding={"model": "none"}) as one:
        yield one


def remembered(engine: Engine, count: int, **fields: Any) -> Sequence[str]:
    return engine.remember_many(
        [{"content": f"memory {number}", **fields} for number in range(count)]
    ).ids


def chain(engine: Engine, ids: Sequence[str], **fields: Any) -> None:
    for here, there in pairwise(ids):
        engine.link(here, there, **fields)


def near(engine: Engine, id_: str, **options: Any) -> list[str]:
    return [each.memory.id for each in engine.neighbours(id_, **options)]


# neighbours


def test_neighbours_of_neighbours_come_after_them_with_the_weight_of_the_way(
    engine: Engine,
) -> None:
    a, b, c, d = remembered(engine, 4)
    chain(engine, [a, b, c, d], weight=0.5)
    assert near(engine, a) == [b]
    assert near(engine, a, depth=2) == [b, c]
    found = engine.neighbours(a, depth=10)
    assert [(each.depth, each.weight) for each in found] == [(1, 0.5), (2, 0.25), (3, 0.125)]
    assert found[1].link.from_id == b


def test_memories_that_two_links_join_come_with_either(engine: Engine) -> None:
    a, b = remembered(engine, 2)
    light = engine.link(a, b, weight=0.25)
    heavy = engine.link(b, a, weight=0.75, type="extends")
    assert [each.link for each in engine.neighbours(a, depth=3)] == [heavy, light]


def test_neighbours_may_be_few_or_heavy_alone(engine: Engine) -> None:
    hub, *others = remembered(engine, 6)
    for number, other in enumerate(others):
        engine.link(hub, other, weight=number / 5)
    assert near(engine, hub, limit=2) == others[:2:-1]
    assert near(engine, hub, min_weight=0.6, depth=3) == others[:2:-1]
    assert len(near(engine, hub, min_weight=0.0)) == 5


def test_a_circle_of_links_is_walked_once(engine: Engine) -> None:
    ids = remembered(engine, 5)
    chain(engine, [*ids, ids[0]])
    assert sorted(near(engine, ids[0], depth=10)) == sorted(ids[1:])
    assert near(engine, ids[0], depth=10, direction="out") == list(ids[1:])
    assert near(engine, ids[0], depth=10, direction="in") == list(ids[:0:-1])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"depth": 0}, "depth is '0': allowed are 1 to 10"),
        ({"depth": 11}, "depth is '11': allowed are 1 to 10"),
        ({"limit": 0}, "limit is '0'"),
        ({"min_weight": 2}, "min_weight is '2': give a number from 0 to 1"),
        ({"direction": "up"}, "direction is 'up': allowed are out, in, both"),
        ({"types": "extends"}, "types is 'extends': give a list of texts"),
        ({"valid_at": "then"}, "valid_at is 'then', which is no ISO 8601 time"),
    ],
)
def test_what_neighbours_are_not_asked_for(
    engine: Engine, options: dict[str, Any], said: str
) -> None:
    (a,) = remembered(engine, 1)
    with pytest.raises(InvalidInputError, match=said):
        engine.neighbours(a, **options)


# paths


def test_a_path_takes_the_heaviest_of_links_between_two(engine: Engine) -> None:
    a, b, c = remembered(engine, 3)
    engine.link(a, b, weight=0.25)
    heavy = engine.link(a, b, weight=0.5, type="extends")
    last = engine.link(b, c, weight=0.5)
    (path,) = engine.paths(a, c)
    assert path.links == (heavy, last)
    assert path.weight == 0.25
    (path,) = engine.paths(a, c, types=["related_to"])
    assert path.weight == 0.125


def test_a_link_of_no_weight_is_on_no_path(engine: Engine) -> None:
    a, b = remembered(engine, 2)
    engine.link(a, b, weight=0)
    assert engine.paths(a, b) == []
    assert near(engine, a) == [b]


def test_a_path_of_as_many_links_as_allowed_is_found(engine: Engine) -> None:
    ids = remembered(engine, 12)
    chain(engine, ids)
    for far in range(1, 11):
        assert [path.ids for path in engine.paths(ids[0], ids[far], max_depth=far)] == [
            tuple(ids[: far + 1])
        ]
        if far > 1:
            assert engine.paths(ids[0], ids[far], max_depth=far - 1) == []
    assert engine.paths(ids[0], ids[11], max_depth=10) == []


def test_many_equal_paths_come_in_the_order_of_their_ids(engine: Engine) -> None:
    ids = remembered(engine, 30)
    for number, here in enumerate(ids):
        for there in ids[number + 1 :]:
            engine.link(here, there)
    found = [path.ids for path in engine.paths(ids[0], ids[29], max_depth=10, limit=5)]
    assert found == [(ids[0], ids[29]), *((ids[0], ids[each], ids[29]) for each in range(1, 5))]


def test_a_path_from_a_memory_to_itself_is_refused(engine: Engine) -> None:
    (a,) = remembered(engine, 1)
    with pytest.raises(InvalidInputError, match="give two ids"):
        engine.paths(a, a)
    with pytest.raises(NotFoundError):
        engine.paths(a, NOBODY)
    with pytest.raises(NotFoundError):
        engine.paths(NOBODY, a)


# whoever asks


def test_no_agent_walks_through_what_it_may_not_see(engine: Engine) -> None:
    (top, end) = remembered(engine, 2)
    (own,) = remembered(engine, 1, scope="global/org:a")
    (other,) = remembered(engine, 1, scope="global/org:ab")
    chain(engine, [top, other, end])
    chain(engine, [top, own, end], weight=0.5)
    agent = engine.as_agent("coder", "global/org:a")
    assert near(agent, top, depth=5) == [own, end]
    assert [path.ids for path in agent.paths(top, end)] == [(top, own, end)]
    assert set(agent.subgraph([top], depth=5).nodes["id"]) == {top, own, end}
    assert set(agent.graph_at().nodes["id"]) == {top, own, end}
    assert agent.graph_at().edges.height == 2
    with pytest.raises(NotFoundError):
        agent.subgraph([other])
    with agent.duckdb() as database:
        assert len(database.sql("FROM reachable(?, max_depth := 5)", params=[top]).fetchall()) == 2


def test_forgotten_and_purged_memories_lead_nowhere(engine: Engine) -> None:
    a, b, c, d = remembered(engine, 4)
    chain(engine, [a, b, c])
    chain(engine, [a, d, c], weight=0.5)
    engine.forget(b)
    assert [path.ids for path in engine.paths(a, c)] == [(a, d, c)]
    engine.purge([d])
    assert engine.paths(a, c) == []
    engine.restore(b)
    assert [path.ids for path in engine.paths(a, c)] == [(a, b, c)]


# time


def test_a_link_holds_from_its_beginning_up_to_and_without_its_end(
    engine: Engine, clock: ManualClock
) -> None:
    a, b, c = remembered(engine, 3)
    engine.link(a, b, valid_from=NOON, valid_to=NOON + DAY)
    engine.link(b, c)
    for moment, holds in (
        (NOON - timedelta(microseconds=1), False),
        (NOON, True),
        (NOON + DAY - timedelta(microseconds=1), True),
        (NOON + DAY, False),
    ):
        assert (near(engine, a, valid_at=moment) == [b]) is holds
        assert (near(engine, a, depth=2, valid_at=moment) == [b, c]) is holds
        assert (len(engine.paths(a, c, valid_at=moment)) == 1) is holds
        assert (engine.subgraph([a], valid_at=moment).edges.height == 1) is holds
        assert engine.graph_at(moment).edges.height == 1 + holds
    with engine.duckdb() as database:
        for count in (1, 0):
            assert len(near(engine, a)) == count
            assert len(database.sql("FROM reachable(?)", params=[a]).fetchall()) == 2 * count
            clock.advance(days=1)


def test_the_graph_of_a_moment_holds_memories_that_hold_then(engine: Engine) -> None:
    old = engine.remember("Ada works at the mill", valid_to=NOON).id
    new = engine.remember("Ada works at the quay", valid_from=NOON).id
    ada = engine.remember("Ada").id
    engine.link(ada, old)
    engine.link(ada, new)
    assert engine.graph_at(NOON - DAY).nodes["id"].to_list() == [old, ada]
    after = engine.graph_at()
    assert after.nodes["id"].to_list() == [new, ada]
    assert after.edges["to_id"].to_list() == [new]


def test_changes_between_two_moments(engine: Engine) -> None:
    a, b, c, d = remembered(engine, 4)
    gone = engine.link(a, b, valid_from=NOON - 3 * DAY, valid_to=NOON)
    come = engine.link(a, c, valid_from=NOON, type="extends")
    was = engine.link(b, c, valid_from=NOON - 3 * DAY, valid_to=NOON - DAY, weight=0.25)
    is_ = engine.link(b, c, valid_from=NOON - DAY, weight=0.75)
    engine.link(c, d)
    engine.link(a, d, valid_from=NOON - DAY, valid_to=NOON)

    found = engine.graph_changes(NOON - 2 * DAY, NOON)
    assert found.select(
        "change", "from_id", "to_id", "link_before", "link_after", "weight_before", "weight_after"
    ).rows() == [
        ("removed", a, b, gone.id, None, 1.0, None),
        ("added", a, c, None, come.id, None, 1.0),
        ("changed", b, c, was.id, is_.id, 0.25, 0.75),
    ]
    assert engine.graph_changes(NOON - 2 * DAY).equals(found)
    assert engine.graph_changes(NOON, NOON).height == 0
    with pytest.raises(InvalidInputError, match="swap them"):
        engine.graph_changes(NOON, NOON - DAY)


def test_a_fact_that_changed_leaves_no_two_open_links(engine: Engine, clock: ManualClock) -> None:
    """Closing only the link to the same memory leaves both places of work open."""
    ada, mill, quay = remembered(engine, 3)
    engine.link(ada, mill, type="works_at", exclusive=True)
    clock.advance(days=10)
    engine.link(ada, quay, type="works_at", exclusive=True)
    engine.link(ada, mill, type="visits")
    assert near(engine, ada, types=["works_at"]) == [quay]
    assert near(engine, ada, types=["works_at"], valid_at=NOON + DAY) == [mill]
    assert engine.graph_changes(NOON, NOON + 10 * DAY).filter(pl.col("type") == "works_at")[
        "change"
    ].to_list() == ["removed", "added"]


def test_a_link_dated_back_ends_where_the_later_one_begins(engine: Engine) -> None:
    """Closing the open link at the beginning of an older one ends it before it began."""
    ada, mill, quay = remembered(engine, 3)
    engine.link(ada, quay, type="works_at", valid_from=NOON, exclusive=True)
    engine.link(ada, mill, type="works_at", valid_from=NOON - 9 * DAY, exclusive=True)
    assert near(engine, ada, valid_at=NOON) == [quay]
    assert near(engine, ada, valid_at=NOON - DAY) == [mill]
    assert near(engine, ada, valid_at=NOON - 10 * DAY) == []


def test_an_exclusive_link_said_again_goes_on(engine: Engine, clock: ManualClock) -> None:
    ada, mill = remembered(engine, 2)
    first = engine.link(ada, mill, type="works_at", exclusive=True, weight=0.5)
    clock.advance(days=1)
    again = engine.link(ada, mill, type="works_at", exclusive=True, weight=0.75)
    assert (again.id, again.valid_from, again.weight) == (first.id, NOON, 0.75)


@settings(max_examples=30, deadline=None)
@given(told=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 9)), min_size=1, max_size=8))
def test_of_exclusive_links_one_holds_at_any_moment(
    opened: Callable[..., Engine], told: list[tuple[int, int]]
) -> None:
    with opened(embedding={"model": "none"}) as engine:
        ids = remembered(engine, 4)
        for place, day in told:
            begins = NOON + day * DAY
            engine.link(ids[0], ids[place], type="at", valid_from=begins, exclusive=True)
            assert near(engine, ids[0], valid_at=begins) == [ids[place]]
        for link in engine.store.links.of(ids[0], closed=True):
            assert link.valid_from is not None
            assert link.valid_to is None or link.valid_from <= link.valid_to
        first = min(day for _, day in told)
        for day in range(11):
            assert len(near(engine, ids[0], valid_at=NOON + day * DAY)) == (day >= first)


# frames


def test_a_part_of_the_graph_is_two_frames(engine: Engine) -> None:
    a, b, c, d = remembered(engine, 4)
    chain(engine, [a, b, c, d], weight=0.5)
    engine.link(c, a, weight=0.1, type="extends")
    found = engine.subgraph([a])
    assert found.nodes.select("id", "depth", "weight", "degree", "strength").rows() == [
        (a, 0, 1.0, 2, 0.6),
        (b, 1, 0.5, 2, 1.0),
        (c, 1, 0.1, 2, 0.6),
    ]
    assert found.nodes["label"].to_list() == ["memory 0", "memory 1", "memory 2"]
    places = set(found.nodes.select(pl.col("x").round(3), pl.col("y").round(3)).rows())
    assert len(places) == 3
    assert found.edges.height == 3
    assert found.edges.to_arrow().column_names == found.edges.columns
    assert repr(found) == "Graph(3 nodes, 3 edges)"


def test_a_part_of_the_graph_is_cut_at_the_limit(engine: Engine) -> None:
    hub, *others = remembered(engine, 9)
    for number, other in enumerate(others):
        engine.link(hub, other, weight=number / 10)
    found = engine.subgraph([hub], limit=4, depth=3)
    assert found.nodes["id"].to_list() == [hub, *others[:4:-1]]
    assert set(found.edges["to_id"]) == set(others[:4:-1])


def test_a_graph_without_memories_has_its_columns(engine: Engine) -> None:
    empty = engine.graph_at()
    (a,) = remembered(engine, 1)
    assert empty.nodes.schema == engine.subgraph([a]).nodes.schema
    assert empty.edges.schema == engine.subgraph([a]).edges.schema
    wrong: Sequence[str]
    for wrong in ([], "abc"):
        with pytest.raises(InvalidInputError, match="give a list of ids"):
            engine.subgraph(wrong)


def test_the_whole_graph_keeps_to_what_is_chosen(engine: Engine) -> None:
    a, b = remembered(engine, 2)
    (c,) = remembered(engine, 1, workspace="kitchen")
    chain(engine, [a, b, c])
    engine.update(b, lifecycle="archived")
    assert engine.graph_at().nodes["id"].to_list() == [a, c]
    assert engine.graph_at(archived=True).edges.height == 2
    assert engine.graph_at(archived=True, workspace="default").edges.height == 1
    assert engine.graph_at(archived=True, types=["extends"]).edges.height == 0
    assert engine.graph_at(archived=True, filter={"id": c}).nodes["id"].to_list() == [c]


def test_a_graph_is_written_for_others(engine: Engine) -> None:
    a = engine.remember('say "tea" \\ now').id
    b = engine.remember("x" * 100).id
    engine.link(a, b, weight=0.5)
    found = engine.graph_at()
    rows = json.loads(found.to_json())
    assert [each["id"] for each in rows["nodes"]] == [a, b]
    assert rows["edges"][0]["weight"] == 0.5
    dot = found.to_dot()
    assert f'"{a}" [label="say \\"tea\\" \\\\ now"];' in dot
    assert f'"{a}" -> "{b}" [label="related_to", penwidth=1.50];' in dot
    assert f'{"x" * 60} …"' in dot


def test_links_that_cannot_all_be_so_are_told_the_gravest_first(engine: Engine) -> None:
    one, two, three = (engine.remember(name).id for name in ("one", "two", "three"))
    engine.link(one, two, type="supports")
    assert engine.conflicts() == ()
    engine.link(two, one, type="contradicts")
    engine.link(one, three, type="depends_on")
    engine.link(three, one, type="depends_on")

    found = engine.conflicts()

    assert [(each.kind, each.severity) for each in found] == [
        ("cycle", "high"),
        ("relations", "high"),
    ]
    assert [set(each.memories) for each in found] == [{one, three}, {one, two}]
    assert engine.conflicts("elsewhere") == ()


def test_clusters_are_told_by_id(engine: Engine) -> None:
    pytest.importorskip("networkx", reason="the package that finds clusters")
    ids = remembered(engine, 8)
    for group in (ids[:5], ids[5:]):
        for number, here in enumerate(group):
            for there in group[number + 1 :]:
                engine.link(here, there)
    engine.link(ids[0], ids[7], weight=0.1)
    found = engine.clusters(nulls=3)
    assert found.members == (tuple(ids[:5]), tuple(ids[5:]))
    assert 0 < found.modularity <= 1
    assert found.excess == found.modularity - sum(found.null) / 3
    assert engine.clusters(least=4).members == (tuple(ids[:5]),)
    assert engine.clusters(types=["extends"]).members == ()
