from __future__ import annotations

import math

import numpy as np
import pytest

from engram_lab.consolidation.decay import ActR, Exponential, Law, Power, forecast
from engram_lab.evaluation.consolidation.traces import DAYS, GENERATORS, make_trace

TRUE: dict[str, Law] = {
    "exponential": Exponential(half_life=5.0, rate=0.35),
    "power": Power(exponent=1.2, scale=1.0, rate=0.8),
    "act-r": ActR(decay=0.5, rate=0.035, form="exact"),
}


@pytest.mark.parametrize("law", list(GENERATORS))
def test_the_same_seed_gives_the_same_trace_and_another_another(law: str) -> None:
    first, again, other = (make_trace(law, 40, seed).times for seed in (3, 3, 4))

    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[:, 0], other[:, 0])


@pytest.mark.parametrize("law", list(GENERATORS))
def test_uses_rise_from_the_making_to_the_end(law: str) -> None:
    times = make_trace(law, 60, 1).times
    steps = np.diff(times, axis=1)

    assert (steps[~np.isnan(steps)] > 0).all()
    assert np.nanmax(times) <= DAYS
    assert (times[:, 0] <= DAYS / 3).all()


@pytest.mark.parametrize("law", list(TRUE))
def test_the_true_chance_is_what_the_law_itself_forecasts(law: str) -> None:
    trace = make_trace(law, 80, 2)
    uses, _ = trace.whole().at(60.0)

    told = forecast(TRUE[law], uses, 7.0)
    assert trace.chance_of_use(60.0, 7.0) == pytest.approx(told, rel=1e-6)


@pytest.mark.parametrize("law", list(GENERATORS))
def test_what_is_given_a_chance_comes_as_often(law: str) -> None:
    trace = make_trace(law, 3_000, 5)
    whole = trace.whole()
    chance = trace.chance_of_use(70.0, 7.0)
    used = whole.used_within(70.0, 7.0)[whole.at(70.0)[1]]
    error = math.sqrt(float((chance * (1 - chance)).sum()))

    assert abs(float(used.sum()) - float(chance.sum())) < 4 * error


def test_a_constant_rate_gives_intervals_of_that_mean() -> None:
    times = make_trace("poisson", 2_000, 6).times
    uses = int((~np.isnan(times[:, 1:])).sum())
    exposed = float((DAYS - times[:, 0]).sum())

    assert uses / exposed == pytest.approx(0.06, rel=0.03)


def test_what_is_known_on_a_day_holds_nothing_that_came_later() -> None:
    trace = make_trace("power", 50, 0)
    known = trace.until(30.0)

    assert known.end == 30.0
    assert (known.times <= 30.0).all()
    assert len(known) == int((trace.times[:, 0] < 30.0).sum())
