"""The null of links: the same degrees, the same weights, other partners."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.consolidation.shuffled import shuffled
from engram_lab.core.errors import InvalidInputError

GRAPHS = st.sets(
    st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] != pair[1]),
).map(lambda pairs: sorted({(min(pair), max(pair)) for pair in pairs}))


def ends_of(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    told = np.array(pairs, np.int64).reshape(-1, 2)
    return told[:, 0], told[:, 1]


@given(pairs=GRAPHS, seed=st.integers(0, 99))
def test_every_node_keeps_its_degree_and_the_graph_stays_simple(
    pairs: list[tuple[int, int]], seed: int
) -> None:
    one, two = shuffled(*ends_of(pairs), seed=seed)
    assert len(one) == len(pairs)  # so that the weights, kept beside it, are the same
    before = np.bincount(np.array(pairs, np.int64).reshape(-1), minlength=10)
    assert np.bincount(np.concatenate([one, two]), minlength=10).tolist() == before.tolist()
    assert all(one != two)
    assert len({frozenset(pair) for pair in zip(one.tolist(), two.tolist(), strict=True)}) == len(
        pairs
    )


def test_the_same_seed_gives_the_same_graph_and_another_another() -> None:
    ends = ends_of([(node, node + 1) for node in range(50)])
    first, again, other = (shuffled(*ends, seed=seed) for seed in (1, 1, 2))
    assert [each.tolist() for each in first] == [each.tolist() for each in again]
    assert [each.tolist() for each in first] != [each.tolist() for each in other]


def test_hardly_a_pair_of_a_sparse_graph_is_left() -> None:
    pairs = [(node, (node + 1) % 200) for node in range(200)]
    kept = {frozenset(pair) for pair in pairs} & {
        frozenset(pair)
        for pair in zip(*(each.tolist() for each in shuffled(*ends_of(pairs), seed=0)), strict=True)
    }
    assert len(kept) < 10  # by chance 2 of 200


def test_every_graph_of_the_same_degrees_is_equally_likely() -> None:
    # Three links between six nodes of one link each: 15 graphs.
    ends = ends_of([(0, 1), (2, 3), (4, 5)])
    seen: dict[frozenset[frozenset[int]], int] = {}
    for seed in range(3000):
        told = zip(*(each.tolist() for each in shuffled(*ends, seed=seed)), strict=True)
        graph = frozenset(frozenset(pair) for pair in told)
        seen[graph] = seen.get(graph, 0) + 1
    assert len(seen) == 15
    chi_square = sum((count - 200) ** 2 / 200 for count in seen.values())
    assert chi_square < 36.1  # the 0.999 quantile of 14 degrees of freedom


def test_what_cannot_be_swapped_stays() -> None:
    star = ends_of([(0, 1), (0, 2), (0, 3)])
    one, two = shuffled(*star, seed=5)
    assert sorted(map(sorted, zip(one.tolist(), two.tolist(), strict=True))) == [
        [0, 1],
        [0, 2],
        [0, 3],
    ]


@pytest.mark.parametrize("pairs", [[(1, 1)], [(0, 1), (1, 0)]])
def test_what_is_no_simple_graph_is_refused(pairs: list[tuple[int, int]]) -> None:
    with pytest.raises(InvalidInputError, match="give each pair once"):
        shuffled(*ends_of(pairs), seed=0)
