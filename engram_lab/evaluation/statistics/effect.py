"""How large a difference is: standardised, and counted query by query."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EQUAL", "Tally", "standardised", "tally"]

EQUAL: Final = 1e-12
"""Values that differ by no more are equal: they went through other roundings."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """Queries by who was better.

    Attributes:
        wins: B.
        ties: Neither.
        losses: A.
    """

    wins: int
    ties: int
    losses: int


def standardised(deltas: NDArray[np.float64]) -> float:
    """Return d_z, the mean of paired differences over their standard deviation (divisor n - 1).

    NaN where there are fewer than two differences, or all are equal.

    Source: Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd edition (1988),
    section 2.3.5 (d'z); the sample's own standard deviation as in Lakens, "Calculating and
    reporting effect sizes", Frontiers in Psychology 4 (2013), equation 6.

    Args:
        deltas: float64 [n], B minus A.
    """
    if len(deltas) < 2:  # noqa: PLR2004 - one difference does not vary
        return math.nan
    spread = float(deltas.std(ddof=1))
    return float(deltas.mean()) / spread if spread > EQUAL else math.nan


def tally(deltas: NDArray[np.float64]) -> Tally:
    """Return how many queries B won, tied and lost.

    Args:
        deltas: float64 [n], B minus A.
    """
    wins = int(np.count_nonzero(deltas > EQUAL))
    losses = int(np.count_nonzero(deltas < -EQUAL))
    return Tally(wins=wins, ties=len(deltas) - wins - losses, losses=losses)
