"""Clusters: which memories hang together by their links, and whether that is more than chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engram_lab.consolidation.shuffled import shuffled
from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.packages import optional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.consolidation.view import View

__all__ = ["Clusters", "clusters_of", "clusters_of_links"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Clusters:
    """Which nodes hang together.

    Attributes:
        members: The keys of each cluster, rising; the greatest cluster first, then by least key.
        modularity: Newman's Q of the partition, clusters below the least size included.
        null: The same of shuffled graphs, each clustered by itself, one for each shuffle.
    """

    members: tuple[tuple[int, ...], ...]
    modularity: float
    null: tuple[float, ...] = ()

    @property
    def excess(self) -> float:
        """By how much the modularity is above the mean of the null; nan without a null."""
        return self.modularity - float(np.mean(self.null)) if self.null else float("nan")


def clusters_of(
    view: View,
    *,
    types: Sequence[str] | None = None,
    least: int = 2,
    resolution: float = 1.0,
    seed: int = 0,
    nulls: int = 0,
) -> Clusters:
    """Return the clusters of the memories of a view, by their open links.

    Links of both directions and of several types between two memories add up.

    Args:
        view: Whose links.
        types: Of these types alone; all unless given.
        least: The least size of a cluster that is told of, at least 1.
        resolution: Above 1 for more and smaller clusters, below for fewer.
        seed: The same seed gives the same clusters.
        nulls: How many shuffled graphs are clustered to compare with.

    Raises:
        InvalidInputError: A size below 1, or a resolution of 0 or less.
        MissingDependencyError: networkx is absent.
    """
    links = view.links(types=types)
    known = (view.rows(links.from_keys) >= 0) & (view.rows(links.to_keys) >= 0)
    return clusters_of_links(
        links.from_keys[known],
        links.to_keys[known],
        links.weights[known],
        least=least,
        resolution=resolution,
        seed=seed,
        nulls=nulls,
    )


def clusters_of_links(
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    weights: NDArray[np.float64],
    *,
    least: int = 2,
    resolution: float = 1.0,
    seed: int = 0,
    nulls: int = 0,
) -> Clusters:
    """Return the clusters of a graph; see `clusters_of`.

    Its null keeps how many links each node has, and all weights, and nothing else: a graph without
    any clusters has a modularity above 0 too, and the difference is what there is to tell.

    Source: Blondel, Guillaume, Lambiotte and Lefebvre, "Fast unfolding of communities in large
    networks" (2008), as networkx has it; Guimerà, Sales-Pardo and Amaral, "Modularity from
    fluctuations in random graphs and complex networks" (2004), for the need of a null.
    """
    if least < 1 or not 0 < resolution < float("inf"):
        raise InvalidInputError(
            f"clusters of at least {shown(least)} at resolution {shown(resolution)}: give a size "
            "from 1 on and a resolution above 0"
        )
    low, high, summed = _simple(starts, ends, weights)
    members, modularity = _louvain(low, high, summed, resolution=resolution, seed=seed)
    null: list[float] = []
    for shuffle in range(nulls if len(low) else 0):
        one, two = shuffled(low, high, seed=seed + shuffle)
        null.append(_louvain(one, two, summed, resolution=resolution, seed=seed)[1])
    great = [each for each in members if len(each) >= least]
    return Clusters(members=tuple(great), modularity=modularity, null=tuple(null))


def _simple(
    starts: NDArray[np.int64], ends: NDArray[np.int64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return each pair once, with the sum of its weights, where that is above 0."""
    kept = (starts != ends) & (weights > 0)
    pairs = np.sort(np.stack([starts[kept], ends[kept]], axis=1), axis=1)
    distinct, places = np.unique(pairs, axis=0, return_inverse=True)
    sums = np.bincount(places.reshape(-1), weights[kept], len(distinct)).astype(np.float64)
    return distinct[:, 0], distinct[:, 1], sums


def _louvain(
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    weights: NDArray[np.float64],
    *,
    resolution: float,
    seed: int,
) -> tuple[list[tuple[int, ...]], float]:
    if not len(low):
        return [], 0.0
    networkx: Any = optional("networkx", package="networkx", feature="clusters", extra="graph")
    graph = networkx.Graph()
    # In rising order, as the order of nodes decides ties.
    graph.add_nodes_from(np.unique(np.concatenate([low, high])).tolist())
    graph.add_weighted_edges_from(zip(low.tolist(), high.tolist(), weights.tolist(), strict=True))
    found = networkx.community.louvain_communities(graph, resolution=resolution, seed=seed)
    modularity = float(networkx.community.modularity(graph, found, resolution=resolution))
    members = sorted((tuple(sorted(each)) for each in found), key=lambda each: (-len(each), each))
    return members, modularity
