"""Adaptive: for each question, an arm counts as far as its best stand out from the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from engram_lab.retrieval.fusion.min_max import unit_range
from engram_lab.retrieval.fusion.pool import Pool
from engram_lab.retrieval.fusion.weights import check_weights, weights_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from engram_lab.retrieval.fusion.protocol import Fused
    from engram_lab.retrieval.ranking import Ranking

__all__ = ["AdaptiveFusion", "stand_out"]


@dataclass(frozen=True, kw_only=True)
class AdaptiveFusion:
    """Score(d) = Σ over the arms of weight · κ · z(d), divided by Σ of weight · κ.

    z(d) is by how many standard deviations an arm puts a memory above the mean of all that any arm
    found, and κ is the kurtosis of these, mean z⁴: large where a few memories stand far above the
    many, small where the scores fall evenly and the arm knows no more than that all are somewhat
    alike. Nothing is learned and nothing is set: the share of each arm follows from the scores of
    this one question. An arm that finds all alike, or nothing, gives 0 to all.

    What an arm had not is taken to stand one mean step below its last. So a list that ends early,
    as that of a rare word, stands out as it should; where all that it holds have the same score,
    they stand one step, of whatever size, above what it had not.

    Source: Zheng et al., "Query-Adaptive Late Fusion for Image Search and Person Re-identification"
    (CVPR 2015): the weight of an arm by the shape of its sorted scores, there the area
    beneath them. Kurtosis in its place: Peña and Prieto, "Cluster Identification Using Projections"
    (Journal of the American Statistical Association 96, 2001): it is large in directions that
    set a small group apart from the many.

    Attributes:
        weights: How much each arm counts where all stand out alike; either none or all must be
            named.

    Raises:
        InvalidInputError: A weight is no finite number from 0, or all of them are 0.
    """

    weights: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", check_weights(self.weights))

    def fuse(self, rankings: Mapping[str, Ranking]) -> Fused:
        """Return the fusion; see `Fusion.fuse`."""
        pool = Pool.of(rankings)
        weights = weights_of(self.weights, pool.arms)
        given = pool.nothing()
        for row, ranking, places in zip(given, pool.rankings, pool.places, strict=True):
            _spread(row, ranking, places)
        shares = np.array(weights) * [stand_out(row) for row in given]
        given *= shares[:, np.newaxis] / (shares.sum() or 1.0)
        return pool.fused(given)


def stand_out(z: NDArray[np.float64]) -> float:
    """Return the kurtosis of standard scores, float64 [n]: mean z⁴.

    Where all of them are 0 it is 0; else at least 1, and at most n - 2 + 1 / (n - 1), where one
    stands above all others alike. Of normally distributed scores it is about 3.
    """
    squared = z * z
    return math.fsum(squared * squared) / len(z) if len(z) else 0.0


def _spread(row: NDArray[np.float64], ranking: Ranking, places: NDArray[np.int64]) -> None:
    """Fill a row of zeros, float64 [n], with an arm's standard scores of all in the pool."""
    if not len(ranking):
        return
    # Standard scores do not change where all are first moved and stretched alike, and in the unit
    # range neither do squares of tiny differences vanish nor those of large ones overflow.
    values = unit_range(ranking.scores, equal=1.0)
    row[:] = 0.0 if values[-1] else -1.0 / (len(values) - 1)
    row[places] = values
    # The exact sum is the same in whatever order the memories were made.
    row -= math.fsum(row) / len(row)
    deviation = math.sqrt(math.fsum(row * row) / len(row))
    if deviation:
        row /= deviation
