"""Min-max: the best of an arm is 1, its last is 0, and so is what it had not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engram_lab.retrieval.fusion.protocol import Normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MinMax", "unit_range"]


@dataclass(frozen=True, kw_only=True)
class MinMax:
    """value = (score - lowest) / (highest - lowest), of the scores in the arm's own list.

    Where all scores are equal, be it that there is one alone, each has the value 1: the arm holds
    nothing that it finds better. What it had not is 0.

    Source: Lee, "Analyses of Multiple Evidence Combination" (SIGIR 1997), section 3.1; equal
    scores are not treated there.
    """

    def normalise(self, scores: NDArray[np.float64], *, arm: str) -> Normalised:  # noqa: ARG002 - all arms are treated alike
        """Return the values; see `Normaliser.normalise`."""
        return Normalised(unit_range(scores, equal=1.0), 0.0)


def unit_range(scores: NDArray[np.float64], *, equal: float) -> NDArray[np.float64]:
    """Return scores, float64 [n], never rising, brought onto 0 to 1.

    Args:
        scores: The scores of an arm.
        equal: What each of them is where all are equal.
    """
    if not scores.size:
        return scores
    highest, lowest = scores[0], scores[-1]
    if highest == lowest:
        return np.full(len(scores), equal)
    # Halves, as the difference of two large numbers of unlike sign may be no finite number.
    halved: NDArray[np.float64] = scores * 0.5 - lowest * 0.5
    return halved / halved[0] if halved[0] else np.full(len(scores), equal)
