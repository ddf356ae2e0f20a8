from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.statistics.bootstrap import estimate, resampled_means

UNEQUAL = [
    name for name, size in zip("abcdef", (9, 2, 5, 7, 1, 4), strict=True) for _ in range(size)
]


def tail_of(n: int, effective: float, level: float = 0.95) -> float:
    t = stats.t.ppf((1 + level) / 2, effective - 1)
    return float(stats.norm.cdf(-math.sqrt(n / (n - 1)) * t))


def test_means_leave_out_what_is_not_scored() -> None:
    values = np.array([[1.0, np.nan], [0.0, np.nan], [0.5, 0.25]])
    first, second = estimate(values, None, resamples=100)
    assert (first.mean, first.n, first.unscored) == (0.5, 3, 0)
    assert (second.mean, second.n, second.unscored) == (0.25, 1, 2)


def test_one_query_has_a_mean_and_no_interval() -> None:
    (found,) = estimate(np.array([[0.5]]), None)
    assert found.mean == 0.5
    assert math.isnan(found.low)
    assert math.isnan(found.high)


@pytest.mark.parametrize("values", [np.empty((0, 2)), np.full((3, 2), np.nan)])
def test_nothing_scored_has_no_mean(
    values: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    found = estimate(values, None, resamples=50)
    assert [each.n for each in found] == [0, 0]
    assert [each.unscored for each in found] == [len(values)] * 2
    assert all(math.isnan(x) for each in found for x in (each.mean, each.low, each.high))


def test_queries_have_the_interval_of_scipys_bootstrap() -> None:
    values = np.random.default_rng(4).beta(0.5, 0.7, 150)
    (found,) = estimate(values[:, None], None, resamples=20_000, seed=1)
    expected = stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=1 - 2 * tail_of(150, 150),
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval
    width = expected.high - expected.low
    assert found.low == pytest.approx(expected.low, abs=0.03 * width)
    assert found.high == pytest.approx(expected.high, abs=0.03 * width)


def test_clusters_have_the_interval_of_all_their_resamples() -> None:
    rng = np.random.default_rng(6)
    values = rng.random(len(UNEQUAL))
    values[[0, 12]] = np.nan
    rows = [[i for i, each in enumerate(UNEQUAL) if each == name] for name in "abcdef"]
    sums = np.array([np.nansum(values[each]) for each in rows])
    sizes = np.array([np.count_nonzero(~np.isnan(values[each])) for each in rows])
    drawn = np.array(list(product(range(6), repeat=6)))  # all 46,656 of them
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    tail = tail_of(6, sizes.sum() ** 2 / (sizes**2).sum())
    low, high = np.quantile(means, [tail, 1 - tail])
    (found,) = estimate(values[:, None], UNEQUAL, resamples=100_000)
    assert found.low == pytest.approx(low, abs=0.02 * (high - low))
    assert found.high == pytest.approx(high, abs=0.02 * (high - low))


def test_ten_equal_clusters_are_worth_ten() -> None:
    """The expanded tail of n = 10 in Hesterberg's paper: 0.0086 where it is 0.025."""
    assert tail_of(10, 10) == pytest.approx(0.0086, abs=5e-5)
    sums = np.random.default_rng(2).random(10)
    values = np.repeat(sums, 5)[:, None]
    clusters = [str(each) for each in np.repeat(np.arange(10), 5)]
    (found,) = estimate(values, clusters, resamples=5_000, seed=3)
    means = resampled_means(5 * sums[:, None], np.full((10, 1), 5.0), resamples=5_000, seed=3)
    assert (found.low, found.high) == tuple(
        np.quantile(means, [tail_of(10, 10), 1 - tail_of(10, 10)])
    )


def test_conversations_that_differ_make_the_interval_wide() -> None:
    rng = np.random.default_rng(9)
    clusters = [str(number) for number in range(10) for _ in range(50)]
    values = (rng.random(500) < np.repeat(np.linspace(0.2, 0.8, 10), 50)).astype(float)[:, None]
    (alone,), (shared,) = estimate(values, None), estimate(values, clusters)
    assert shared.mean == alone.mean
    assert shared.high - shared.low > 2 * (alone.high - alone.low)


def test_too_few_clusters_are_as_none() -> None:
    values = np.random.default_rng(1).random((40, 2))
    assert estimate(values, ["a", "b", "c", "d"] * 10, seed=5) == estimate(values, None, seed=5)


@pytest.mark.parametrize("clusters", [None, UNEQUAL])
def test_all_measures_are_drawn_alike(clusters: list[str] | None) -> None:
    values = np.random.default_rng(1).random((len(UNEQUAL), 3))
    values[3, 1] = np.nan
    together = estimate(values, clusters, resamples=500)
    for column, found in enumerate(together):
        (alone,) = estimate(values[:, [column]], clusters, resamples=500)
        assert (found.mean, found.n, found.unscored) == (alone.mean, alone.n, alone.unscored)
        ends = pytest.approx((alone.low, alone.high), abs=1e-14)  # BLAS sums by shape
        assert (found.low, found.high) == ends


def test_a_seed_is_an_answer() -> None:
    values = np.random.default_rng(1).random((40, 2))
    assert estimate(values, None, seed=5) == estimate(values, None, seed=5)
    assert estimate(values, None, seed=5) != estimate(values, None, seed=6)


@pytest.mark.parametrize("clusters", [None, UNEQUAL])
@given(shift=st.floats(-5, 5), scale=st.floats(0.1, 10))
@settings(max_examples=25, deadline=None)
def test_intervals_move_with_the_values(
    clusters: list[str] | None, shift: float, scale: float
) -> None:
    values = np.random.default_rng(1).random((len(UNEQUAL), 1))
    (plain,) = estimate(values, clusters, resamples=200)
    (moved,) = estimate(shift + scale * values, clusters, resamples=200)
    for end in ("mean", "low", "high"):
        assert getattr(moved, end) == pytest.approx(shift + scale * getattr(plain, end), abs=1e-9)


@given(level=st.floats(0.5, 0.99))
@settings(max_examples=25, deadline=None)
def test_a_higher_level_holds_the_lower_one(level: float) -> None:
    values = np.random.default_rng(1).random((30, 1))
    (narrow,) = estimate(values, None, level=level - 0.05, resamples=300)
    (wide,) = estimate(values, None, level=level, resamples=300)
    assert wide.low <= narrow.low <= narrow.high <= wide.high


def test_a_measure_that_lies_in_few_clusters_is_drawn_where_it_lies() -> None:
    values = np.full((len(UNEQUAL), 1), np.nan)
    values[:11, 0] = [1.0] * 9 + [0.0] * 2  # clusters a and b alone
    (found,) = estimate(values, UNEQUAL, resamples=2_000)
    assert found.mean == pytest.approx(9 / 11)
    assert (found.low, found.high) == (0.0, 1.0)
    assert found.n == 11


def test_equal_values_have_an_interval_without_width() -> None:
    (found,) = estimate(np.full((20, 1), 0.5), None)
    assert (found.low, found.mean, found.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("values", "options", "said"),
    [
        (np.zeros(3), {}, r"shape \(3,\)"),
        (np.array([[np.inf]]), {}, "infinite"),
        (np.zeros((3, 1)), {"level": 1.0}, "between 0 and 1"),
        (np.zeros((3, 1)), {"resamples": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_estimated_is_refused(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    options: dict[str, float],
    said: str,
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        estimate(values, None, **options)  # type: ignore[arg-type]
