"""Exponential forgetting: half is left after each half-life, which uses lengthen."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.consolidation.decay.protocol import check_above
from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from engram_lab.consolidation.decay.protocol import Uses

__all__ = ["Exponential"]

_LN2: Final = float(np.log(2.0))


@dataclass(frozen=True, kw_only=True, slots=True)
class Exponential:
    """Retention = 2^(-idle / (half_life · (1 + per_use · (count - 1)))).

    The intensity is rate times it.
    Between two uses it composes: what is left after a + b days is the product of what is left after
    a and after b. So a store that lets a share fade at each pass fades by how often it passes; here
    retention follows from the idle time alone, and no pass takes anything away.

    Source: Wixted and Ebbesen, "On the Form of Forgetting" (Psychological Science 2, 1991),
    exponential y = a·e^(-bt), there found to fit worse than the power law, and kept as the null.
    The stretch by uses as in e^(-decay · days / (1 + 0.1 · accesses)), a rule in use.

    Attributes:
        half_life: Days until half is left after a single use, above 0.
        per_use: By what share of it each further use lengthens the half-life, from 0.
        rate: Uses a day to be expected right after a use, above 0.

    Raises:
        InvalidInputError: One of them is out of its bounds.
    """

    half_life: float = 14.0
    per_use: float = 0.0
    rate: float = 0.1

    def __post_init__(self) -> None:
        check_above(self.half_life, field="half_life")
        check_above(self.rate, field="rate")
        if not 0 <= self.per_use < np.inf:
            raise InvalidInputError(f"per_use is {shown(self.per_use)}: give a number from 0")

    @property
    def name(self) -> str:
        """Its registered name."""
        return "exponential"

    @property
    def parameters(self) -> Mapping[str, float]:
        """Its numbers by name."""
        return MappingProxyType(
            {"half_life": self.half_life, "per_use": self.per_use, "rate": self.rate}
        )

    def retention(self, uses: Uses) -> NDArray[np.float64]:
        """Return how present each memory is now; see `Law.retention`."""
        return np.asarray(np.exp2(-uses.idle / self._half_lives(uses)), np.float64)

    def intensity(self, uses: Uses) -> NDArray[np.float64]:
        """Return the uses a day to be expected of each; see `Law.intensity`."""
        return self.rate * self.retention(uses)

    def expected(self, uses: Uses, days: ArrayLike) -> NDArray[np.float64]:
        """Return the integral of the intensity; see `Law.expected`."""
        half_lives = self._half_lives(uses)
        share = -np.expm1(-np.asarray(days) * _LN2 / half_lives)
        return np.asarray(self.intensity(uses) * half_lives / _LN2 * share, np.float64)

    def _half_lives(self, uses: Uses) -> NDArray[np.float64]:
        return self.half_life * (1.0 + self.per_use * (uses.count - 1.0))
