"""What a test can see: the smallest true loss that it finds most of the time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.core.packages import optional
from engram_lab.evaluation.statistics.units import cluster_codes, cluster_sums

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.evaluation.statistics.randomisation import Alternative

__all__ = ["POWER", "minimum_detectable", "standard_error"]

POWER: Final = 0.8
"""How often a loss of the minimum detectable size is found."""


def minimum_detectable(
    before: NDArray[np.float64],
    deltas: NDArray[np.float64],
    clusters: Sequence[str | None] | None,
    *,
    alpha: float,
    tests: int,
    alternative: Alternative,
    power: float = POWER,
) -> float:
    """Return the smallest true loss that is found with probability `power`, or NaN.

    It is the loss L that solves L = q · sqrt(SE² + L · w / n), with

        q = t(1 - a, f) + t(power, f),   w = Σ before² / Σ |before|

    where a = alpha / tests, halved for a two-sided test: Holm's first and harshest step, so that
    the loss is found though no other is. f is one less than the number of clusters, or of queries
    where each stands for itself. SE is that of the differences as they are, and L · w / n is what a
    loss adds to its square: queries that lose all they had, here and there, as a regression does.
    So there is an answer also where nothing moved, and it is q² · w / n.

    Source: Bloom, "Minimum Detectable Effects", Evaluation Review 19 (1995), for L = q · SE. The
    term added is the variance of the mean when each query, by itself, falls to 0 with probability
    L / mean(before), without its part of second order.

    Args:
        before: float64 [n], A, all scored.
        deltas: float64 [n], B minus A.
        clusters: Of each of them.
        alpha: Family-wise error rate.
        tests: How many contrasts share it.
        alternative: Of the test.
        power: See above.
    """
    error, units = standard_error(deltas, clusters)
    if math.isnan(error):
        return math.nan
    special: Any = optional(
        "scipy.special", package="scipy", feature="a minimum detectable effect", extra="eval"
    )
    level = alpha / tests / (2 if alternative == "two-sided" else 1)
    factor = float(special.stdtrit(units - 1, np.array([1 - level, power])).sum())
    whole = float(np.abs(before).sum())
    weight = float(before @ before) / whole if whole > 0 else 0.0
    half = factor * factor * weight / len(deltas) / 2
    found = half + math.sqrt(half * half + (factor * error) ** 2)
    return found if found > 0 else math.nan


def standard_error(
    values: NDArray[np.float64], clusters: Sequence[str | None] | None
) -> tuple[float, int]:
    """Return the standard error of the mean, and the number of units it rests on.

    With clusters, of sums D_c over N_c of N queries: sqrt(G / (G - 1) · Σ (D_c - N_c · mean)²) / N,
    G being their number; else s / sqrt(n). NaN where there are fewer than two units.

    Source: Cochran, "Sampling Techniques", 3rd edition (1977), equation 9A.10 without the finite
    population's correction; for evaluations Miller, "Adding Error Bars to Evals" (2024), section
    2.2.

    Args:
        values: float64 [n], all scored.
        clusters: Of each of them.
    """
    codes = cluster_codes(clusters, len(values))
    centred = values - values.mean() if len(values) else values
    sums = centred if codes is None else cluster_sums(centred[:, None], codes)[:, 0]
    units = len(sums)
    if units < 2:  # noqa: PLR2004 - one does not vary
        return math.nan, units
    return math.sqrt(units / (units - 1) * float(sums @ sums)) / len(values), units
