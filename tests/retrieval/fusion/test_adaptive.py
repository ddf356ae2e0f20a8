from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from engram_lab.config import RetrievalSettings
from engram_lab.core.errors import InvalidInputError
from engram_lab.engine.ordering import fusion_of
from engram_lab.retrieval.fusion import FUSIONS, AdaptiveFusion, WeightedFusion
from engram_lab.retrieval.fusion.adaptive import stand_out
from engram_lab.retrieval.ranking import Ranking
from engram_lab.testing.ranking_strategies import arms

if TYPE_CHECKING:
    from collections.abc import Mapping

WEIGHTS = {"a": 0.3, "b": 0.7, "c": 2.0, "d": 0.0}
WHOLE_NUMBERS = st.builds(
    lambda scores: Ranking.of(range(1, len(scores) + 1), scores),
    st.lists(st.integers(-50, 50).map(float), max_size=20),
)
EVEN = Ranking.of(range(1, 101), np.linspace(0.5, 0.4, 100))


def by_scipy(found: Mapping[str, Ranking], weights: Mapping[str, float]) -> dict[int, float]:
    """Return the scores as the definition has them, with another's moments."""
    union = sorted({key for each in found.values() for key in each.keys.tolist()})
    total, whole = np.zeros(len(union)), 0.0
    for arm, ranking in found.items():
        score_of = dict(zip(ranking.keys.tolist(), ranking.scores.tolist(), strict=True))
        if not score_of:
            continue
        first, last = max(score_of.values()), min(score_of.values())
        step = (first - last) / (len(score_of) - 1) if first > last else 1.0
        scores = np.array([score_of.get(key, last - step) for key in union])
        if (scores == scores[0]).all():
            continue
        share = weights[arm] * float(stats.kurtosis(scores, fisher=False))
        total += share * stats.zscore(scores)
        whole += share
    return dict(zip(union, (total / (whole or 1.0)).tolist(), strict=True))


def scores_of(found: Mapping[str, Ranking], **weights: float) -> dict[int, float]:
    fused = AdaptiveFusion(weights=weights).fuse(found)
    return dict(zip(fused.ranking.keys.tolist(), fused.ranking.scores.tolist(), strict=True))


@given(st.dictionaries(st.sampled_from("abcd"), WHOLE_NUMBERS, max_size=4), st.integers(0, 9))
def test_scores_are_those_of_the_definition(found: dict[str, Ranking], apart: int) -> None:
    moved = {
        arm: Ranking.of(each.keys + apart * at, each.scores)
        for at, (arm, each) in enumerate(found.items())
    }
    assert scores_of(moved, **WEIGHTS) == pytest.approx(
        by_scipy(moved, WEIGHTS), rel=1e-9, abs=1e-9
    )


def test_by_hand() -> None:
    # Over 1, 2 and 3: `a` has 1 alone, so the scores are 1, 0, 0. In `b` the step from 2 to 3 is
    # followed by one more down to 1, so they are 0, 2, 1. The kurtosis of both is 3/2.
    found = {"a": Ranking.of([1], [9.0]), "b": Ranking.of([2, 3], [0.6, 0.5])}
    z_a = [math.sqrt(2), -1 / math.sqrt(2), -1 / math.sqrt(2)]
    z_b = [-math.sqrt(1.5), math.sqrt(1.5), 0.0]

    assert scores_of(found) == pytest.approx(
        {key: (a + b) / 2 for key, a, b in zip((1, 2, 3), z_a, z_b, strict=True)}
    )


def test_the_arm_whose_best_stands_out_decides() -> None:
    sure = Ranking.of([*range(100, 0, -1)], [30.0, *np.linspace(5.0, 4.0, 99)])
    found = {"sure": sure, "unsure": EVEN}

    assert WeightedFusion().fuse(found).ranking.keys[:2].tolist() != [100, 1]
    fused = AdaptiveFusion().fuse(found)
    assert fused.ranking.keys[0] == 100
    sure_gave, unsure_gave = fused.contributions[0].tolist()
    assert sure_gave > 20 * abs(unsure_gave)


