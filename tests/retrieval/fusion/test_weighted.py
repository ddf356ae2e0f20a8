from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.fusion import (
    DistributionBased,
    MinMax,
    Normaliser,
    TheoreticalMinMax,
    WeightedFusion,
    ZeroMeanUnitVariance,
)
from engram_lab.retrieval.ranking import Ranking
from engram_lab.testing.ranking_strategies import arms

if TYPE_CHECKING:
    from collections.abc import Mapping

NORMALISERS: list[Normaliser] = [
    MinMax(),
    ZeroMeanUnitVariance(),
    DistributionBased(),
    TheoreticalMinMax(least=dict.fromkeys("abcd", -1e6)),
]
WEIGHTS = {"a": 0.3, "b": 0.7, "c": 2.0, "d": 0.0}


def by_brute_force(
    found: Mapping[str, Ranking], weights: Mapping[str, float], normaliser: Normaliser
) -> dict[int, float]:
    union = {key for each in found.values() for key in each.keys.tolist()}
    total = dict.fromkeys(union, 0.0)
    whole = sum(weights[arm] for arm in found)
    for arm, ranking in found.items():
        if not len(ranking):
            continue
        values, absent = normaliser.normalise(ranking.scores, arm=arm)
        value_of = dict(zip(ranking.keys.tolist(), values.tolist(), strict=True))
        for key in union:
            total[key] += weights[arm] / (whole or 1) * value_of.get(key, absent)
    return total


@pytest.mark.parametrize("normaliser", NORMALISERS)
@given(found=arms())
def test_scores_are_weighted_means_of_the_arms_values(
    normaliser: Normaliser, found: dict[str, Ranking]
) -> None:
    fused = WeightedFusion(weights=WEIGHTS, normaliser=normaliser).fuse(found)
    ours = dict(zip(fused.ranking.keys.tolist(), fused.ranking.scores.tolist(), strict=True))
    assert ours == pytest.approx(by_brute_force(found, WEIGHTS, normaliser), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("normaliser", NORMALISERS)
@given(found=arms())
def test_the_order_of_the_arms_does_not_matter(
    normaliser: Normaliser, found: dict[str, Ranking]
) -> None:
    fusion = WeightedFusion(normaliser=normaliser)
    backwards = fusion.fuse(dict(reversed(found.items())))
    assert backwards.ranking == fusion.fuse(found).ranking


@given(arms(min_size=1), st.sampled_from([0.25, 8.0, 1024.0]))
def test_with_min_max_an_arm_may_be_scaled(found: dict[str, Ranking], scale: float) -> None:
    arm = min(found)
    scaled = {**found, arm: Ranking.of(found[arm].keys, found[arm].scores * scale)}
    assert WeightedFusion().fuse(scaled).ranking == WeightedFusion().fuse(found).ranking


@given(arms(min_size=1))
def test_with_min_max_scores_lie_between_0_and_1(found: dict[str, Ranking]) -> None:
    scores = WeightedFusion().fuse(found).ranking.scores
    assert ((scores >= 0) & (scores <= 1 + 1e-12)).all()


def test_a_share_of_the_dense_arm_by_numbers() -> None:
    found = {
        "lexical": Ranking.of([1, 2, 3], [10.0, 5.0, 0.0]),
        "dense": Ranking.of([3, 4], [0.9, 0.1]),
    }
    fused = WeightedFusion(weights={"lexical": 0.75, "dense": 0.25}).fuse(found)
    assert fused.ranking == Ranking.of([1, 2, 3, 4], [0.75, 0.375, 0.25, 0.0])
    assert fused.arms == ("dense", "lexical")
    assert fused.contributions.tolist() == [[0.0, 0.75], [0.0, 0.375], [0.25, 0.0], [0.0, 0.0]]


def test_weights_are_shares_of_their_sum_over_the_arms_at_hand() -> None:
    found = {"lexical": Ranking.of([1, 2], [2.0, 1.0])}
    fused = WeightedFusion(weights={"lexical": 3, "dense": 5}).fuse(found)
    assert fused.ranking.scores.tolist() == [1.0, 0.0]


def test_arms_of_weight_0_alone_bring_their_memories_by_key() -> None:
    found = {"dense": Ranking.of([4, 2], [2.0, 1.0])}
    fused = WeightedFusion(weights={"lexical": 1, "dense": 0}).fuse(found)
    assert fused.ranking == Ranking.of([2, 4], [0.0, 0.0])


def test_what_an_arm_had_not_counts_as_its_normaliser_says() -> None:
    found = {"a": Ranking.of([1, 2], [1.0, 0.0]), "b": Ranking.of([3], [7.0])}
    fused = WeightedFusion(normaliser=ZeroMeanUnitVariance()).fuse(found)
    assert fused.ranking == Ranking.of([1, 2, 3], [0.5 - 0.5, -0.5 - 0.5, -0.5])


def test_a_name_without_a_weight_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="arm 'b' has no weight"):
        WeightedFusion(weights={"a": 1}).fuse({"b": Ranking.empty()})


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="weight of arm 'a' is '-1'"):
        WeightedFusion(weights={"a": -1})
