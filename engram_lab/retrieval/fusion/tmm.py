"""Theoretical min-max: as min-max, but from the least score that there can be."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.retrieval.fusion.protocol import Normalised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["TheoreticalMinMax"]

_SLACK: Final = 1e-5
"""By how much rounding in 32 bits may put a score, such as a cosine, below its least."""


@dataclass(frozen=True, kw_only=True)
class TheoreticalMinMax:
    """value = (score - least) / (highest - least): `least` of the scorer, `highest` of the list.

    Unlike with `MinMax`, the last of a list still counts for more than what the arm had not, which
    is 0, and a list that is good throughout is told from one that is not. Where the highest score
    is the least there can be, all are 0.

    Source: Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (ACM
    Transactions on Information Systems 42, 2023), section 4, TMM.

    Attributes:
        least: For each arm the least score that there can be: 0 for BM25, -1 for a cosine.

    Raises:
        InvalidInputError: A least score is no finite number.
    """

    least: Mapping[str, float] = field(hash=False)

    def __post_init__(self) -> None:
        for arm, value in self.least.items():
            if not math.isfinite(value):
                raise InvalidInputError(
                    f"the least score of arm {arm!r} is {shown(value)}: give a finite number"
                )
        object.__setattr__(self, "least", MappingProxyType(dict(self.least)))

    def normalise(self, scores: NDArray[np.float64], *, arm: str) -> Normalised:
        """Return the values; see `Normaliser.normalise`.

        Raises:
            InvalidInputError: The arm's least score is not given, or a score lies below it.
        """
        if arm not in self.least:
            raise InvalidInputError(
                f"arm {arm!r} has no least score: there are those of "
                f"{', '.join(sorted(self.least)) or 'no arm'}"
            )
        least = self.least[arm]
        if not scores.size:
            return Normalised(scores, 0.0)
        highest, lowest = float(scores[0]), float(scores[-1])
        if lowest < least - _SLACK * max(1.0, abs(least)):
            raise InvalidInputError(
                f"arm {arm!r} has the score {lowest!r}, and its least is said to be {least!r}: "
                "give a least score that holds"
            )
        if highest <= least:
            return Normalised(np.zeros(len(scores)), 0.0)
        above = np.maximum(scores * 0.5 - least * 0.5, 0.0)  # halves: see `unit_range`
        return Normalised(above / above[0] if above[0] else above, 0.0)