def test_a_rare_word_that_one_memory_holds_brings_it_first() -> None:
    found = {"keyword": Ranking.of([77], [3.2]), "semantic": EVEN}

    assert AdaptiveFusion().fuse(found).ranking.keys.tolist()[:3] == [77, 1, 2]


def test_an_arm_that_finds_all_alike_has_no_say() -> None:
    alike = Ranking.of(range(1, 101), np.ones(100))
    fused = AdaptiveFusion().fuse({"alike": alike, "even": EVEN})

    assert fused.ranking.keys.tolist() == EVEN.keys.tolist()
    assert not fused.contributions[:, 0].any()
    assert not AdaptiveFusion().fuse({"alike": alike}).ranking.scores.any()


@given(arms(), st.sampled_from([2.0**-40, 0.5, 1024.0]))
def test_scales_and_the_order_of_the_arms_do_not_matter(
    found: dict[str, Ranking], scale: float
) -> None:
    ranking = AdaptiveFusion().fuse(found).ranking
    scaled = {arm: Ranking.of(each.keys, each.scores * scale) for arm, each in found.items()}
    assert AdaptiveFusion().fuse(dict(reversed(scaled.items()))).ranking == ranking


@given(arms())
def test_a_score_is_the_sum_of_what_the_arms_gave(found: dict[str, Ranking]) -> None:
    fused = AdaptiveFusion(weights=WEIGHTS).fuse(found)
    for row, score in zip(fused.contributions.tolist(), fused.ranking.scores.tolist(), strict=True):
        total = 0.0
        for value in row:
            total += value
        assert total == score


@given(arms(min_size=1))
def test_an_arm_alone_keeps_its_order(found: dict[str, Ranking]) -> None:
    arm, ranking = next(iter(found.items()))
    fused = AdaptiveFusion().fuse({arm: ranking}).ranking
    assert sorted(fused.keys.tolist()) == sorted(ranking.keys.tolist())
    score_of = dict(zip(ranking.keys.tolist(), ranking.scores.tolist(), strict=True))
    ours = [score_of[key] for key in fused.keys.tolist()]
    spread = max(map(abs, ours), default=0.0)
    # What differs by less than rounding may change places.
    assert all(one >= other - 1e-9 * spread for one, other in pairwise(ours))


def test_the_largest_scores_and_the_smallest_differences_are_borne() -> None:
    found = {
        "large": Ranking.of([1, 2, 3], [1.7e308, 0.0, -1.7e308]),
        "small": Ranking.of([3, 2, 1], [3e-323, 2e-323, 1e-323]),
    }
    assert np.isfinite(AdaptiveFusion().fuse(found).ranking.scores).all()


@given(st.integers(2, 500))
def test_one_above_all_others_stands_out_most(count: int) -> None:
    scores = np.zeros(count)
    scores[0] = 1.0
    assert stand_out(stats.zscore(scores)) == pytest.approx(count - 2 + 1 / (count - 1))


def test_nothing_found_is_nothing_fused() -> None:
    assert stand_out(np.empty(0)) == 0.0
    assert not len(AdaptiveFusion().fuse({}))
    assert not len(AdaptiveFusion().fuse({"a": Ranking.empty()}))


def test_a_configuration_may_name_it_and_lean_to_one_arm() -> None:
    settings = RetrievalSettings(fusion="adaptive", dense_share=0.25)

    assert FUSIONS.get("adaptive") is AdaptiveFusion
    fusion = fusion_of(settings)
    assert isinstance(fusion, AdaptiveFusion)
    assert (fusion.weights["keyword"], fusion.weights["semantic"]) == (0.75, 0.25)


@pytest.mark.parametrize("weights", [{"a": -1.0}, {"a": math.nan}, {"a": 0.0}])
def test_bad_weights_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match="weight"):
        AdaptiveFusion(weights=weights)


def test_an_arm_without_a_weight_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="arm 'b' has no weight"):
        AdaptiveFusion(weights={"a": 1.0}).fuse({"b": EVEN})
