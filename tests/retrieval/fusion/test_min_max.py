from __future__ import annotations

import numpy as np
import pytest

from engram_lab.retrieval.fusion import MinMax


def test_the_best_is_1_the_last_is_0_and_so_is_what_the_arm_had_not() -> None:
    values, absent = MinMax().normalise(np.array([12.0, 6.0, 3.0, 2.0]), arm="a")
    assert values.tolist() == [1.0, 0.4, 0.1, 0.0]
    assert absent == 0.0


@pytest.mark.parametrize("scores", [[5.0], [0.0], [-2.0, -2.0, -2.0]])
def test_where_all_scores_are_equal_each_is_1(scores: list[float]) -> None:
    values, absent = MinMax().normalise(np.array(scores), arm="a")
    assert values.tolist() == [1.0] * len(scores)
    assert absent == 0.0
