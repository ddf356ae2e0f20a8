"""The nearest of many rows at once: for whoever compares memories with memories."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.retrieval.dense.layered import Layered

__all__ = ["nearest_of"]

_AT_ONCE: Final = 256
"""Rows that are compared with all others in one product of matrices."""

_SPARE: Final = 8
"""Candidates beyond those wanted, as a product of matrices rounds in an order of its own."""

_MOST_THREADS: Final = 4
"""Searches share what memory can deliver, so that more threads gain nothing."""


def nearest_of(
    held: Layered, keys: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return for each memory the `k` others with the largest inner product, the largest first.

    Without an index all rows are compared by products of matrices, with one through the index;
    either way scores are those of single searches, to the last bit, and do not depend on threads.
    An index is walked with the least effort: a recall has one try, and here two that are near each
    other are looked for from either end.

    Args:
        held: The vectors and their index.
        keys: int64 [n]; one that has no vector has no neighbours.
        k: How many, from 1.

    Returns:
        Keys int64 [n, k], 0 where there are fewer, and scores float32 [n, k], 0 there.
    """
    found = np.zeros((len(keys), k), np.int64)
    scores = np.zeros((len(keys), k), np.float32)
    known = np.flatnonzero(held.table.find(keys) >= 0)
    parts = [known[at : at + _AT_ONCE] for at in range(0, len(known), _AT_ONCE)]

    def fill(rows: NDArray[np.int64]) -> None:
        one = _by_products if held.index is None else _by_index
        found[rows], scores[rows] = one(held, keys[rows], k)

    if held.index is None:  # such products use all cores by themselves, where they may
        for part in parts:
            fill(part)
    else:
        with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as threads:
            list(threads.map(fill, parts))
    return found, scores


def _by_products(
    held: Layered, keys: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    rows = held.table.rows
    queries = rows.take(held.table.find(keys))
    with np.errstate(over="ignore", invalid="ignore"):
        products = queries @ rows.between(0, len(rows)).T
    products[:, ~held.table.live] = -np.inf
    wanted = min(k + 1 + _SPARE, products.shape[1])
    near = np.argpartition(products, -wanted, axis=1)[:, -wanted:]
    return _placed(held, keys, queries, list(near), k)


def _by_index(
    held: Layered, keys: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    queries = held.table.rows.take(held.table.find(keys))
    near = [held.table.find(held.search(query, k + 1, None, effort=1).keys) for query in queries]
    return _placed(held, keys, queries, near, k)


def _placed(
    held: Layered,
    keys: NDArray[np.int64],
    queries: NDArray[np.float32],
    near: list[NDArray[np.int64]],
    k: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Score what is near from the vectors themselves, and put the best first, ties by key."""
    table = held.table
    found = np.zeros((len(keys), k), np.int64)
    best = np.zeros((len(keys), k), np.float32)
    for row, slots in enumerate(near):
        slots = slots[table.live[slots] & (table.keys[slots] != keys[row])]  # noqa: PLW2901
        scores = table.rows.scores_of(queries[row], slots)
        order = np.lexsort((table.keys[slots], -scores))[:k]
        found[row, : len(order)] = table.keys[slots[order]]
        best[row, : len(order)] = scores[order]
    return found, best
