"""Forgetting by a power of time: fast at first, then ever slower."""

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

__all__ = ["Power"]

_NEAR_ONE: Final = 1e-9
"""So near 1 an exponent is taken for 1, whose integral is a logarithm."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Power:
    """Retention = (1 + idle / (scale · (1 + per_use · (count - 1))))^(-exponent).

    The intensity is rate times it. The longer a memory was not used, the less it loses in a further
    day, so that the old that still holds is not driven to nothing.

    Source: Wixted and Ebbesen, "On the Form of Forgetting" (Psychological Science 2, 1991), y =
    a·t^(-b), of six forms the best fit; Anderson and Schooler, "Reflections of the Environment in
    Memory" (Psychological Science 2, 1991): the odds of being needed fall by a power of the time
    since the last need. The shift by 1, which keeps it finite at 0: Wickens, "On the Form of
    Forgetting" (Psychological Science 10, 1999), equation for (1 + βt)^(-ψ).

    Attributes:
        exponent: How steep, above 0.
        scale: Days after which it has fallen to 2^(-exponent) after a single use, above 0.
        per_use: By what share of it each further use lengthens the scale, from 0.
        rate: Uses a day to be expected right after a use, above 0.

    Raises:
        InvalidInputError: One of them is out of its bounds.
    """

    exponent: float = 0.5
    scale: float = 1.0
    per_use: float = 0.0
    rate: float = 0.1

    def __post_init__(self) -> None:
        check_above(self.exponent, field="exponent")
        check_above(self.scale, field="scale")
        check_above(self.rate, field="rate")
        if not 0 <= self.per_use < np.inf:
            raise InvalidInputError(f"per_use is {shown(self.per_use)}: give a number from 0")

    @property
    def name(self) -> str:
        """Its registered name."""
        return "power"

    @property
    def parameters(self) -> Mapping[str, float]:
        """Its numbers by name."""
        return MappingProxyType(
            {
                "exponent": self.exponent,
                "scale": self.scale,
                "per_use": self.per_use,
                "rate": self.rate,
            }
        )

    def retention(self, uses: Uses) -> NDArray[np.float64]:
        """Return how present each memory is now; see `Law.retention`."""
        logs = np.log1p(uses.idle / self._scales(uses))
        return np.asarray(np.exp(-self.exponent * logs), np.float64)

    def intensity(self, uses: Uses) -> NDArray[np.float64]:
        """Return the uses a day to be expected of each; see `Law.intensity`."""
        return self.rate * self.retention(uses)

    def expected(self, uses: Uses, days: ArrayLike) -> NDArray[np.float64]:
        """Return the integral of the intensity; see `Law.expected`.

        With z = 1 + idle / scale and c = days / (scale · z), it is
        rate · scale · z^(1-b) · ((1 + c)^(1-b) - 1) / (1 - b), and the logarithm where b is 1.
        """
        scales = self._scales(uses)
        near = np.log1p(uses.idle / scales)
        wider = np.log1p(np.asarray(days) / (scales + uses.idle))
        left = 1.0 - self.exponent
        grown = wider if abs(left) < _NEAR_ONE else np.expm1(left * wider) / left
        return np.asarray(self.rate * scales * np.exp(left * near) * grown, np.float64)

    def _scales(self, uses: Uses) -> NDArray[np.float64]:
        return self.scale * (1.0 + self.per_use * (uses.count - 1.0))
