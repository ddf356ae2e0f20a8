from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.statistics.randomisation import least_p, randomisation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.evaluation.statistics.randomisation import Alternative

ALTERNATIVES: list[Alternative] = ["less", "two-sided"]
QUARTERS = st.integers(-4, 4).map(lambda each: each / 4)
TENTHS = st.integers(-10, 10).map(lambda each: each / 10)
CLUSTERS = ["a", "b", "c", "d", "e", "f", "a", "c", "a", "b"]


def column(values: list[float]) -> NDArray[np.float64]:
    return np.array(values, np.float64)[:, None]


def p_of(
    values: list[float],
    alternative: Alternative,
    clusters: list[str] | None = None,
    resamples: int = 10_000,
) -> float:
    (found,) = randomisation(column(values), clusters, alternative=alternative, resamples=resamples)
    return found.p


def scipys_p(statistic: Any, values: NDArray[np.float64], alternative: str) -> float:
    found = stats.permutation_test(
        (values, np.zeros_like(values)),
        lambda b, a, axis: statistic(b - a),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
        alternative=alternative,
    )
    return float(found.pvalue)


def cluster_t(flipped: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over its cluster-robust standard error, written out query by query."""
    mean = flipped.mean(axis=-1)
    squares: Any = 0.0
    for name in set(CLUSTERS):
        rows = [place for place, each in enumerate(CLUSTERS) if each == name]
        squares = squares + (flipped[..., rows] - mean[..., None]).sum(axis=-1) ** 2
    return np.asarray(mean / np.sqrt(6 / 5 * squares) * len(CLUSTERS))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@given(values=st.lists(QUARTERS, min_size=2, max_size=9))
@settings(max_examples=60, deadline=None)
def test_few_queries_have_the_exact_p_of_scipy(
    alternative: Alternative, values: list[float]
) -> None:
    expected = scipys_p(lambda x: x.mean(axis=-1), np.array(values), alternative)
    assert p_of(values, alternative) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("seed", range(12))
def test_few_queries_in_clusters_have_the_exact_p_of_scipy(
    alternative: Alternative, seed: int
) -> None:
    values = np.random.default_rng(seed).normal(-0.4, 1, len(CLUSTERS))
    expected = scipys_p(cluster_t, values, alternative)
    found = p_of(values.tolist(), alternative, CLUSTERS)
    assert found == pytest.approx(expected, rel=1e-12)


@given(values=st.lists(TENTHS, min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_sums_that_are_equal_count_as_equal_though_they_round(values: list[float]) -> None:
    tenths = [Fraction(round(10 * each), 10) for each in values]
    sums = [
        sum((sign * each for sign, each in zip(signs, tenths, strict=True)), Fraction(0))
        for signs in product((1, -1), repeat=len(tenths))
    ]
    assert p_of(values, "less") == sum(each <= sums[0] for each in sums) / len(sums)
    assert p_of(values, "two-sided") == sum(abs(e) >= abs(sums[0]) for e in sums) / len(sums)


@pytest.mark.parametrize("clusters", [None, CLUSTERS * 2])
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_draws_come_near_the_exact_p(clusters: list[str] | None, alternative: Alternative) -> None:
    values = np.random.default_rng(8).normal(-0.25, 1, 20).tolist()
    exact = p_of(values, alternative, clusters, resamples=2**20)
    drawn = p_of(values, alternative, clusters, resamples=20_000)
    assert 0.01 < exact < 0.4
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000))
    assert drawn != exact


def test_draws_never_say_that_chance_is_impossible() -> None:
    (found,) = randomisation(column([-1.0] * 60), None, alternative="less", resamples=99)
    assert found.p == 0.01
    assert found.test == "99 sign flips of queries"


def test_a_gain_is_no_loss() -> None:
    gains = [0.5, 0.25, 1.0, 0.5, 0.0, 0.75]
    assert p_of(gains, "less") == 1.0
    assert p_of(gains, "two-sided") == 2 / 2**5
    assert p_of([-each for each in gains], "less") == 1 / 2**5


def test_the_test_says_how_it_was_made() -> None:
    values = np.zeros((10, 3))
    values[:5, 0] = -1
    values[:, 1] = np.linspace(-1, 0.9, 10)
    values[:, 2] = np.nan
    alone = randomisation(values, None, resamples=100)
    assert [each.test for each in alone] == [
        "exact, 2^5 sign flips of queries",
        "100 sign flips of queries",
        "none: no query is scored by both",
    ]
    assert math.isnan(alone[2].p)
    shared = randomisation(values, CLUSTERS, resamples=100)
    assert [each.test for each in shared[:2]] == [
        "exact, 2^5 sign flips of queries, t over 6 clusters",
        "100 sign flips of queries, t over 6 clusters",
    ]


@pytest.mark.parametrize("clusters", [None, CLUSTERS])
def test_where_nothing_moved_nothing_is_found(clusters: list[str] | None) -> None:
    assert p_of([0.0] * 10, "less", clusters) == 1.0
    assert p_of([1e-15, *[0.0] * 9], "two-sided", clusters) == 1.0


@pytest.mark.parametrize("clusters", [None, CLUSTERS * 6])
def test_p_of_a_measure_depends_on_no_other_measure(clusters: list[str] | None) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(-0.1, 1, (60, 3)) * (rng.random((60, 3)) < [0.9, 0.5, 0.1])
    together = [each.p for each in randomisation(values, clusters, resamples=500)]
    alone = [randomisation(values[:, [each]], clusters, resamples=500)[0].p for each in range(3)]
    assert together == alone


@pytest.mark.parametrize("clusters", [None, CLUSTERS])
def test_a_query_that_is_not_scored_by_both_is_left_out(clusters: list[str] | None) -> None:
    values = np.random.default_rng(5).normal(-0.3, 1, 10)
    kept = [place for place in range(10) if place not in {6, 9}]
    holed = values.copy()
    holed[[6, 9]] = np.nan
    some = None if clusters is None else [clusters[place] for place in kept]
    assert p_of(holed.tolist(), "less", clusters) == p_of(values[kept].tolist(), "less", some)


def test_a_conversation_that_moved_as_one_is_worth_one() -> None:
    clusters = [str(number) for number in range(10) for _ in range(20)]
    values = [-1.0 if each == "3" else 0.0 for each in clusters]
    assert p_of(values, "less", None) < 0.001
    assert p_of(values, "less", clusters) > 0.1


def test_every_cluster_losing_alike_is_as_far_as_it_goes() -> None:
    values = [-1.0] * 10
    assert p_of(values, "less", CLUSTERS) == 1 / 2**10
    assert p_of(values, "two-sided", CLUSTERS) == 2 / 2**10


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("queries", [1, 2, 5, 8, 9, 40])
def test_no_loss_goes_below_the_least_p(alternative: Alternative, queries: int) -> None:
    (lost,) = randomisation(
        column([-1.0] * queries), None, alternative=alternative, resamples=256, seed=1
    )
    least = least_p(queries, alternative=alternative, resamples=256)
    assert lost.p >= least
    assert lost.p == least or queries == 9  # of which chance draws some flips more than once
    assert least == (1 / 257 if queries > 8 else (1, 2)[alternative == "two-sided"] / 2**queries)


def test_no_query_has_no_p() -> None:
    assert math.isnan(least_p(0, alternative="less", resamples=10))


def test_a_seed_is_an_answer() -> None:
    values = np.random.default_rng(0).normal(size=(50, 2))
    assert randomisation(values, seed=7) == randomisation(values, seed=7)
    assert randomisation(values, seed=7) != randomisation(values, seed=8)


@given(values=st.lists(TENTHS, min_size=1, max_size=8), scale=st.floats(1e-3, 1e3))
@settings(max_examples=40, deadline=None)
def test_a_change_of_unit_changes_nothing(values: list[float], scale: float) -> None:
    scaled = [each * scale for each in values]
    assert p_of(scaled, "less") == p_of(values, "less")


def test_nothing_is_tested_where_nothing_is() -> None:
    (found,) = randomisation(np.empty((0, 1)), None)
    assert math.isnan(found.p)


def test_what_cannot_be_tested_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"shape \(3,\)"):
        randomisation(np.zeros(3))
    with pytest.raises(InvalidInputError, match="at least 1"):
        randomisation(np.zeros((3, 1)), resamples=0)
