"""Exact search: the inner products of all rows, and the best of them.

The one place where a score is computed. What a row scores depends on that row and the query alone,
not on the rows beside it, nor on the number of threads: `numpy.vecdot` takes one dot product for
each row, where a matrix product shares work between rows in an order of its own. It is as fast,
since reading the rows is what takes the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["best_places", "inner_products"]

_BLOCK: Final = 64


def inner_products(rows: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the inner product of each row with the query.

    Args:
        rows: float32 [n, dim].
        query: float32 [dim].

    Returns:
        float32 [n]; infinite where numbers are too large.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        products: NDArray[np.float32] = np.vecdot(rows, query)
    return products


def best_places(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the places of the `k` highest scores and of all that equal the least of these.

    Args:
        scores: float32 [n], without NaN.
        k: From 1.

    Returns:
        int64 [m], rising; `min(k, n)` places or, where scores are equal, more.
    """
    if k >= len(scores):
        return np.arange(len(scores))
    # At least k scores reach the k-th highest maximum of blocks: few more are left to sort.
    floor = scores
    blocks = len(scores) // _BLOCK
    if blocks > k:
        highest = scores[: blocks * _BLOCK].reshape(blocks, _BLOCK).max(axis=1)
        least = np.partition(highest, blocks - k)[blocks - k]
        places = np.flatnonzero(scores >= least)
        floor = scores[places]
    else:
        places = np.arange(len(scores))
    least = np.partition(floor, len(floor) - k)[len(floor) - k]
    best: NDArray[np.int64] = places[floor >= least]
    return best
