"""A linear model of relevance: what features tell of a memory, weighed as evidence has taught."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engram_lab.retrieval.fusion.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from engram_lab.retrieval.fusion.protocol import Fused
    from engram_lab.retrieval.learned.record import LearnedRecord, Scale
    from engram_lab.retrieval.ranking import Ranking

__all__ = ["LinearModel", "scaled"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LinearModel:
    """Score(d) = Σ weight · scale(feature of d), over the features of a record.

    A fusion, so that its explanation is that of one: each feature is an arm, its contribution what
    it adds to the score. A feature that the scene cannot tell, or that has no weight, adds nothing.

    Source: the form of Vogt and Cottrell, "Fusion via a Linear Combination of Scores" (Information
    Retrieval 1, 1999).

    Attributes:
        record: The weights.
    """

    record: LearnedRecord

    def fuse(self, rankings: Mapping[str, Ranking]) -> Fused:
        """Return the fusion of features, each a ranking of all candidates; see `Fusion.fuse`."""
        weights = self.record.weights
        pool = Pool.of({name: each for name, each in rankings.items() if weights.get(name)})
        given = pool.nothing()
        for row, name, ranking, places in zip(
            given, pool.arms, pool.rankings, pool.places, strict=True
        ):
            row[places] = weights[name] * scaled(ranking.scores, self.record.scale)
        return pool.fused(given)


def scaled(values: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Return the values of one feature on a scale: float64 [n].

    Values that are all alike tell nothing, and become 0.
    """
    if not len(values):
        return values
    if scale == "centred":
        centred: NDArray[np.float64] = values - values.sum() / len(values)
        return centred
    low, high = values.min(), values.max()
    if high <= low:
        return np.zeros(len(values))
    ranged: NDArray[np.float64] = (values - low) / (high - low)
    return ranged
