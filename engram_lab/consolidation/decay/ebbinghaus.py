"""Ebbinghaus' own curve: what relearning saves after a time, as he measured and fitted it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.consolidation.decay.protocol import check_above

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from engram_lab.consolidation.decay.protocol import Uses

__all__ = ["Ebbinghaus"]

_MINUTES: Final = 1440.0
"""Of a day."""
_NODES: Final = 48


@dataclass(frozen=True, kw_only=True, slots=True)
class Ebbinghaus:
    """Retention = k / ((log10 t)^c + k), t minutes since the last use, 1 within the first minute.

    The often-told exponential e^(-t/S) is not his. The number of uses does not enter.

    Source: Ebbinghaus, "Über das Gedächtnis" (1885), §29: b = 100k / ((log t)^c + k), k = 1.84 and
    c = 1.25; after 20 minutes 58.2 % were saved, after a day 33.7 %, after 31 days 21.1 %.

    Attributes:
        k: Above 0.
        c: Above 0.
        rate: Uses a day to be expected right after a use, above 0.

    Raises:
        InvalidInputError: One of them is not above 0.
    """

    k: float = 1.84
    c: float = 1.25
    rate: float = 0.1

    def __post_init__(self) -> None:
        for name in ("k", "c", "rate"):
            check_above(getattr(self, name), field=name)

    @property
    def name(self) -> str:
        """Its registered name."""
        return "ebbinghaus"

    @property
    def parameters(self) -> Mapping[str, float]:
        """Its numbers by name."""
        return MappingProxyType({"k": self.k, "c": self.c, "rate": self.rate})

    def retention(self, uses: Uses) -> NDArray[np.float64]:
        """Return how present each memory is now; see `Law.retention`."""
        return self._saved(uses.idle)

    def intensity(self, uses: Uses) -> NDArray[np.float64]:
        """Return the uses a day to be expected of each; see `Law.intensity`."""
        return self.rate * self.retention(uses)

    def expected(self, uses: Uses, days: ArrayLike) -> NDArray[np.float64]:
        """Return the integral of the intensity; see `Law.expected`.

        It has no closed form: it is taken over the logarithm of time by 48 nodes of Gauss and
        Legendre, right to about one millionth.
        """
        begin, more = uses.idle, np.broadcast_to(np.asarray(days, np.float64), uses.idle.shape)
        # The first minute is flat, and begins a kink: it is counted by itself.
        flat = np.clip(1.0 / _MINUTES - begin, 0.0, more)
        low = np.log(np.fmax(begin, 1.0 / _MINUTES))
        high = np.log(np.fmax(begin + more, np.exp(low)))
        area = np.zeros(len(uses))
        for place, share in _nodes():
            lag = np.exp(low + (high - low) * place)
            area += share * lag * self._saved(lag)
        return np.asarray(self.rate * (flat + area * (high - low)), np.float64)

    def _saved(self, days: NDArray[np.float64]) -> NDArray[np.float64]:
        logs = np.log10(np.fmax(days * _MINUTES, 1.0))
        return np.asarray(self.k / (logs**self.c + self.k), np.float64)


@cache
def _nodes() -> tuple[tuple[float, float], ...]:
    """Return the places of the nodes within [0, 1], and the share of each; made once."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    # Squares pack the nodes near the beginning, where the curve is steep.
    places, shares = ((nodes + 1.0) / 2.0) ** 2, weights * (nodes + 1.0) / 2.0
    return tuple(zip(places.tolist(), shares.tolist(), strict=True))
