from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.evaluation.statistics.holm import holm

CHANCES = st.lists(st.floats(0, 1), min_size=1, max_size=7)


def by_closed_testing(p: list[float]) -> list[float]:
    """A hypothesis falls when every set that holds it falls to Bonferroni's test."""
    everything = range(len(p))
    sets = [each for size in everything for each in combinations(everything, size + 1)]
    return [
        max(min(1.0, len(each) * min(p[j] for j in each)) for each in sets if i in each)
        for i in everything
    ]


def stepped_down(p: list[float], alpha: float) -> set[int]:
    """Holm's own words: compare the smallest with alpha/m, the next with alpha/(m-1), and stop."""
    refused: set[int] = set()
    for place, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        if p[index] * (len(p) - place) > alpha:
            break
        refused.add(index)
    return refused


@given(CHANCES)
def test_it_is_the_closure_of_bonferroni(p: list[float]) -> None:
    assert holm(p) == pytest.approx(by_closed_testing(p), abs=1e-15)


@given(CHANCES, st.floats(0.001, 0.5))
def test_it_refuses_what_the_steps_refuse(p: list[float], alpha: float) -> None:
    assert {i for i, each in enumerate(holm(p)) if each <= alpha} == stepped_down(p, alpha)


def test_the_example_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(CHANCES)
def test_none_falls_below_its_own_p_or_rises_above_one(p: list[float]) -> None:
    assert all(mine <= each <= 1 for mine, each in zip(p, holm(p), strict=True))


def test_a_test_without_p_is_not_counted() -> None:
    assert holm([0.02, math.nan, 0.5])[0] == pytest.approx(0.04)
    assert math.isnan(holm([0.02, math.nan, 0.5])[1])


def test_no_tests_are_none() -> None:
    assert holm([]) == []
