"""ACT-R base-level learning: each use leaves a trace that fades by a power, and traces add up."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from engram_lab.consolidation.decay.protocol import DAY_S, check_above
from engram_lab.core.checks import check_choice
from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from engram_lab.consolidation.decay.protocol import Uses

__all__ = ["ACT_R_FORMS", "ActR", "ActRForm"]

ActRForm = Literal["exact", "optimised", "hybrid"]
ACT_R_FORMS: Final[tuple[ActRForm, ...]] = get_args(ActRForm)

_LEAST_LAG: Final = 1.0 / DAY_S
"""One second, in days: a use just now has a finite trace."""
_SMALL: Final = 1e-9
_COARSE: Final = 1e-7
"""Below this share of the whole, a difference of sums keeps too few digits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ActR:
    """Base level B = ln Σ t^(-decay) over all uses t days ago; retention 1 / (1 + e^((τ - B) / s)).

    The sum itself, the odds that the memory is needed, times `rate` is the intensity. Three forms
    of the sum, by what is known of a memory:

    - `exact`: over every single use; needs `Uses.lags`.
    - `optimised`: count / (1 - d) · age^(-d), as if the uses were spread evenly over the age. Needs
      two numbers, and does not see how long ago the last use is.
    - `hybrid`: the last use exactly, the others evenly between the first and the last:
      t1^(-d) + (n - 1) · (tn^(1-d) - t1^(1-d)) / ((1 - d) · (tn - t1)). Needs three numbers, those
      that a store keeps.

    A lag below one second counts as one second.

    Source: Anderson and Schooler, "Reflections of the Environment in Memory" (1991); Anderson,
    Bothell, Lebiere and Matessa, "An Integrated Theory of List Memory" (Journal of Memory and
    Language 38, 1998), base-level equation, and equation for the probability of retrieval; the
    optimised form in Anderson and Lebiere, "The Atomic Components of Thought" (1998), §4; the
    hybrid, with one use kept, in Petrov, "Computationally Efficient Approximation of the Base-Level
    Learning Equation in ACT-R" (ICCM 2006), equation 6.

    Attributes:
        decay: d, above 0 and below 1.
        threshold: τ: at this base level one half is present. With lags in days, 0 is a memory that
            was used once, a day ago.
        noise: s, above 0: how gently presence falls around the threshold.
        form: Which sum.
        rate: Uses a day to be expected for odds of 1, above 0.

    Raises:
        InvalidInputError: One of them is out of its bounds.
    """

    decay: float = 0.5
    threshold: float = 0.0
    noise: float = 1.0
    form: ActRForm = "hybrid"
    rate: float = 0.1

    def __post_init__(self) -> None:
        check_above(self.noise, field="noise")
        check_above(self.rate, field="rate")
        check_choice(self.form, field="form", choices=ACT_R_FORMS)
        if not 0 < self.decay < 1:
            raise InvalidInputError(
                f"decay is {shown(self.decay)}: give a number above 0 and below 1"
            )
        if not -np.inf < self.threshold < np.inf:
            raise InvalidInputError(f"threshold is {shown(self.threshold)}: give a finite number")

    @property
    def name(self) -> str:
        """Its registered name."""
        return "act-r"

    @property
    def parameters(self) -> Mapping[str, float]:
        """Its numbers by name."""
        return MappingProxyType(
            {
                "decay": self.decay,
                "threshold": self.threshold,
                "noise": self.noise,
                "rate": self.rate,
            }
        )

    def base_level(self, uses: Uses) -> NDArray[np.float64]:
        """Return B of each memory, float64 [n]."""
        return np.asarray(np.log(self._odds(uses)), np.float64)

    def retention(self, uses: Uses) -> NDArray[np.float64]:
        """Return how present each memory is now; see `Law.retention`."""
        # Through the hyperbolic tangent, as e^x of a large x is no finite number.
        half = (self.base_level(uses) - self.threshold) / (2.0 * self.noise)
        return np.asarray(0.5 * (1.0 + np.tanh(half)), np.float64)

    def intensity(self, uses: Uses) -> NDArray[np.float64]:
        """Return the uses a day to be expected of each; see `Law.intensity`."""
        return self.rate * self._odds(uses)

    def expected(self, uses: Uses, days: ArrayLike) -> NDArray[np.float64]:
        """Return the integral of the intensity; see `Law.expected`.

        All forms have a closed one; within its first second a trace stands still.
        """
        more = np.broadcast_to(np.asarray(days, np.float64), uses.idle.shape)
        if self.form == "optimised":
            area = uses.count / (1.0 - self.decay) * self._area(uses.age, more)
        elif self.form == "exact":
            lags, starts = self._lags(uses)
            each = self._area(lags, np.repeat(more, uses.count.astype(np.int64)))
            area = np.add.reduceat(each, starts) if len(uses) else more
        else:
            area = self._area(uses.idle, more) + (uses.count - 1.0) * self._mean_area(uses, more)
        return np.asarray(self.rate * area, np.float64)

    def _odds(self, uses: Uses) -> NDArray[np.float64]:
        if self.form == "optimised":
            odds = uses.count / (1.0 - self.decay) * self._trace(uses.age)
        elif self.form == "exact":
            lags, starts = self._lags(uses)
            odds = np.add.reduceat(self._trace(lags), starts) if len(uses) else uses.idle
        else:
            odds = self._trace(uses.idle) + (uses.count - 1.0) * self._mean_trace(uses)
        return np.asarray(odds, np.float64)

    def _lags(self, uses: Uses) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        if uses.lags is None or uses.starts is None:
            raise InvalidInputError(
                "the exact form needs the time of every use: give `Uses.exact(...)`, or take the "
                "hybrid form, which needs the first, the last and their number"
            )
        return uses.lags, uses.starts

    def _trace(self, lags: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.fmax(lags, _LEAST_LAG) ** -self.decay, np.float64)

    def _mean_trace(self, uses: Uses) -> NDArray[np.float64]:
        """Return the mean of t^(-d) over t between the last use and the first."""
        left = 1.0 - self.decay
        last, first = np.fmax(uses.idle, _LEAST_LAG), np.fmax(uses.age, _LEAST_LAG)
        # By the ratio of both, as the difference of two near powers keeps no digits.
        wider = np.log(first / last)
        apart = wider > _SMALL
        safe = np.where(apart, wider, 1.0)
        share = np.expm1(left * safe) / (left * np.expm1(safe))
        return last**-self.decay * np.where(apart, share, 1.0)

    def _mean_area(self, uses: Uses, days: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the integral of the mean trace over so many days.

        With F(x) = x^(2-d) / ((1-d)(2-d)), first use tn and last use t1 days ago, over h days it is
        (F(tn + h) - F(tn) - F(t1 + h) + F(t1)) / (tn - t1). Where this difference keeps too few
        digits, all uses are near one lag, or h is short: then it is the area of that lag's trace.
        """
        two = 2.0 - self.decay
        last, first = np.fmax(uses.idle, _LEAST_LAG), np.fmax(uses.age, _LEAST_LAG)
        apart = (first - last) * days > _COARSE * first * (first + days)
        gap = np.where(apart, first - last, 1.0)
        ends = (first + days) ** two - first**two - (last + days) ** two + last**two
        middle = np.asarray(self._mean_trace(uses) ** (-1.0 / self.decay), np.float64)
        exact = ends / ((1.0 - self.decay) * two * gap)
        return np.where(apart, exact, self._area(middle, days))

    def _area(self, lags: NDArray[np.float64], days: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the integral of a trace from a lag on over so many days, the first second flat."""
        left = 1.0 - self.decay
        flat = np.clip(_LEAST_LAG - lags, 0.0, days)
        begin = np.fmax(lags, _LEAST_LAG)
        wider = np.log1p((days - flat) / begin)
        steep = begin**left * np.expm1(left * wider) / left
        return np.asarray(flat * _LEAST_LAG**-self.decay + steep, np.float64)
