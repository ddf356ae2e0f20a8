"""The convex combination: a weighted mean of the arms' scores on one scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engram_lab.retrieval.fusion.min_max import MinMax
from engram_lab.retrieval.fusion.pool import Pool
from engram_lab.retrieval.fusion.weights import check_weights, weights_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.retrieval.fusion.protocol import Fused, Normaliser
    from engram_lab.retrieval.ranking import Ranking

__all__ = ["WeightedFusion"]


@dataclass(frozen=True, kw_only=True)
class WeightedFusion:
    """Score(d) = Σ over the arms of weight · value of d in the arm, the weights summing to 1.

    They are divided by their sum over the arms at hand, so that a score lies where the normaliser's
    values lie, whichever arms were asked. An arm that found nothing gives 0 to all.

    Source: Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (ACM
    Transactions on Information Systems 42, 2023), equation 1; before them Fox and Shaw's CombSUM
    (TREC-2, 1993).

    Attributes:
        weights: How much each arm counts; either none or all must be named.
        normaliser: What brings the scores of each arm onto one scale.

    Raises:
        InvalidInputError: A weight is no finite number from 0, or all of them are 0.
    """

    weights: Mapping[str, float] = field(default_factory=dict, hash=False)
    normaliser: Normaliser = field(default_factory=MinMax)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", check_weights(self.weights))

    def fuse(self, rankings: Mapping[str, Ranking]) -> Fused:
        """Return the fusion; see `Fusion.fuse`."""
        pool = Pool.of(rankings)
        weights = weights_of(self.weights, pool.arms)
        whole = sum(weights) or 1.0
        given = pool.nothing()
        for at, arm in enumerate(pool.arms):
            if len(pool.rankings[at]):
                values, absent = self.normaliser.normalise(pool.rankings[at].scores, arm=arm)
                share = weights[at] / whole
                given[at] = share * absent
                given[at, pool.places[at]] = share * values
        return pool.fused(given)
