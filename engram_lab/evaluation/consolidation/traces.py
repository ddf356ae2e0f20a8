"""Traces of use whose law is known: when each memory is used again follows from when it was used.

The laws are written out here once more, apart from those that are judged, so that an error in one
of these does not go into the traces too.

Each law is an intensity, in uses a day, that depends on the past uses of a memory alone. As these
do not change before the next use, the time of it is exact: with Λ(x) the integral of the intensity
over the next x days without a use and E an exponential draw, it comes after x where Λ(x) = E; and
within a horizon x there is one with the probability 1 - exp(-Λ(x)), which no forecast can beat.

Source: Daley and Vere-Jones, "An Introduction to the Theory of Point Processes" I (2003), §7.2 and
algorithm 7.4.III (inversion).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.consolidation.decay import Traces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["DAYS", "GENERATORS", "Trace", "make_trace"]

DAYS: Final = 120.0
"""How long a trace is; memories are made in its first third."""

_MOST_USES: Final = 400
_HALVINGS: Final = 60

Total = Callable[["NDArray[np.float64]", "NDArray[np.float64]"], "NDArray[np.float64]"]
"""Of days since each use, float64 [n, m], nan where there is none, and days to come, float64 [n]:
the integral of the intensity over these days, float64 [n]."""


def _exponential(lags: NDArray[np.float64], days: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half of 0.35 uses a day is left five days after the last use."""
    rate, fall = 0.35, np.log(2.0) / 5.0
    idle = np.nanmin(lags, axis=1)
    return np.asarray(rate / fall * np.exp(-fall * idle) * -np.expm1(-fall * days), np.float64)


def _power(lags: NDArray[np.float64], days: NDArray[np.float64]) -> NDArray[np.float64]:
    """0.8 uses a day, less by (1 + idle / 1 day)^-1.2."""
    rate, scale, exponent = 0.8, 1.0, 1.2
    idle = np.nanmin(lags, axis=1)
    near, far = 1 + idle / scale, 1 + (idle + days) / scale
    left = near ** (1 - exponent) - far ** (1 - exponent)
    return np.asarray(rate * scale / (exponent - 1) * left, np.float64)


def _act_r(lags: NDArray[np.float64], days: NDArray[np.float64]) -> NDArray[np.float64]:
    """0.035 uses a day for each past use, by lag^-0.5, added up."""
    rate, left = 0.035, 0.5
    grown = ((lags + days[:, None]) ** left - lags**left) / left
    return np.asarray(rate * np.nansum(grown, axis=1), np.float64)


def _poisson(lags: NDArray[np.float64], days: NDArray[np.float64]) -> NDArray[np.float64]:
    """0.06 uses a day, whatever was: nobody can know more than that."""
    del lags
    return 0.06 * days


GENERATORS: Final[Mapping[str, Total]] = MappingProxyType(
    {"exponential": _exponential, "power": _power, "act-r": _act_r, "poisson": _poisson}
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trace:
    """The uses of n memories, of which each was used for the first time when it was made.

    Attributes:
        law: By which they came.
        times: Days from the beginning, rising in each row; nan where there are no more, float64
            [n, m].
    """

    law: str
    times: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.times)

    def until(self, day: float) -> Traces:
        """Return what is known on a day, of the memories that were made before."""
        known = self.times[self.times[:, 0] < day]
        seen = known <= day
        counts = seen.sum(axis=1).astype(np.int64)
        return Traces(times=known[seen], counts=counts, end=day)

    def whole(self) -> Traces:
        """Return all of it."""
        return self.until(DAYS)

    def chance_of_use(self, day: float, horizon: float) -> NDArray[np.float64]:
        """Return the true probability of a use within a horizon of days, float64 [n].

        Of the memories that were made by then, in order.
        """
        known = self.times[self.times[:, 0] <= day]
        lags = np.where(known <= day, day - known, np.nan)
        days = np.full(len(known), horizon)
        return np.asarray(-np.expm1(-GENERATORS[self.law](lags, days)), np.float64)


def make_trace(law: str, memories: int, seed: int) -> Trace:
    """Return a trace; the same arguments give the same one.

    Args:
        law: A name of `GENERATORS`.
        memories: How many.
        seed: Of the draws.
    """
    rng = np.random.default_rng([seed, list(GENERATORS).index(law)])
    total = GENERATORS[law]
    times = rng.uniform(0.0, DAYS / 3, (memories, 1))
    alive = np.arange(memories)
    while len(alive) and times.shape[1] < _MOST_USES:
        now = times[alive]
        last = np.nanmax(now, axis=1)
        after = _next(total, last[:, None] - now, rng.exponential(size=len(alive)))
        following = np.full(memories, np.nan)
        following[alive] = np.where(last + after <= DAYS, last + after, np.nan)
        times = np.column_stack([times, following])
        alive = np.flatnonzero(~np.isnan(following))
    return Trace(law=law, times=times)


def _next(
    total: Total, lags: NDArray[np.float64], drawn: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return after how many days the integral reaches what was drawn; infinity for never here."""
    low, high = np.zeros(len(drawn)), np.full(len(drawn), DAYS)
    never = total(lags, high) < drawn
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        reached = total(lags, middle) >= drawn
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return np.where(never, np.inf, high)
