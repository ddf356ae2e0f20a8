"""What holds of every normaliser."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.fusion import (
    NORMALISERS,
    DistributionBased,
    MinMax,
    Normalised,
    Normaliser,
    TheoreticalMinMax,
    ZeroMeanUnitVariance,
)

ALL: list[Normaliser] = [
    MinMax(),
    ZeroMeanUnitVariance(),
    DistributionBased(),
    TheoreticalMinMax(least={"a": -sys.float_info.max}),
]
OF_THE_LIST = ALL[:3]  # those that look at the list alone
FINITE = st.floats(allow_nan=False, allow_infinity=False)
INTEGERS = st.lists(st.integers(-50, 50), min_size=1, max_size=30)


def normalised(normaliser: Normaliser, scores: Any) -> Normalised:
    descending = np.sort(np.asarray(scores, np.float64))[::-1]
    return normaliser.normalise(descending, arm="a")


@pytest.mark.parametrize("normaliser", ALL)
@given(scores=st.lists(FINITE | st.integers(-3, 3), max_size=30))
def test_values_are_finite_and_fall_as_the_scores_do(
    normaliser: Normaliser, scores: list[float]
) -> None:
    values, absent = normalised(normaliser, scores)
    assert values.shape == (len(scores),)
    assert np.isfinite(values).all()
    assert all(before >= after for before, after in pairwise(values.tolist()))
    assert all(absent <= value for value in values.tolist())


@pytest.mark.parametrize("normaliser", ALL)
@given(scores=st.lists(FINITE, min_size=1, max_size=30))
def test_equal_scores_have_equal_values(normaliser: Normaliser, scores: list[float]) -> None:
    values = normalised(normaliser, scores + scores).values.tolist()
    assert values[::2] == values[1::2]


@pytest.mark.parametrize("normaliser", OF_THE_LIST)
@given(scores=INTEGERS, power=st.integers(-40, 40), offset=st.integers(-1000, 1000))
def test_values_do_not_change_with_the_scale_and_origin_of_the_scores(
    normaliser: Normaliser, scores: list[int], power: int, offset: int
) -> None:
    # Powers of 2 and whole numbers, so that the scores are moved and stretched without rounding.
    moved = (np.array(scores, np.float64) + offset) * 2.0**power
    before, after = normalised(normaliser, scores), normalised(normaliser, moved)
    assert after.values.tolist() == before.values.tolist()
    assert after.absent == before.absent


@pytest.mark.parametrize("normaliser", ALL)
def test_scores_at_the_ends_of_what_a_float_holds_do_no_harm(normaliser: Normaliser) -> None:
    largest, smallest = sys.float_info.max, sys.float_info.min
    for scores in ([largest, -largest], [largest, 0.0, -largest], [smallest, 0.0], [5e-324, 0.0]):
        assert np.isfinite(normalised(normaliser, scores).values).all()


@pytest.mark.parametrize("normaliser", ALL)
def test_the_scores_given_are_left_as_they_are(normaliser: Normaliser) -> None:
    scores = np.array([3.0, 2.0, 1.0])
    scores.setflags(write=False)
    normaliser.normalise(scores, arm="a")
    assert scores.tolist() == [3.0, 2.0, 1.0]


def test_normalisers_are_known_by_name() -> None:
    assert NORMALISERS.names() == ("dbsf", "min-max", "tmm", "zmuv")
    assert NORMALISERS.get("zmuv")() == ZeroMeanUnitVariance()
    with pytest.raises(InvalidInputError, match=r"there is no normaliser 'minmax'.*'min-max'"):
        NORMALISERS.get("minmax")
