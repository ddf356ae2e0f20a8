from __future__ import annotations

import numpy as np
import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.fusion import MinMax, TheoreticalMinMax

TMM = TheoreticalMinMax(least={"lexical": 0.0, "dense": -1.0})


def test_values_are_counted_from_the_least_that_there_can_be() -> None:
    values, absent = TMM.normalise(np.array([8.0, 4.0, 2.0]), arm="lexical")
    assert values.tolist() == [1.0, 0.5, 0.25]
    assert absent == 0.0
    values, absent = TMM.normalise(np.array([0.5, 0.0, -0.4]), arm="dense")
    assert values.tolist() == pytest.approx([1.0, 2 / 3, 0.4])
    assert absent == 0.0


def test_the_last_of_a_list_counts_for_more_than_what_the_arm_had_not() -> None:
    scores = np.array([8.0, 7.0])
    assert TMM.normalise(scores, arm="lexical").values[-1] > 0
    assert MinMax().normalise(scores, arm="lexical").values[-1] == 0


def test_scores_at_the_least_are_all_0() -> None:
    assert TMM.normalise(np.array([0.0, 0.0]), arm="lexical").values.tolist() == [0.0, 0.0]


def test_a_cosine_that_rounding_put_below_its_least_is_0() -> None:
    scores = np.array([0.5, -1.0000001])
    assert TMM.normalise(scores, arm="dense").values.tolist() == [1.0, 0.0]
    assert TMM.normalise(scores[1:], arm="dense").values.tolist() == [0.0]


def test_a_least_that_does_not_hold_is_told() -> None:
    with pytest.raises(InvalidInputError, match=r"'lexical' has the score -0\.5.*said to be 0\.0"):
        TMM.normalise(np.array([3.0, -0.5]), arm="lexical")


def test_an_arm_without_a_least_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"arm 'tags' has no least score.*dense, lexical"):
        TMM.normalise(np.array([1.0]), arm="tags")
    with pytest.raises(InvalidInputError, match="those of no arm"):
        TheoreticalMinMax(least={}).normalise(np.array([1.0]), arm="tags")


@pytest.mark.parametrize("least", [float("nan"), float("-inf")])
def test_a_least_that_is_no_finite_number_is_refused(least: float) -> None:
    with pytest.raises(InvalidInputError, match="least score of arm 'dense'"):
        TheoreticalMinMax(least={"dense": least})
