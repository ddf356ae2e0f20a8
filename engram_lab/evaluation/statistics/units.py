"""What is drawn and flipped as one: whole clusters of queries, or each query by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "FEWEST_CLUSTERS",
    "cluster_codes",
    "cluster_sums",
    "distinct_clusters",
    "effective_number",
]

FEWEST_CLUSTERS: Final = 6
"""With fewer, how much clusters differ cannot be told, and each query stands for itself."""


def cluster_codes(clusters: Sequence[str | None] | None, n: int) -> NDArray[np.int64] | None:
    """Return the number of the cluster of each query, counted from 0, or None.

    None where each query stands for itself: no clusters are given, each has one query, or they are
    fewer than `FEWEST_CLUSTERS`. A query whose cluster is null is a cluster of its own.

    Args:
        clusters: Of each query.
        n: How many queries there are.

    Raises:
        InvalidInputError: There are more or fewer clusters than queries.
    """
    if clusters is None:
        return None
    if len(clusters) != n:
        raise InvalidInputError(
            f"{len(clusters)} clusters are given for {n} queries: give one for each, or None"
        )
    numbers: dict[str | int, int] = {}
    codes = np.fromiter(
        (
            numbers.setdefault(place if each is None else each, len(numbers))
            for place, each in enumerate(clusters)
        ),
        np.int64,
        n,
    )
    return codes if FEWEST_CLUSTERS <= len(numbers) < n else None


def distinct_clusters(clusters: Sequence[str | None] | None) -> int:
    """Return how many clusters there are; a query without one counts by itself."""
    if clusters is None:
        return 0
    return len({each for each in clusters if each is not None}) + sum(
        each is None for each in clusters
    )


def cluster_sums(values: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sum of the rows of each cluster, float64 [clusters, m].

    Args:
        values: float64 [n, m].
        codes: int64 [n], of `cluster_codes`.
    """
    sums = np.zeros((int(codes.max(initial=-1)) + 1, values.shape[1]))
    np.add.at(sums, codes, values)
    return sums


def effective_number(sizes: NDArray[np.float64]) -> float:
    """Return (Σ size)² / Σ size²: how many equal clusters these are worth; 0 for none.

    Source: Kish, "Survey Sampling" (1965), section 8.2.

    Args:
        sizes: float64 [clusters].
    """
    total = float(sizes.sum())
    return total * total / float(sizes @ sizes) if total else 0.0
