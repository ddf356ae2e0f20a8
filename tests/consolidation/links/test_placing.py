"""What all steps that link have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.consolidation.links.placing import Ties, Wanted, groups_of, settled, strongest
from tests.consolidation.worlds import Held, Tie, World

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRAPHS = st.dictionaries(
    st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda pair: pair[0] < pair[1]),
    st.sampled_from([0.2, 0.5, 0.9]),
    min_size=1,
)


def arrays(
    graph: dict[tuple[int, int], float],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    one, two = np.array(list(graph), np.int64).T
    return one, two, np.array(list(graph.values()))


def greedy(graph: dict[tuple[int, int], float], most: int) -> set[tuple[int, int]]:
    kept: set[tuple[int, int]] = set()
    for pair in sorted(graph, key=lambda pair: (-graph[pair], pair)):
        ends = [end for each in kept for end in each]
        if all(ends.count(end) < most for end in pair):
            kept.add(pair)
    return kept


@given(graph=GRAPHS, most=st.integers(1, 4))
def test_the_heaviest_stay_while_both_ends_have_room(
    graph: dict[tuple[int, int], float], most: int
) -> None:
    kept = strongest(*arrays(graph), most)
    assert {pair for pair, stays in zip(graph, kept, strict=True) if stays} == greedy(graph, most)


@given(graph=GRAPHS, most=st.integers(1, 4), data=st.data())
def test_to_choose_again_chooses_the_same(
    graph: dict[tuple[int, int], float], most: int, data: st.DataObject
) -> None:
    kept = greedy(graph, most)
    others = sorted(set(graph) - kept)
    some = kept | set(data.draw(st.lists(st.sampled_from(others))) if others else [])
    assert greedy({pair: graph[pair] for pair in sorted(some)}, most) == kept
    again = {pair: graph[pair] for pair in sorted(some)}
    chosen = strongest(*arrays(again), most)
    assert {pair for pair, stays in zip(again, chosen, strict=True) if stays} == kept


def test_no_pairs_are_no_trouble() -> None:
    nothing = np.empty(0, np.int64)
    assert strongest(nothing, nothing, np.empty(0), 3).tolist() == []


def test_names_are_numbered_as_they_come() -> None:
    assert groups_of(["b", None, "b", "a", None]).tolist() == [0, 1, 0, 2, 1]


def test_only_what_is_wrong_is_planned() -> None:
    ties = [
        Tie(id="same", from_id="m1", to_id="m2", type="x", source="dream:s", weight=0.5),
        Tie(id="other", from_id="m3", to_id="m1", type="x", source="dream:s", weight=0.5),
        Tie(id="gone", from_id="m1", to_id="m4", type="x", source="dream:s"),
        Tie(id="theirs", from_id="m4", to_id="m2", type="x", source="manual", weight=0.1),
    ]
    world = World([Held(content=str(number)) for number in range(4)], ties)
    wanted = Wanted(
        starts=np.array([0, 0, 1, 2]), ends=np.array([1, 2, 3, 3]), weights=np.array([0.5] * 4)
    )
    read = Ties.of(world.view(), "x", "s")
    assert read.ours.tolist() == [each.id != "theirs" for each in sorted(ties, key=lambda t: t.id)]
    wanted = Wanted(starts=wanted.starts, ends=wanted.ends, weights=np.array([0.5, 0.7, 0.5, 0.5]))
    all_of_them = np.ones(len(read), np.bool_)
    plan = list(settled(read, world.scene(), wanted, all_of_them, reason="r", gone="g"))
    after = world.carried_out(plan)
    assert [(each.action, each.id) for each in plan[:2]] == [("unlink", "gone"), ("link", "other")]
    assert {(t.from_id, t.to_id): t.weight for t in after.ties.values()} == {
        ("m1", "m2"): 0.5,
        ("m3", "m1"): 0.7,
        ("m4", "m2"): 0.1,
        ("m3", "m4"): 0.5,
    }
    kept = list(settled(read, world.scene(), wanted, ~all_of_them, reason="r", gone="g"))
    assert "gone" not in {each.id for each in kept}
