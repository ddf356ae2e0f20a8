from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.protocols.corpus import LinkRows
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.spreading import Spreading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from engram_lab.core.sqlite import SqliteStore

Links = list[tuple[int, int, float]]


class Graph:
    """Links as a corpus gives them, and the keys that were asked for."""

    def __init__(self, links: Links) -> None:
        self.rows = sorted(links)
        self.asked: list[int] = []

    def links(
        self,
        keys: NDArray[np.int64],
        *,
        valid_at: datetime | None = None,
        types: Sequence[str] | None = None,
    ) -> LinkRows:
        self.asked += keys.tolist()
        wanted = set(keys.tolist())
        rows = [row for row in self.rows if row[0] in wanted or row[1] in wanted]
        return LinkRows(
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.int64),
            np.array([row[2] for row in rows], np.float64),
        )


@st.composite
def graphs(draw: Any) -> Links:
    """Draw links between at most ten memories, often several between two."""
    ends = st.integers(1, 10)
    weights = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)
    pairs = draw(st.lists(st.tuples(ends, ends, weights), max_size=25))
    return [row for row in pairs if row[0] != row[1]]


SEEDS = st.dictionaries(st.integers(1, 12), st.floats(0.01, 50), max_size=5)


def dense(links: Links, seeds: dict[int, float], spreading: Spreading) -> dict[int, float]:
    """Return what each is sent, by powers of the whole matrix."""
    size = 13
    weights = np.zeros((size, size))
    for one, other, weight in links:
        weights[one, other] += weight
        weights[other, one] += weight
    degrees = weights.sum(axis=1)
    fan = np.divide(1.0, np.sqrt(degrees), out=np.zeros(size), where=degrees > 0)
    shares = fan[:, None] * weights * fan[None, :]
    awake = np.zeros(size)
    for key, score in seeds.items():
        awake[key] = score / max(seeds.values())
    sent = np.zeros(size)
    for _ in range(spreading.steps):
        awake = spreading.decay * shares @ np.where(awake >= spreading.threshold, awake, 0.0)
        sent += awake
    return {key: value for key, value in enumerate(sent.tolist()) if value > 0}


def sent(links: Links, seeds: dict[int, float], **options: Any) -> dict[int, float]:
    ranking = Spreading(**options).spread(Graph(links), Ranking.of_pairs(seeds.items()))
    return dict(zip(ranking.keys.tolist(), ranking.scores.tolist(), strict=True))


@given(
    graphs(),
    SEEDS,
    st.integers(1, 6),
    st.sampled_from([0.3, 0.5, 1.0]),
    st.sampled_from([0.0, 0.0137, 0.1379]),
)
def test_what_is_sent_is_what_powers_of_the_matrix_say(
    links: Links, seeds: dict[int, float], steps: int, decay: float, threshold: float
) -> None:
    options: dict[str, Any] = {"steps": steps, "decay": decay, "threshold": threshold}
    wanted = dense(links, seeds, Spreading(**options))
    assert sent(links, seeds, **options) == pytest.approx(wanted, rel=1e-9, abs=1e-300)


def test_one_step_by_numbers() -> None:
    # 1 is linked with 2 (weight 1) and 3 (weight 0.5); 3 also with 4 (weight 1.5).
    links = [(1, 2, 1.0), (3, 1, 0.5), (3, 4, 1.5)]
    assert sent(links, {1: 8.0}, steps=1, decay=0.5) == pytest.approx(
        {2: 0.5 * 1.0 / math.sqrt(1.5 * 1.0), 3: 0.5 * 0.5 / math.sqrt(1.5 * 2.0)}
    )


def test_the_second_step_comes_back_to_the_seed() -> None:
    assert sent([(1, 2, 1.0)], {1: 1.0}, steps=2, decay=0.5) == {2: 0.5, 1: 0.25}


def test_a_memory_without_links_is_sent_nothing_however_often() -> None:
    assert sent([(1, 2, 1.0)], {1: 1.0, 5: 9.0}, steps=10, decay=1.0).keys() == {1, 2}
    assert sent([], {1: 1.0, 5: 9.0}, steps=10) == {}
    assert sent([(1, 2, 0.0)], {1: 1.0}, steps=3) == {}


def test_a_hub_is_sent_less_than_what_is_linked_with_the_seed_alone() -> None:
    hub = [(key, 99, 1.0) for key in range(1, 60)]
    seeds = {1: 1.0, 2: 0.5}
    awake = sent([*hub, (1, 100, 1.0)], seeds, steps=2)
    assert awake[100] > 3 * awake[99]
    # The others of the hub are hardly stirred.
    assert max(awake[key] for key in range(3, 60)) < awake[100] / 20


