"""Reciprocal rank fusion: places alone count, not scores."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.retrieval.fusion.pool import Pool
from engram_lab.retrieval.fusion.weights import check_weights, weights_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.retrieval.fusion.protocol import Fused
    from engram_lab.retrieval.ranking import Ranking

__all__ = ["RRF_K", "ReciprocalRankFusion"]

RRF_K: Final = 60.0
"""The constant of the paper."""


@dataclass(frozen=True, kw_only=True)
class ReciprocalRankFusion:
    """Score(d) = Σ over the arms that hold d of weight / (k + rank of d), ranks from 1.

    Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and
    individual Rank Learning Methods" (SIGIR 2009), the equation of section 2; the paper has no
    weights, which is ours with all of them at 1.

    Attributes:
        k: How little the first places count above those that follow; a finite number from 0.
        weights: How much each arm counts; either none or all must be named.

    Raises:
        InvalidInputError: `k` or a weight is no such number.
    """

    k: float = RRF_K
    weights: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not math.isfinite(self.k) or self.k < 0:
            raise InvalidInputError(f"k is {shown(self.k)}: give a finite number from 0")
        object.__setattr__(self, "weights", check_weights(self.weights))

    def fuse(self, rankings: Mapping[str, Ranking]) -> Fused:
        """Return the fusion; see `Fusion.fuse`."""
        pool = Pool.of(rankings)
        given = pool.nothing()
        weights = weights_of(self.weights, pool.arms)
        for row, places, weight in zip(given, pool.places, weights, strict=True):
            row[places] = weight / np.arange(self.k + 1, self.k + 1 + len(places))
        return pool.fused(given)
