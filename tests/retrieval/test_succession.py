"""What superseded something stands before it, in its place, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engram_lab import Engine
from engram_lab.core.protocols import LinkRows
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.succession import succession_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.succession import Succession


def followed(
    ranking: Ranking,
    k: int,
    edges: Sequence[tuple[int, int]],
    hidden: frozenset[int] = frozenset(),
) -> Succession:
    def newer(keys: NDArray[np.int64]) -> LinkRows:
        ends = np.array([each for each in edges if each[1] in keys], np.int64).reshape(-1, 2)
        return LinkRows(ends[:, 0], ends[:, 1], np.ones(len(ends)))

    def fetch(keys: NDArray[np.int64]) -> list[Any]:
        return [None if key in hidden else f"memory {key}" for key in keys.tolist()]

    return succession_of(ranking, k, newer=newer, fetch=fetch)


def test_nothing_moves_where_nothing_was_superseded() -> None:
    ranking = Ranking.of([1, 2], [2.0, 1.0])
    assert followed(ranking, 2, []).ranking is ranking


def test_the_newer_takes_the_place_of_the_older() -> None:
    told = followed(Ranking.of([1, 2, 3], [3.0, 2.0, 1.0]), 3, [(3, 1)])
    assert told.ranking.keys.tolist() == [3, 1, 2]
    assert told.ranking.scores[0] == 3.0


def test_a_newer_one_that_was_not_found_is_brought_along() -> None:
    told = followed(Ranking.of([1], [3.0]), 1, [(9, 1)])
    assert told.ranking.keys.tolist() == [9, 1]
    assert {key: str(each) for key, each in told.memories.items()} == {9: "memory 9"}
    assert str(told.steps[9]) == "3 in place of what it superseded"


def test_of_a_chain_the_newest_alone_is_brought_along() -> None:
    told = followed(Ranking.of([1], [3.0]), 1, [(2, 1), (3, 2)])
    assert told.ranking.keys.tolist() == [3, 1]


def test_an_older_one_that_stands_below_stays_where_it_is() -> None:
    told = followed(Ranking.of([1, 2, 3], [3.0, 2.0, 1.0]), 3, [(1, 3)])
    assert told.ranking.keys.tolist() == [1, 2, 3]
    assert not told.steps


def test_what_may_not_be_seen_takes_nobodys_place() -> None:
    told = followed(Ranking.of([1], [3.0]), 1, [(9, 1)], hidden=frozenset({9}))
    assert told.ranking.keys.tolist() == [1]


def test_links_in_a_circle_move_nothing() -> None:
    told = followed(Ranking.of([1, 2], [2.0, 1.0]), 2, [(1, 2), (2, 1)])
    assert told.ranking.keys.tolist() == [1, 2]


@given(
    scores=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8),
    raw=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), max_size=12),
)
def test_no_older_one_ever_stands_before_a_newer(
    scores: list[float], raw: list[tuple[int, int]]
) -> None:
    edges = sorted({(one, other) for one, other in raw if one > other})
    ranking = Ranking.of(list(range(1, len(scores) + 1)), scores)
    told = followed(ranking, len(ranking), edges)
    places = {key: place for place, key in enumerate(told.ranking.keys.tolist())}
    assert set(ranking.keys.tolist()) <= set(places)
    for one, other in edges:
        if one in places and other in places:
            assert places[one] < places[other]


def test_a_recall_brings_what_holds_now_before_what_held_before() -> None:
    with Engine.open(":memory:") as engine:
        old = engine.remember("The rent of the flat is 900 euros a month")
        new = engine.remember("It costs 950 since May")
        before = engine.recall("what is the rent of the flat?", k=1)
        assert [hit.id for hit in before] == [old.id]
        engine.link(new.id, old.id, type="supersedes")
        hits = engine.recall("what is the rent of the flat?", k=2)
        assert [hit.id for hit in hits] == [new.id, old.id]
        for hit in hits:
            assert hit.explanation.score == hit.score
        assert hits[0].explanation.steps[-1].name == "succession"
