"""Every law of forgetting keeps the promises of `Law`, and says what its source says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.config import DreamSettings
from engram_lab.consolidation.decay import (
    LAWS,
    ActR,
    Ebbinghaus,
    Exponential,
    Law,
    Power,
    Uses,
    forecast,
    law_of,
)
from engram_lab.core.errors import InvalidInputError

LAWS_HERE: tuple[Law, ...] = (
    Exponential(half_life=7, per_use=0.1),
    Exponential(),
    Power(),
    Power(exponent=1.0, scale=3.0, per_use=0.5),
    Power(exponent=2.5),
    ActR(),
    ActR(decay=0.8, threshold=-1.0, noise=0.3),
    ActR(form="optimised"),
    ActR(form="exact"),
    Ebbinghaus(),
)

days = st.floats(0, 4000, allow_nan=False)
histories = st.lists(days, min_size=1, max_size=12)
laws = st.sampled_from(LAWS_HERE)


def told(lags: list[float]) -> Uses:
    """Return the uses of one memory by the days since each."""
    return Uses.exact(np.array(lags), np.array([len(lags)]))


@given(laws, histories, days, days)
def test_what_is_not_used_never_becomes_more_present(
    law: Law, lags: list[float], one: float, two: float
) -> None:
    sooner, later = sorted((one, two))
    before = law.retention(told(lags).later(sooner))[0]
    after = law.retention(told(lags).later(later))[0]
    assert 0 <= after <= before + 1e-12 <= 1 + 1e-12


@given(laws, histories, days)
def test_a_further_use_never_lowers_it(law: Law, lags: list[float], when: float) -> None:
    # Between the first use and now, as nothing is used before it is made.
    more = [*lags, min(when, max(lags))]
    assert law.retention(told(more))[0] >= law.retention(told(lags))[0] - 1e-12


@given(laws, histories, days, days)
def test_forecasts_are_chances_that_grow_with_the_horizon(
    law: Law, lags: list[float], one: float, two: float
) -> None:
    near, far = sorted((one, two))
    low, high = forecast(law, told(lags), near)[0], forecast(law, told(lags), far)[0]
    assert 0 <= low <= high + 1e-9
    assert high <= 1
    assert forecast(law, told(lags), 0.0)[0] == 0


@given(laws, histories, st.floats(0, 300), st.floats(0, 300))
def test_what_is_expected_adds_up_over_time(
    law: Law, lags: list[float], one: float, two: float
) -> None:
    uses = told(lags)
    whole = law.expected(uses, one + two)[0]
    parts = law.expected(uses, one)[0] + law.expected(uses.later(one), two)[0]
    # The hybrid form moves the first use with the last while that is younger than a second.
    assert whole == pytest.approx(parts, rel=2e-3, abs=2e-3)


@pytest.mark.parametrize("law", LAWS_HERE, ids=str)
@pytest.mark.parametrize("lags", [[3.0], [0.5, 40.0], [10.0, 10.0, 10.001], [1.0, 2.0, 300.0]])
def test_what_is_expected_is_the_area_under_the_intensity(law: Law, lags: list[float]) -> None:
    uses, over = told(lags), 45.0
    ends = np.concatenate([[0.0], np.geomspace(1e-6, over, 20_001)])
    heights = np.array([law.intensity(uses.later(each))[0] for each in ends[::100]])
    fine = np.interp(ends, ends[::100], heights)
    assert law.expected(uses, over)[0] == pytest.approx(np.trapezoid(fine, ends), rel=2e-3)


@given(days, days, st.integers(1, 50))
def test_the_exponential_composes(one: float, two: float, count: int) -> None:
    law = Exponential(half_life=9.0, per_use=0.2)

    def left(idle: float) -> float:
        return float(law.retention(Uses.of(idle=[idle], age=[9000.0], count=[count]))[0])

    assert left(one + two) == pytest.approx(left(one) * left(two), rel=1e-9)


def test_half_is_left_after_a_half_life() -> None:
    uses = Uses.of(idle=[14.0, 28.0], age=[14.0, 28.0], count=[1, 1])
    assert Exponential(half_life=14.0).retention(uses).tolist() == [0.5, 0.25]


def test_a_power_loses_ever_less_where_an_exponential_goes_to_nothing() -> None:
    year = Uses.of(idle=[365.0], age=[365.0], count=[1])
    assert Power(exponent=0.5, scale=1.0).retention(year)[0] == pytest.approx(366**-0.5)
    assert Exponential(half_life=14.0).retention(year)[0] < 1e-7


def test_ebbinghaus_finds_what_he_fitted() -> None:
    """The calculated values of his table in §29, in percent."""
    minutes = np.array([20.0, 64.0, 526.0, 1440.0, 2 * 1440.0, 6 * 1440.0, 31 * 1440.0])
    saved = [57.0, 46.7, 34.5, 30.4, 28.1, 24.9, 21.2]
    uses = Uses.of(idle=minutes / 1440, age=minutes / 1440, count=np.ones(7))
    assert Ebbinghaus().retention(uses) * 100 == pytest.approx(saved, abs=0.35)


def test_base_level_of_act_r_by_hand() -> None:
    """Uses 1, 4 and 9 days ago at d = 1/2: 1 + 1/2 + 1/3."""
    uses = told([1.0, 4.0, 9.0])
    assert ActR(form="exact").base_level(uses)[0] == pytest.approx(np.log(11 / 6))
    optimised = np.log(3 / 0.5) - 0.5 * np.log(9)
    assert ActR(form="optimised").base_level(uses)[0] == pytest.approx(optimised)
    hybrid = np.log(1 + 2 * (9**0.5 - 1) / (0.5 * 8))
    assert ActR(form="hybrid").base_level(uses)[0] == pytest.approx(hybrid)


@pytest.mark.parametrize(("count", "apart"), [(10, -0.2308), (100, -0.0731), (1000, -0.0231)])
def test_the_optimised_form_is_near_the_exact_one_for_even_uses(count: int, apart: float) -> None:
    """By Euler and Maclaurin ln(1 + ζ(1/2) ÷ 2√n + 1 ÷ 4n - 1 ÷ 48n²), ζ(1/2) = -1.4603545."""
    uses = told([100.0 * (place + 1) / count for place in range(count)])
    exact = ActR(form="exact").base_level(uses)[0]
    optimised = ActR(form="optimised").base_level(uses)[0]
    series = np.log1p(-1.4603545 / (2 * count**0.5) + 1 / (4 * count) - 1 / (48 * count**2))
    assert exact - optimised == pytest.approx(series, abs=1e-5)
    assert exact - optimised == pytest.approx(apart, abs=1e-4)


def test_the_hybrid_form_keeps_its_digits_where_uses_lie_close_together() -> None:
    """Two uses a tenth of a millisecond apart are two uses at one moment."""
    close, one = told([400.0, 400.0 + 1e-9]), told([400.0, 400.0])
    assert ActR().expected(close, 1e-3) == pytest.approx(ActR().expected(one, 1e-3), rel=1e-6)
    assert ActR().base_level(close) == pytest.approx(ActR().base_level(one), rel=1e-6)


def test_the_hybrid_form_is_nearer_than_the_optimised_one_where_uses_come_in_bouts() -> None:
    """Petrov (2006), figure 1: soon after a use the optimised form is off, the hybrid is not."""
    chance = np.random.default_rng(3)
    worst = {"hybrid": 0.0, "optimised": 0.0}
    for _ in range(200):
        lags = np.concatenate([chance.exponential(0.05, 1), chance.uniform(20, 200, 9)])
        uses = told(lags.tolist())
        exact = ActR(form="exact").base_level(uses)[0]
        worst["hybrid"] = max(worst["hybrid"], abs(ActR().base_level(uses)[0] - exact))
        apart = abs(ActR(form="optimised").base_level(uses)[0] - exact)
        worst["optimised"] = max(worst["optimised"], apart)
    assert worst["hybrid"] < 0.35
    assert worst["optimised"] > 3 * worst["hybrid"]


def test_a_memory_never_read_and_one_from_the_future_are_well_defined() -> None:
    uses = Uses.of(idle=[-5.0, np.nan, 0.0], age=[-9.0, np.nan, 0.0], count=[0, 0, 1])
    for law in LAWS_HERE:
        if law != ActR(form="exact"):
            assert law.retention(uses) == pytest.approx(law.retention(uses)[2])
            assert np.isfinite(law.expected(uses, 10.0)).all()


def test_no_memories_are_no_trouble() -> None:
    nothing = Uses.exact(np.empty(0), np.empty(0, np.int64))
    for law in LAWS_HERE:
        assert len(law.retention(nothing)) == len(law.expected(nothing, 3.0)) == 0


def test_the_exact_form_asks_for_every_use() -> None:
    with pytest.raises(InvalidInputError, match="needs the time of every use"):
        ActR(form="exact").retention(Uses.of(idle=[1.0], age=[2.0], count=[3]))


@pytest.mark.parametrize(
    ("law", "said"),
    [
        (lambda: Exponential(half_life=0.0), "half_life is '0.0'"),
        (lambda: Exponential(per_use=-1.0), "per_use is '-1.0'"),
        (lambda: Power(exponent=float("inf")), "exponent is 'inf'"),
        (lambda: Power(scale=-1.0), "scale is '-1.0'"),
        (lambda: ActR(decay=1.0), "decay is '1.0': give a number above 0 and below 1"),
        (lambda: ActR(noise=0.0), "noise is '0.0'"),
        (lambda: ActR(threshold=float("nan")), "threshold is 'nan'"),
        (lambda: ActR(form="guess"), "form is 'guess'"),  # type: ignore[arg-type]
        (lambda: Ebbinghaus(k=0.0), "k is '0.0'"),
    ],
)
def test_a_law_refuses_numbers_that_make_no_sense(law: object, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        law()  # type: ignore[operator]


def test_settings_name_a_law_and_its_numbers() -> None:
    assert set(LAWS.names()) >= {"act-r", "ebbinghaus", "exponential", "power"}
    settings = DreamSettings(decay_law="exponential", decay_half_life_days=3.0, decay_per_use=0.0)
    assert law_of(settings) == Exponential(half_life=3.0)
    assert law_of(DreamSettings(decay_law="act-r", decay_noise=0.4)) == ActR(noise=0.4)
    assert law_of(DreamSettings(decay_law="ebbinghaus")) == Ebbinghaus()
    with pytest.raises(InvalidInputError, match=r"law of decay 'linear'.*exponential"):
        law_of(DreamSettings(decay_law="linear"))