@given(graphs(), SEEDS)
def test_no_more_is_sent_than_the_seeds_have(links: Links, seeds: dict[int, float]) -> None:
    # Each step multiplies the length of the vector by the decay at most.
    start = math.hypot(*(score / max(seeds.values()) for score in seeds.values())) if seeds else 0
    awake = sent(links, seeds, steps=10, decay=0.5, threshold=0.0)
    assert math.hypot(*awake.values()) <= start * (1 + 1e-9)


@given(graphs(), SEEDS, st.integers(1, 8))
def test_no_more_memories_are_awake_or_read_than_allowed(
    links: Links, seeds: dict[int, float], most: int
) -> None:
    graph = Graph(links)
    spreading = Spreading(steps=6, threshold=0.0, max_nodes=most)
    ranking = spreading.spread(graph, Ranking.of_pairs(seeds.items()))
    assert len(set(ranking.keys.tolist())) <= most
    assert len(graph.asked) == len(set(graph.asked)) <= most


def test_the_strongest_neighbours_are_awakened_where_there_is_no_room_for_all() -> None:
    links = [(1, 2, 0.1), (1, 3, 0.9), (1, 4, 0.5), (1, 5, 0.5)]
    assert sent(links, {1: 1.0}, steps=1, max_nodes=3).keys() == {3, 4}
    assert sent(links, {1: 1.0}, steps=1, max_nodes=4).keys() == {3, 4, 5}
    assert sent(links, {1: 1.0}, steps=3, max_nodes=1) == {}


def test_the_best_seeds_are_taken_where_there_is_no_room_for_all() -> None:
    links = [(1, 2, 1.0), (3, 4, 1.0)]
    assert sent(links, {1: 1.0, 3: 2.0}, steps=1, max_nodes=3).keys() == {4}
    assert sent(links, {1: 1.0, 3: 2.0}, steps=1, max_nodes=2) == {}
    graph = Graph(links)
    Spreading(max_nodes=1).spread(graph, Ranking.of([1, 3], [1.0, 2.0]))
    assert graph.asked == [3]


@given(graphs(), SEEDS)
def test_the_same_links_and_seeds_awaken_the_same_to_the_last_bit(
    links: Links, seeds: dict[int, float]
) -> None:
    assert sent(links, seeds, steps=4) == sent(links, dict(reversed(seeds.items())), steps=4)


def test_seeds_of_equal_score_are_all_fully_awake() -> None:
    links = [(1, 2, 1.0), (3, 4, 1.0)]
    for score in (7.0, 0.0, -1.0):
        assert sent(links, {1: score, 3: score}, steps=1) == {2: 0.5, 4: 0.5}


def test_scores_below_0_are_counted_from_the_lowest() -> None:
    links = [(1, 2, 1.0), (3, 4, 1.0), (5, 6, 1.0)]
    assert sent(links, {1: 2.0, 3: 0.0, 5: -2.0}, steps=1) == {2: 0.5, 4: 0.25}
    assert sent(links, {1: 1e308, 3: -1e308}, steps=1) == {2: 0.5}


def test_no_seeds_awaken_nothing() -> None:
    graph = Graph([(1, 2, 1.0)])
    assert Spreading().spread(graph, Ranking.empty()) == Ranking.empty()
    assert graph.asked == []


def test_links_of_a_store_are_followed_by_type_and_moment(store: SqliteStore) -> None:
    ids = [store.memories.remember({"content": f"memory {number}"}).id for number in range(4)]
    store.links.put(ids[0], ids[1])
    store.links.put(ids[2], ids[0], type="supersedes")
    store.links.put(ids[0], ids[3], valid_to="2020-01-01")
    keys = store.corpus.find(ids)
    seeds = Ranking.of(keys[:1], [1.0])

    both = Spreading(steps=1).spread(store.corpus, seeds)
    assert sorted(both.keys.tolist()) == sorted(keys[1:3].tolist())
    one = Spreading(steps=1, types=("supersedes",)).spread(store.corpus, seeds)
    assert one == Ranking.of(keys[2:3], [0.5])
    before = Spreading(steps=1).spread(
        store.corpus, seeds, valid_at=store.memories.get(ids[0]).created_at.replace(year=2019)
    )
    assert keys[3] in before.keys


@pytest.mark.parametrize(
    "options",
    [
        {"steps": 0},
        {"steps": 11},
        {"decay": 0.0},
        {"decay": 1.1},
        {"decay": math.nan},
        {"threshold": -0.1},
        {"max_nodes": 0},
    ],
)
def test_what_is_out_of_bounds_is_refused(options: Any) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(options))):
        Spreading(**options)
