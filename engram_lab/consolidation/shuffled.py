"""A graph with the same degrees and weights and no meaning: the null of every learned link."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["shuffled"]


def shuffled(
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    *,
    seed: int,
    swaps: int = 10,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ends of links dealt out anew, so that every node keeps the number of its links.

    Two links a-b and c-d, drawn by lot, become a-d and c-b, or a-c and b-d, unless that makes a
    link of a node with itself or one that there is already. The i-th link stays the i-th, so that
    its weight, which one keeps beside it, is dealt out with it: the weights remain the same, all
    in all. Where nothing can be swapped, as in a star or a full graph, nothing is.

    Source: Maslov and Sneppen, "Specificity and Stability in Topology of Protein Networks" (2002),
    the local rewiring algorithm.

    Args:
        starts: int64 [m].
        ends: Of a simple graph without direction: no node with itself, no pair twice; int64 [m].
        seed: The same seed gives the same graph.
        swaps: How many swaps are tried for each link, at least 0.

    Raises:
        InvalidInputError: A node is linked with itself, or a pair twice.
    """
    one, two = starts.tolist(), ends.tolist()
    there = {(min(pair), max(pair)) for pair in zip(one, two, strict=True)}
    if len(there) < len(one) or any(low == high for low, high in there):
        raise InvalidInputError(
            "links to be shuffled join a node with itself or a pair twice: give each pair once"
        )
    count = len(one)
    if count > 1:
        lots = np.random.default_rng(seed)
        tries = swaps * count
        drawn = zip(
            lots.integers(count, size=tries).tolist(),
            lots.integers(count, size=tries).tolist(),
            (lots.random(tries) < 0.5).tolist(),  # noqa: PLR2004 - a coin
            strict=True,
        )
        for first, second, turned in drawn:
            _swap(one, two, there, first, second, turned=turned)
    return np.array(one, np.int64), np.array(two, np.int64)


def _swap(
    one: list[int],
    two: list[int],
    there: set[tuple[int, int]],
    first: int,
    second: int,
    *,
    turned: bool,
) -> None:
    """Swap the far ends of two links, unless that breaks the graph."""
    a, b = one[first], two[first]
    c, d = (two[second], one[second]) if turned else (one[second], two[second])
    if len({a, b, c, d}) < 4:  # noqa: PLR2004 - four ends, or a node would meet itself or its own
        return
    new = (min(a, d), max(a, d)), (min(c, b), max(c, b))
    if new[0] in there or new[1] in there:
        return
    there -= {(min(a, b), max(a, b)), (min(c, d), max(c, d))}
    there.update(new)
    two[first] = d
    one[second], two[second] = c, b
