"""Distribution-based: a score by its place between mean - 3 and mean + 3 standard deviations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engram_lab.retrieval.fusion.min_max import unit_range
from engram_lab.retrieval.fusion.protocol import Normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DistributionBased"]


@dataclass(frozen=True, kw_only=True)
class DistributionBased:
    """value = (score - (mean - 3 sd)) / (6 sd), cut to 0 and 1, of the list (divisor n - 1).

    Where all scores are equal, be it that there is one alone, each has the value 0.5. What the arm
    had not is 0.

    Source: Mazzeschi, "Distribution-Based Score Fusion (DBSF), a new approach to Vector Search
    Ranking" (2023), with the sample's standard deviation and the treatment of equal scores as in
    Qdrant, which does not cut.
    """

    def normalise(self, scores: NDArray[np.float64], *, arm: str) -> Normalised:  # noqa: ARG002 - all arms are treated alike
        """Return the values; see `Normaliser.normalise`."""
        values = unit_range(scores, equal=0.0)  # see `ZeroMeanUnitVariance`
        if not values.size or not values[0]:
            return Normalised(np.full(len(scores), 0.5), 0.0)
        values = values - values.sum() / len(values)
        values /= 6 * math.sqrt((values * values).sum() / (len(values) - 1))
        return Normalised(np.minimum(np.maximum(values + 0.5, 0.0), 1.0), 0.0)
