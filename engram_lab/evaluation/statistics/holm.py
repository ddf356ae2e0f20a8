"""Holm's correction: many tests, and few false alarms over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["holm"]


def holm(p: Sequence[float]) -> list[float]:
    """Return the adjusted p of each test, in the order given.

    With p sorted to p(1) ≤ … ≤ p(m), the adjusted p(i) is the largest min(1, (m - j + 1) p(j)) of
    all j ≤ i.
    Refusing the null hypotheses whose adjusted p is below alpha errs, however the tests depend on
    each other, with probability at most alpha in even one of them. A test without p (NaN) has none
    afterwards and is not counted.

    Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
    Statistics 6 (1979).

    Args:
        p: Of each test, or NaN.
    """
    given = np.asarray(p, np.float64)
    order = np.argsort(given, kind="stable")[: np.count_nonzero(~np.isnan(given))]
    steps = np.arange(len(order), 0, -1)
    adjusted = np.full(len(given), np.nan)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps * given[order]))
    return [float(each) for each in adjusted]
