"""Zero mean, unit variance: how many standard deviations above its arm's mean a score lies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engram_lab.retrieval.fusion.min_max import unit_range
from engram_lab.retrieval.fusion.protocol import Normalised

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ZeroMeanUnitVariance"]


@dataclass(frozen=True, kw_only=True)
class ZeroMeanUnitVariance:
    """value = (score - mean) / standard deviation, of the n scores of the list (divisor n).

    What the arm had not is given the lowest value of the list: it lies there or below, and how far
    below is not known. Where all scores are equal, each is 0, and what the arm had not is -1, as
    with two scores that differ ever so little.

    Source: Montague and Aslam, "Relevance Score Normalization for Metasearch" (CIKM 2001), ZMUV;
    the value of what an arm had not is our choice.
    """

    def normalise(self, scores: NDArray[np.float64], *, arm: str) -> Normalised:  # noqa: ARG002 - all arms are treated alike
        """Return the values; see `Normaliser.normalise`."""
        # The values do not change where all scores are first moved and stretched alike, and in the
        # unit range neither do squares of tiny differences vanish nor those of large ones overflow.
        values = unit_range(scores, equal=0.0)
        if not values.size or not values[0]:
            return Normalised(values, -1.0)
        values = values - values.sum() / len(values)
        values /= math.sqrt((values * values).sum() / len(values))
        return Normalised(values, float(values[-1]))
