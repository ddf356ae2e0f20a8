from __future__ import annotations

import math

import numpy as np
import pytest

from engram_lab.evaluation.statistics.effect import Tally, standardised, tally


def test_the_effect_is_the_mean_in_standard_deviations() -> None:
    # mean 2, squared deviations 1 + 0 + 1, divisor 2
    assert standardised(np.array([1.0, 2.0, 3.0])) == pytest.approx(2.0)


def test_a_loss_has_a_negative_effect() -> None:
    assert standardised(np.array([0.0, 0.0, 0.0, -1.0])) == pytest.approx(-0.5)


@pytest.mark.parametrize("deltas", [[], [0.5], [0.0, 0.0], [0.1] * 7])
def test_there_is_no_effect_where_nothing_varies(deltas: list[float]) -> None:
    assert math.isnan(standardised(np.array(deltas)))


def test_wins_ties_and_losses_are_of_b() -> None:
    deltas = np.array([0.5, 0.0, -0.25, -1.0, 1e-15, 0.1 + 0.2 - 0.3])
    assert tally(deltas) == Tally(wins=1, ties=3, losses=2)
