"""Clusters: what hangs together, and whether chance would do as well."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from engram_lab.consolidation.clusters import clusters_of, clusters_of_links
from engram_lab.core.errors import InvalidInputError
from tests.consolidation.worlds import Held, Tie, World

pytest.importorskip("networkx", reason="clusters need the extra `graph`")


def cliques(count: int, size: int) -> list[tuple[int, int]]:
    """Return cliques in a ring, each joined with the next by one link."""
    inner = [
        (number * size + one, number * size + two)
        for number in range(count)
        for one, two in combinations(range(size), 2)
    ]
    return inner + [(n * size, ((n + 1) % count) * size + 1) for n in range(count)]


def arrays(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    told = np.array(pairs, np.int64).reshape(-1, 2)
    return told[:, 0], told[:, 1], np.ones(len(told))


def test_cliques_in_a_ring_are_found() -> None:
    found = clusters_of_links(*arrays(cliques(6, 5)), seed=1)
    assert found.members == tuple(tuple(range(n * 5, n * 5 + 5)) for n in range(6))
    inside, degrees = 60 / 66, 6 * (22 / 132) ** 2
    assert found.modularity == pytest.approx(inside - degrees)
    assert np.isnan(found.excess)


def test_the_same_seed_gives_the_same_clusters_whatever_the_order_of_links() -> None:
    chance = np.random.default_rng(0)
    pairs = sorted({(min(p), max(p)) for p in chance.integers(0, 60, (200, 2)).tolist()})
    one, two, weights = arrays([pair for pair in pairs if pair[0] != pair[1]])
    order = chance.permutation(len(one))
    first = clusters_of_links(one, two, weights, seed=3, nulls=2)
    assert clusters_of_links(two[order], one[order], weights, seed=3, nulls=2) == first


def test_a_graph_of_clusters_is_above_its_null_and_one_by_lot_is_not() -> None:
    ring = clusters_of_links(*arrays(cliques(6, 5)), nulls=10)
    assert min(ring.null) > 0.2  # a shuffled graph has some modularity too
    assert ring.modularity > max(ring.null) + 0.2
    chance = np.random.default_rng(4)
    pairs = {(min(p), max(p)) for p in chance.integers(0, 60, (150, 2)).tolist() if p[0] != p[1]}
    assert abs(clusters_of_links(*arrays(sorted(pairs)), nulls=10).excess) < 0.05


def test_clusters_of_a_view_add_links_up_and_leave_out_small_ones() -> None:
    held = [Held(content=str(number)) for number in range(7)]
    pairs = [(1, 2), (2, 3), (1, 3), (4, 5)]
    ties = [Tie(id=f"t{a}{b}", from_id=f"m{a}", to_id=f"m{b}") for a, b in pairs]
    ties += [
        Tie(id="back", from_id="m2", to_id="m1", type="similar_to", weight=0.5),
        Tie(id="x", from_id="m3", to_id="m4", type="x", weight=0.0),
    ]
    view = World(held, ties).view()
    assert clusters_of(view).members == ((1, 2, 3), (4, 5))
    assert clusters_of(view, least=3).members == ((1, 2, 3),)
    assert clusters_of(view, types=["similar_to"]).members == ((1, 2),)


def test_no_links_are_no_clusters() -> None:
    assert clusters_of(World.telling("a", "b").view(), nulls=3).members == ()


@pytest.mark.parametrize("chosen", [{"least": 0}, {"resolution": 0.0}, {"resolution": np.inf}])
def test_bounds_are_kept(chosen: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match="give a size from 1 on"):
        clusters_of(World.telling("a").view(), **chosen)  # type: ignore[arg-type]
