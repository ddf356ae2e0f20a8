"""Conflicts among links: what cannot all be so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.consolidation.conflicts import ACYCLIC, OPPOSITES, Conflict, conflicts_of
from engram_lab.core.dreams import Change
from tests.consolidation.worlds import Held, Tie, World, day

HELD = [Held(content=str(number), created_at=day(number)) for number in range(1, 7)]


def tie(start: int, end: int, link_type: str, **chosen: object) -> Tie:
    made = Tie(id=f"{start}-{end} {link_type}", from_id=f"m{start}", to_id=f"m{end}")
    return replace(made, type=link_type, **chosen)  # type: ignore[arg-type]


def conflicts(*ties: Tie) -> tuple[Conflict, ...]:
    return conflicts_of(World(HELD, ties).view())


@pytest.mark.parametrize("pair", OPPOSITES)
def test_opposites_between_two_memories_are_a_conflict_in_either_direction(
    pair: tuple[str, str],
) -> None:
    for second in (tie(2, 3, pair[1]), tie(3, 2, pair[1])):
        (found,) = conflicts(tie(2, 3, pair[0]), second, tie(2, 4, pair[1]))
        assert (found.kind, found.severity) == ("relations", "high")
        assert found.memories == ("m2", "m3")
        assert set(found.links) == {f"2-3 {pair[0]}", second.id}


def test_opposites_at_different_times_are_none() -> None:
    before = tie(2, 3, "supports", valid_from=day(1), valid_to=None)
    later = tie(2, 3, "contradicts", valid_from=day(3))
    assert conflicts(before, later)

    class Closed(World):
        """Shows links that end later on, as a store does."""

        def links(self, *args: object, **chosen: object):  # type: ignore[no-untyped-def]  # noqa: ANN202
            found = super().links(*args, **chosen)  # type: ignore[arg-type]
            ends = found.valid_to.copy()
            ends[[each == before.id for each in found.ids]] = day(3).timestamp()
            return replace(found, valid_to=ends)

    assert not conflicts_of(Closed(HELD, [before, later]).view())


def test_what_ends_before_it_begins_is_told() -> None:
    class Closed(World):
        def links(self, *args: object, **chosen: object):  # type: ignore[no-untyped-def]  # noqa: ANN202
            found = super().links(*args, **chosen)  # type: ignore[arg-type]
            return replace(found, valid_to=found.valid_from - 1)

    (found,) = conflicts_of(Closed(HELD, [tie(1, 2, "uses", valid_from=day(2))]).view())
    assert (found.kind, found.severity) == ("time", "medium")


def test_the_older_does_not_supersede_the_newer() -> None:
    assert not conflicts(tie(4, 2, "supersedes"))
    (found,) = conflicts(tie(2, 4, "supersedes"))
    assert found == Conflict(
        kind="time",
        severity="medium",
        memories=("m2", "m4"),
        links=("2-4 supersedes",),
        reason="supersedes runs from the earlier to the later",
    )


@pytest.mark.parametrize("link_type", ACYCLIC)
def test_a_cycle_is_told_in_its_order(link_type: str) -> None:
    ties = [tie(start, end, link_type) for start, end in ((5, 2), (2, 4), (4, 5), (5, 1), (6, 5))]
    cycles = [each for each in conflicts(*ties) if each.kind == "cycle"]
    assert [each.memories for each in cycles] == [("m2", "m4", "m5")]
    assert cycles[0].links == tuple(f"{p} {link_type}" for p in ("2-4", "4-5", "5-2"))
    assert cycles[0].severity == "high"


def test_types_that_order_nothing_may_lead_back() -> None:
    assert not conflicts(tie(1, 2, "related_to"), tie(2, 1, "related_to"))
    assert not conflicts(tie(2, 1, "supersedes"), tie(1, 2, "depends_on"))


@given(pairs=st.sets(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=12))
def test_a_graph_has_a_cycle_exactly_where_one_is_told(pairs: set[tuple[int, int]]) -> None:
    links = sorted(pair for pair in pairs if pair[0] != pair[1])
    reached = {node: {end for start, end in links if start == node} for node in range(1, 7)}
    for _ in range(6):
        for node, ends in reached.items():
            reached[node] = ends | {far for end in ends for far in reached[end]}
    found = [
        each
        for each in conflicts(*(tie(start, end, "depends_on") for start, end in links))
        if each.kind == "cycle"
    ]
    assert bool(found) == any(node in ends for node, ends in reached.items())
    for each in found:
        steps = zip(each.memories, [*each.memories[1:], each.memories[0]], strict=True)
        assert all((int(one[1:]), int(two[1:])) in pairs for one, two in steps)


def test_a_link_to_what_an_earlier_step_would_forget_is_an_orphan() -> None:
    view = World(HELD, [tie(1, 2, "related_to"), tie(2, 4, "supersedes")]).view()
    gone = Change(step="prune", action="forget", id="m2", reason="old", seen=1)
    first, second = conflicts_of(view.after([gone]))
    assert {first.kind, second.kind} == {"orphan"}
    assert first.severity == "critical"
    assert first.memories == ("m1",)
