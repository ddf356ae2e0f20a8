"""The numbers of a law that make the uses of memories, as they were, most likely."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.consolidation.decay.protocol import forecast
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.packages import optional

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from engram_lab.consolidation.decay.protocol import Law
    from engram_lab.consolidation.decay.traces import Gaps, Traces

__all__ = ["Fit", "fitted", "log_likelihood", "log_loss"]

_FITTED: Final[Mapping[str, tuple[str, ...]]] = {
    "exponential": ("half_life", "per_use", "rate"),
    "power": ("exponent", "scale", "per_use", "rate"),
    "act-r": ("decay", "rate"),
    "ebbinghaus": ("k", "c", "rate"),
}
"""What the times of uses tell of each law: threshold and noise are no part of its intensity."""

_LEAST: Final = 1e-6
_LOWEST: Final = 1e-12
"""A forecast is taken to be at least so far from 0 and from 1, as one miss would cost all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """A law as fitted.

    Attributes:
        law: With the most likely numbers.
        log_likelihood: Natural logarithm, of all gaps.
        gaps: How many times between uses were gone by.
        uses: How many of them ended in a use.
        converged: Whether the search ended by itself.
    """

    law: Law
    log_likelihood: float
    gaps: int
    uses: int
    converged: bool


def log_likelihood(law: Law, gaps: Gaps) -> float:
    """Return the logarithm of how likely a law makes the uses that were seen.

    Σ over the gaps of ln λ(end), where a use ended it, minus the integral of λ over it.

    Source: Daley and Vere-Jones, "An Introduction to the Theory of Point Processes" I (2003),
    proposition 7.2.III.
    """
    area = law.expected(gaps.before, gaps.days)
    ends = law.intensity(gaps.before.later(gaps.days))[gaps.used]
    return float(np.log(np.fmax(ends, np.finfo(float).tiny)).sum() - area.sum())


def fitted(law: Law, traces: Traces) -> Fit:
    """Return the law with those numbers that make the traces most likely.

    The search is over the logarithms of the numbers, and over the logit of ACT-R's decay, by the
    simplex of Nelder and Mead from where the law begins; the rate, which has a closed solution for
    given others (uses divided by the integral at rate 1), is not searched.

    Args:
        law: Of which kind, and where to begin.
        traces: Of as many memories as there are; without a single use after the making there is
            nothing to fit.

    Raises:
        InvalidInputError: No memory was used after it was made, or the law is not one of ours.
        MissingDependencyError: SciPy is absent.
    """
    names = tuple(name for name in _FITTED.get(law.name, ()) if name != "rate")
    if not names:
        raise InvalidInputError(
            f"the law {law.name!r} cannot be fitted: give one of {', '.join(_FITTED)}"
        )
    gaps = traces.gaps()
    if not gaps.used.any():
        raise InvalidInputError(
            "no memory was used after it was made: give traces with at least one later use"
        )
    optimize = optional(
        "scipy.optimize", package="scipy", feature="fitting a law of decay", extra="eval"
    )

    def with_values(values: NDArray[np.float64]) -> Any:
        told = {
            name: _number(name, each) for name, each in zip(names, values.tolist(), strict=True)
        }
        shaped: Any = replace(law, **told, rate=1.0)  # type: ignore[type-var]
        area = float(shaped.expected(gaps.before, gaps.days).sum())
        return replace(shaped, rate=float(gaps.used.sum()) / max(area, _LOWEST))

    def cost(values: NDArray[np.float64]) -> float:
        return -log_likelihood(with_values(values), gaps) / len(gaps)

    begin = np.array([_free(name, getattr(law, name)) for name in names])
    found = optimize.minimize(
        cost, begin, method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-10, "maxiter": 2000}
    )
    best = with_values(found.x)
    return Fit(
        law=best,
        log_likelihood=log_likelihood(best, gaps),
        gaps=len(gaps),
        uses=int(gaps.used.sum()),
        converged=bool(found.success),
    )


def log_loss(law: Law, traces: Traces, *, moment: float, days: float) -> NDArray[np.float64]:
    """Return -ln of the probability that a law gave to what happened, float64 [n].

    Of each memory that was made by a moment: whether it is used within so many days after it. The
    law sees the uses up to the moment alone.

    Source: Good, "Rational Decisions" (Journal of the Royal Statistical Society B 14, 1952): the
    logarithmic score.

    Args:
        law: Forecasts.
        traces: What happened.
        moment: When it forecasts, in days.
        days: How far; the traces must reach so far.

    Raises:
        InvalidInputError: The traces end before.
    """
    if moment + days > traces.end:
        raise InvalidInputError(
            f"the traces end at {traces.end:g}, before {moment + days:g}: forecast less far"
        )
    uses, rows = traces.at(moment)
    chance = np.clip(forecast(law, uses, days), _LOWEST, 1.0 - _LOWEST)
    happened = traces.used_within(moment, days)[rows]
    return np.asarray(-np.log(np.where(happened, chance, 1.0 - chance)), np.float64)


def _free(name: str, value: float) -> float:
    """Return a number of a law on a scale without bounds."""
    if name == "decay":
        return float(np.log(value / (1.0 - value)))
    return float(np.log(max(value, _LEAST)))


def _number(name: str, free: float) -> float:
    """Return the number of a law; the opposite of `_free`, within what floats can hold."""
    bounded = min(max(free, -30.0), 30.0)
    return float(1.0 / (1.0 + np.exp(-bounded)) if name == "decay" else np.exp(bounded))
