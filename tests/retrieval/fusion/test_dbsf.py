from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.fusion import DistributionBased

DBSF = DistributionBased()


@given(st.lists(st.integers(-1000, 1000), min_size=2, unique=True, max_size=40))
def test_values_are_places_between_three_deviations_below_and_above(scores: list[int]) -> None:
    descending = sorted(scores, reverse=True)
    values, absent = DBSF.normalise(np.array(descending, np.float64), arm="a")
    mean, deviation = statistics.fmean(descending), statistics.stdev(descending)
    least, most = mean - 3 * deviation, mean + 3 * deviation
    wanted = [min(1.0, max(0.0, (score - least) / (most - least))) for score in descending]
    assert values.tolist() == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    assert absent == 0.0


def test_what_lies_beyond_three_deviations_is_cut() -> None:
    values, _ = DBSF.normalise(np.array([100.0] + [0.0] * 20), arm="a")
    assert values[0] == 1.0  # 4.3 deviations above the mean
    values, _ = DBSF.normalise(np.array([0.0] * 20 + [-100.0]), arm="a")
    assert values[-1] == 0.0


@pytest.mark.parametrize("scores", [[5.0], [0.0], [-2.0, -2.0, -2.0]])
def test_where_all_scores_are_equal_each_is_in_the_middle(scores: list[float]) -> None:
    values, absent = DBSF.normalise(np.array(scores), arm="a")
    assert values.tolist() == [0.5] * len(scores)
    assert absent == 0.0
