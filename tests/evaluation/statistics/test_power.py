from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from engram_lab.evaluation.statistics.power import minimum_detectable, standard_error

if TYPE_CHECKING:
    from engram_lab.evaluation.statistics.randomisation import Alternative

CLUSTERS = ["a", "b", "c", "d", "e", "f", "a", "a", "b"]
DELTAS = np.array([0.0, -1.0, 0.5, 0.0, 0.25, 0.0, 1.0, -0.5, 0.0])
BEFORE = np.array([1.0, 1.0, 0.5, 0.0, 0.25, 1.0, 0.0, 0.5, 0.0])


def test_without_clusters_it_is_the_standard_error_of_the_mean() -> None:
    error, units = standard_error(DELTAS, None)
    assert error == pytest.approx(stats.sem(DELTAS))
    assert units == 9


def test_with_clusters_it_is_that_of_a_ratio_of_sums() -> None:
    sums = dict.fromkeys(CLUSTERS, 0.0)
    for name, each in zip(CLUSTERS, DELTAS, strict=True):
        sums[name] += each - DELTAS.mean()
    by_hand = math.sqrt(6 / 5 * sum(each * each for each in sums.values())) / 9
    error, units = standard_error(DELTAS, CLUSTERS)
    assert error == pytest.approx(by_hand)
    assert units == 6


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=20))
def test_clusters_of_one_size_are_units_of_their_means(means: list[float]) -> None:
    values = np.repeat(means, 4)
    clusters = [str(number) for number in np.repeat(np.arange(len(means)), 4)]
    assert standard_error(values, clusters)[0] == pytest.approx(stats.sem(means), abs=1e-12)


@pytest.mark.parametrize("values", [[], [0.5]])
def test_one_query_has_no_standard_error(values: list[float]) -> None:
    assert math.isnan(standard_error(np.array(values), None)[0])


@pytest.mark.parametrize(("clusters", "freedom"), [(None, 8), (CLUSTERS, 5)])
@pytest.mark.parametrize(("alternative", "sides"), [("less", 1), ("two-sided", 2)])
def test_the_detectable_loss_solves_its_equation(
    clusters: list[str] | None, freedom: int, alternative: Alternative, sides: int
) -> None:
    found = minimum_detectable(
        BEFORE, DELTAS, clusters, alpha=0.05, tests=4, alternative=alternative
    )
    factor = stats.t.ppf(1 - 0.05 / 4 / sides, freedom) + stats.t.ppf(0.8, freedom)
    weight = (BEFORE**2).sum() / BEFORE.sum()
    error, _ = standard_error(DELTAS, clusters)
    assert found == pytest.approx(factor * math.sqrt(error**2 + found * weight / 9))


def test_where_nothing_can_be_lost_it_is_the_quantiles_times_the_standard_error() -> None:
    found = minimum_detectable(np.zeros(9), DELTAS, None, alpha=0.05, tests=1, alternative="less")
    factor = stats.t.ppf(0.95, 8) + stats.t.ppf(0.8, 8)
    assert found == pytest.approx(factor * stats.sem(DELTAS))


def test_where_nothing_moved_it_is_what_whole_queries_lost_would_show() -> None:
    found = minimum_detectable(
        np.ones(400), np.zeros(400), None, alpha=0.05, tests=1, alternative="less"
    )
    factor = stats.t.ppf(0.95, 399) + stats.t.ppf(0.8, 399)
    assert found == pytest.approx(factor**2 / 400)


def test_more_tests_and_more_power_ask_for_larger_losses() -> None:
    def loss(*, tests: int = 1, power: float = 0.8) -> float:
        return minimum_detectable(
            BEFORE, DELTAS, None, alpha=0.05, tests=tests, alternative="less", power=power
        )

    assert loss() < loss(tests=10) < loss(tests=100)
    assert loss(power=0.5) < loss() < loss(power=0.95)


def test_it_is_unknown_where_there_is_one_query_or_nothing_to_lose() -> None:
    for values, deltas in (([1.0], [0.0]), ([0.0, 0.0], [0.0, 0.0])):
        found = minimum_detectable(
            np.array(values), np.array(deltas), None, alpha=0.05, tests=1, alternative="less"
        )
        assert math.isnan(found)
