"""Fits find the law that made the uses, and the law that made them forecasts them best."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate

from engram_lab.consolidation.decay import (
    ActR,
    Exponential,
    Law,
    Power,
    Traces,
    fitted,
    log_likelihood,
    log_loss,
    simulated,
)
from engram_lab.core.errors import InvalidInputError

MADE = np.linspace(0.0, 60.0, 600)

TRUE: tuple[Law, ...] = (
    Exponential(half_life=6.0, per_use=0.3, rate=0.25),
    Power(exponent=0.8, scale=0.5, per_use=0.2, rate=1.0),
    ActR(decay=0.5, rate=0.05, form="exact"),
)


def name_of(law: Law) -> str:
    return law.name


@pytest.fixture(scope="module")
def traces() -> dict[str, Traces]:
    """Return what each law would have 600 memories do in 120 days."""
    return {law.name: simulated(law, made=MADE, end=120.0, seed=11) for law in TRUE}


@pytest.mark.parametrize("law", TRUE, ids=name_of)
def test_a_fit_recovers_the_law_that_made_the_uses(law: Law, traces: dict[str, Traces]) -> None:
    starts: dict[str, Law] = {
        "exponential": Exponential(),
        "power": Power(),
        "act-r": ActR(decay=0.3, form="exact"),
    }
    fit = fitted(starts[law.name], traces[law.name])
    assert fit.converged
    assert fit.uses > 500
    true = log_likelihood(law, traces[law.name].gaps())
    assert 0 <= fit.log_likelihood - true < 10  # Wilks: twice the difference is χ² of four or less
    close = {"half_life": 0.25, "exponent": 0.25, "decay": 0.1, "rate": 0.25}
    for name, share in close.items():
        if name in law.parameters and not (law.name == "power" and name == "rate"):
            found, was = fit.law.parameters[name], law.parameters[name]
            assert found == pytest.approx(was, rel=share), name


@pytest.mark.parametrize("law", TRUE, ids=name_of)
def test_the_law_that_made_the_uses_forecasts_them_best(
    law: Law, traces: dict[str, Traces]
) -> None:
    seen = traces[law.name]
    own = log_loss(law, seen, moment=90.0, days=7.0).mean()
    happened = seen.used_within(90.0, 7.0)[seen.at(90.0)[1]]
    base = happened.mean()
    ignorant = -(base * np.log(base) + (1 - base) * np.log1p(-base))
    assert own < ignorant
    for other in TRUE:
        if other != law:
            assert own < log_loss(other, seen, moment=90.0, days=7.0).mean()


def test_the_likelihood_is_that_of_a_poisson_process_where_nothing_fades() -> None:
    """At a half-life without end: uses · ln rate - rate · days, by hand."""
    seen = Traces.of([[0.0, 2.0, 5.0], [1.0]], end=10.0)
    law = Exponential(half_life=1e12, rate=0.3)
    by_hand = 2 * np.log(0.3) - 0.3 * (10.0 + 9.0)
    assert log_likelihood(law, seen.gaps()) == pytest.approx(by_hand)


def test_the_likelihood_agrees_with_numeric_integration() -> None:
    law = Power(exponent=1.3, scale=2.0, rate=0.4)
    seen = Traces.of([[0.0, 3.0]], end=8.0)

    def height(idle: float) -> float:
        return float(0.4 * (1 + idle / 2.0) ** -1.3)

    area = integrate.quad(height, 0, 3)[0] + integrate.quad(height, 0, 5)[0]
    assert log_likelihood(law, seen.gaps()) == pytest.approx(np.log(height(3)) - area)


def test_gaps_know_what_was_before_them() -> None:
    gaps = Traces.of([[0.0, 2.0, 5.0], [1.0]], end=10.0).gaps()
    assert gaps.days.tolist() == [2.0, 3.0, 5.0, 9.0]
    assert gaps.used.tolist() == [True, True, False, False]
    assert gaps.before.count.tolist() == [1, 2, 3, 1]
    assert gaps.before.idle.tolist() == [0, 0, 0, 0]
    assert gaps.before.age.tolist() == [0, 2, 5, 0]
    assert gaps.before.lags is not None
    assert gaps.before.lags.tolist() == [0, 2, 0, 5, 3, 0, 0]


def test_a_forecaster_sees_nothing_of_what_comes_after() -> None:
    seen = Traces.of([[0.0, 4.0, 6.0], [5.0], [1.0, 2.0]], end=10.0)
    uses, rows = seen.at(4.0)
    assert rows.tolist() == [0, 2]
    assert uses.idle.tolist() == [0.0, 2.0]
    assert uses.age.tolist() == [4.0, 3.0]
    assert seen.used_within(4.0, 2.0).tolist() == [True, True, False]
    assert seen.used_within(6.0, 4.0).tolist() == [False, False, False]


def test_the_same_seed_gives_the_same_traces_and_another_gives_others() -> None:
    law = ActR(rate=0.1, form="exact")
    one, two, other = (simulated(law, made=MADE[:20], end=50.0, seed=each) for each in (1, 1, 2))
    assert one.times.tolist() == two.times.tolist() != other.times.tolist()


def test_simulated_uses_are_as_many_as_expected() -> None:
    """Without fading, a Poisson count of mean 0.5 · 40 for each of 400 memories."""
    seen = simulated(Exponential(half_life=1e12, rate=0.5), made=np.zeros(400), end=40.0, seed=5)
    assert (seen.counts - 1).mean() == pytest.approx(20.0, abs=4 * (20.0 / 400) ** 0.5)


def test_bad_traces_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="must rise"):
        Traces.of([[2.0, 1.0]], end=5.0)
    with pytest.raises(InvalidInputError, match="none may lie after the end"):
        Traces.of([[2.0, 9.0]], end=5.0)
    with pytest.raises(InvalidInputError, match="not as many as counted"):
        Traces(times=np.array([1.0]), counts=np.array([2]), end=3.0)
    with pytest.raises(InvalidInputError, match="no memory was used"):
        fitted(Power(), Traces.of([[0.0], [1.0]], end=4.0))
    with pytest.raises(InvalidInputError, match="the traces end at 4"):
        log_loss(Power(), Traces.of([[0.0]], end=4.0), moment=2.0, days=3.0)
