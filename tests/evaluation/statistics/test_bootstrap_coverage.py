"""How often intervals over ten conversations hold the true mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engram_lab.evaluation.statistics.bootstrap import estimate, resampled_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOCOMO = np.array([197, 105, 193, 260, 242, 158, 190, 239, 196, 202])
SIMULATIONS = 1_000


def coverage(*, unequal: bool, mean: float, correlation: float) -> tuple[float, float]:
    """Return how often our intervals of 95 % hold the mean, and how often plain percentiles do."""
    rng = np.random.default_rng(20261121)
    ours = plain = 0
    for seed in range(SIMULATIONS):
        sizes = np.maximum(5, rng.lognormal(np.log(60), 1, 10)).astype(int) if unequal else LOCOMO
        a, b = mean * (1 / correlation - 1), (1 - mean) * (1 / correlation - 1)
        sums = rng.binomial(sizes, rng.beta(a, b, 10))
        codes = np.repeat(np.arange(10), sizes)
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        values = (np.arange(len(codes)) - first[codes] < sums[codes]).astype(np.float64)
        (found,) = estimate(values[:, None], list(map(str, codes)), resamples=1_000, seed=seed)
        ours += found.low <= mean <= found.high
        low, high = percentiles(sums.astype(np.float64), sizes.astype(np.float64), seed)
        plain += low <= mean <= high
    return ours / SIMULATIONS, plain / SIMULATIONS


def percentiles(
    sums: NDArray[np.float64], sizes: NDArray[np.float64], seed: int
) -> tuple[float, float]:
    means = resampled_means(sums[:, None], sizes[:, None], resamples=1_000, seed=seed)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("unequal", "mean", "correlation", "least"),
    [
        pytest.param(False, 0.6, 0.02, 0.93, id="LoCoMo's conversations"),
        pytest.param(False, 0.95, 0.02, 0.905, id="nearly all found, which is skewed"),
        pytest.param(True, 0.6, 0.02, 0.93, id="conversations of very unequal size"),
        pytest.param(True, 0.6, 0.1, 0.93, id="very unequal ones that differ much"),
    ],
)
def test_intervals_over_ten_conversations_hold_the_mean(
    unequal: bool,  # noqa: FBT001 - a parameter of the test
    mean: float,
    correlation: float,
    least: float,
) -> None:
    ours, plain = coverage(unequal=unequal, mean=mean, correlation=correlation)
    assert least <= ours <= 0.975  # nominal 0.95; three standard errors are 0.02
    assert plain < 0.92  # which is why they are expanded
