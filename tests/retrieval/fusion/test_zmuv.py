from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.fusion import ZeroMeanUnitVariance

ZMUV = ZeroMeanUnitVariance()


@given(st.lists(st.integers(-1000, 1000), min_size=2, unique=True, max_size=40))
def test_values_have_mean_0_and_variance_1(scores: list[int]) -> None:
    # ranx 0.3.21 was asked once for 50 lists, and gave the same numbers to 1e-14.
    descending = sorted(scores, reverse=True)
    values, absent = ZMUV.normalise(np.array(descending, np.float64), arm="a")
    mean, deviation = statistics.fmean(descending), statistics.pstdev(descending)
    wanted = [(score - mean) / deviation for score in descending]
    assert values.tolist() == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    assert statistics.fmean(values.tolist()) == pytest.approx(0, abs=1e-12)
    assert statistics.pvariance(values.tolist()) == pytest.approx(1)
    assert absent == values[-1]


@pytest.mark.parametrize("scores", [[5.0], [0.0], [-2.0, -2.0, -2.0]])
def test_where_all_scores_are_equal_each_is_one_deviation_above_what_is_absent(
    scores: list[float],
) -> None:
    values, absent = ZMUV.normalise(np.array(scores), arm="a")
    assert values.tolist() == [0.0] * len(scores)
    assert absent == -1.0
