"""Task 6: whether a law of forgetting foretells which memories will be used again."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.consolidation.decay import ActR, Ebbinghaus, Exponential, Power, fitted, forecast
from engram_lab.evaluation.consolidation.outcome import Curve, Observed, Outcome
from engram_lab.evaluation.consolidation.traces import GENERATORS, make_trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from engram_lab.consolidation.decay import Law, Traces
    from engram_lab.evaluation.consolidation.outcome import Setting
    from engram_lab.evaluation.consolidation.traces import Trace

__all__ = ["FORECASTERS", "Forecasting", "log_loss", "reliability"]

FORECASTERS: Final[Mapping[str, Law]] = MappingProxyType(
    {
        "exponential": Exponential(),
        "power": Power(),
        "act-r": ActR(form="hybrid"),
        "act-r-exact": ActR(form="exact"),
        "ebbinghaus": Ebbinghaus(),
    }
)
"""The laws, each where its fit begins. `act-r` goes by what a store keeps of a memory: its first
and its last use, and how many; `act-r-exact` by every single one."""

_FEWEST, _MOST = 200, 500
_HORIZON: Final = 7.0
_FIRST_PART: Final = 60.0
_CUTS: Final = (60.0, 73.0, 86.0, 99.0, 112.0)
_LEAST: Final = 1e-6
"""No forecast is surer than that."""
_BINS: Final = 10
_Z: Final = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecasting:
    """Fits each law on the first part of traces, and lets it foretell the second.

    What is foretold is whether a memory is used again within seven days. `base_rate` is the null:
    the share of the first part, for everything alike. `true_law` knows by what the trace came.
    """

    name: str = field(default="forecasting", init=False)

    def run(self, setting: Setting) -> Outcome:
        """Return the log-loss of each law on each trace, and how its forecasts are calibrated."""
        memories = max(_FEWEST, min(_MOST, setting.size))
        observed: list[Observed] = []
        told: dict[str, list[tuple[NDArray[np.float64], NDArray[np.bool_]]]] = {}
        facts: list[tuple[str, float]] = [("forecasting.memories", float(memories))]
        for generator in GENERATORS:
            setting.say(f"fitting {len(FORECASTERS)} laws to a trace of {generator}")
            trace = make_trace(generator, memories, setting.seed)
            whole = trace.whole()
            for system, chances in _forecasts(trace, whole):
                for day, chance in zip(_CUTS, chances, strict=True):
                    rows = whole.at(day)[1]
                    used = whole.used_within(day, _HORIZON)[rows]
                    told.setdefault(system, []).append((chance, used))
                    losses = zip(rows.tolist(), log_loss(chance, used).tolist(), strict=True)
                    observed += [
                        _observed(system, generator, row, day, loss) for row, loss in losses
                    ]
            shares = [whole.used_within(day, _HORIZON)[whole.at(day)[1]] for day in _CUTS]
            facts.append(
                (f"forecasting.used_again.{generator}", float(np.concatenate(shares).mean()))
            )
        curves = [reliability(system, pairs) for system, pairs in told.items()]
        return Outcome(
            task=self.name, observed=tuple(observed), curves=tuple(curves), facts=tuple(facts)
        )


def log_loss(chance: NDArray[np.float64], used: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return -ln of the probability that was given to what came, float64 [n], in nats.

    Source: Good, "Rational Decisions" (Journal of the Royal Statistical Society B 14, 1952).

    Args:
        chance: float64 [n]; taken to be at least 1e-6 from 0 and from 1.
        used: bool [n].
    """
    sure = np.clip(chance, _LEAST, 1 - _LEAST)
    return np.asarray(-np.log(np.where(used, sure, 1 - sure)), np.float64)


def _forecasts(trace: Trace, whole: Traces) -> Iterator[tuple[str, list[NDArray[np.float64]]]]:
    """Yield what each system foretells on each day of the second part, of what was made by then."""
    first = trace.until(_FIRST_PART)
    for name, law in FORECASTERS.items():
        known = fitted(law, first).law
        yield name, [forecast(known, whole.at(day)[0], _HORIZON) for day in _CUTS]
    share = _base_rate(first)
    yield "base_rate", [np.full(len(whole.at(day)[1]), share) for day in _CUTS]
    yield "true_law", [trace.chance_of_use(day, _HORIZON) for day in _CUTS]


def _base_rate(first: Traces) -> float:
    """Return how often a memory of the first part was used within a horizon of any of its days."""
    days = np.arange(_HORIZON, first.end - _HORIZON + 1.0)
    used = [first.used_within(day, _HORIZON)[first.at(day)[1]] for day in days.tolist()]
    return float(np.concatenate(used).mean())


def _observed(system: str, generator: str, row: int, day: float, loss: float) -> Observed:
    return Observed(
        system=system,
        measure="reaccess_log_loss",
        unit=f"{generator} trace::{row:04}-day-{day:.0f}",
        cluster=f"{generator}-{row:04}",
        value=loss,
    )


def reliability(
    system: str, pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]]
) -> Curve:
    """Return how often what was given a chance came, in tenths of the forecasts by rising chance.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (Journal
    of the American Statistical Association 22, 1927), for the interval.

    Args:
        system: Who foretold.
        pairs: Chances, float64 [n], and what came, bool [n].
    """
    chance = np.concatenate([each for each, _ in pairs])
    used = np.concatenate([each for _, each in pairs])
    x, y, low, high = [], [], [], []
    for some in np.array_split(np.argsort(chance, kind="stable"), min(_BINS, len(chance))):
        n, share = len(some), float(used[some].mean())
        middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n * n))
        x.append(float(chance[some].mean()))
        y.append(share)
        low.append(min(share, max(0.0, middle - half)))
        high.append(max(share, min(1.0, middle + half)))
    return Curve("reliability", system, tuple(x), tuple(y), tuple(low), tuple(high))
