from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.fusion import (
    FUSIONS,
    ArmWeights,
    LinearFusion,
    LinearWeights,
    ReciprocalRankFusion,
    WeightedFusion,
    ZeroMeanUnitVariance,
)
from engram_lab.retrieval.fusion.linear import features_of
from engram_lab.retrieval.fusion.min_max import MinMax
from engram_lab.retrieval.fusion.pool import Pool
from engram_lab.retrieval.ranking import Ranking
from engram_lab.testing.ranking_strategies import arms

SCORES_ALONE = LinearWeights(arms=dict.fromkeys("abcd", ArmWeights(1.0, 0.0, 0.0)))
RANKS_ALONE = LinearWeights(arms=dict.fromkeys("abcd", ArmWeights(0.0, 1.0, 0.0)))
FOUND = {"a": Ranking.of([1, 2, 3], [4.0, 3.0, 0.0]), "b": Ranking.of([3], [0.5])}


def test_the_features_by_numbers() -> None:
    pool = Pool.of(FOUND)
    of_a, of_b, of_c = features_of(pool, ["a", "b", "c"], normaliser=MinMax(), k=60).tolist()
    third = 1 / 3
    ranks = np.array([1, 61 / 62, 61 / 63])
    scores = np.array([1, 0.75, 0])
    assert of_a[0] == pytest.approx((scores - scores.mean()).tolist())
    assert of_a[1] == pytest.approx((ranks - ranks.mean()).tolist())
    assert of_a[2] == pytest.approx([0, 0, 0])
    for feature in of_b:
        assert feature == pytest.approx([-third, -third, 1 - third])
    assert of_c == [[0, 0, 0]] * 3


@given(arms(min_size=1))
def test_features_are_centred_within_their_question(found: dict[str, Ranking]) -> None:
    pool = Pool.of(found)
    normaliser = ZeroMeanUnitVariance()
    features = features_of(pool, pool.arms, normaliser=normaliser, k=60)
    assert features.sum(axis=2) == pytest.approx(0, abs=1e-9)


@given(arms())
def test_weights_of_scores_alone_order_as_the_weighted_fusion_does(
    found: dict[str, Ranking],
) -> None:
    linear = LinearFusion(weights=SCORES_ALONE).fuse(found).ranking
    same_order(linear, WeightedFusion().fuse(found).ranking)


@given(arms())
def test_weights_of_ranks_alone_order_as_reciprocal_rank_fusion_does(
    found: dict[str, Ranking],
) -> None:
    linear = LinearFusion(weights=RANKS_ALONE).fuse(found).ranking
    same_order(linear, ReciprocalRankFusion().fuse(found).ranking)


def same_order(linear: Ranking, plain: Ranking) -> None:
    """Compare but for ties, which rounding breaks differently once means are taken off."""
    value_of = dict(zip(plain.keys.tolist(), plain.scores.tolist(), strict=True))
    assert set(value_of) == set(linear.keys.tolist())
    values = [value_of[key] for key in linear.keys.tolist()]
    assert values == pytest.approx(sorted(values, reverse=True), abs=1e-12)


@given(arms())
def test_the_order_of_the_arms_does_not_matter(found: dict[str, Ranking]) -> None:
    weights = {arm: ArmWeights(1.0, -0.3, 0.1) for arm in "abcd"}
    fusion = LinearFusion(weights=LinearWeights(arms=weights))
    backwards = fusion.fuse(dict(reversed(found.items())))
    assert backwards.ranking == fusion.fuse(found).ranking


def test_a_score_is_the_sum_of_weights_times_features() -> None:
    weights = LinearWeights(arms={"a": ArmWeights(2.0, 0.5, 1.0), "b": ArmWeights(1.0, 0.0, -4.0)})
    fused = LinearFusion(weights=weights).fuse(FOUND)
    features = features_of(Pool.of(FOUND), ("a", "b"), normaliser=MinMax(), k=60)
    wanted = np.einsum("afn,af->na", features, [[2.0, 0.5, 1.0], [1.0, 0.0, -4.0]])
    by_key = fused.contributions[np.argsort(fused.ranking.keys)]
    assert by_key == pytest.approx(wanted)
    assert fused.contributions.sum(axis=1) == pytest.approx(fused.ranking.scores)


def test_an_arm_that_was_not_asked_says_nothing() -> None:
    fused = LinearFusion(weights=SCORES_ALONE).fuse({"a": FOUND["a"]})
    assert fused.arms == ("a",)
    assert fused.ranking.keys.tolist() == [1, 2, 3]


def test_an_arm_without_weights_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"arm 'e' has no learned weights.*a, b, c, d"):
        LinearFusion(weights=SCORES_ALONE).fuse({"e": Ranking.empty()})
    with pytest.raises(InvalidInputError, match="those of no arm"):
        LinearFusion(weights=LinearWeights(arms={})).fuse({"e": Ranking.empty()})


def test_weights_are_kept_as_json() -> None:
    weights = LinearWeights(arms={"b": ArmWeights(1 / 3, 2.0, -0.1), "a": ArmWeights(0, 0, 0)})
    record = json.loads(json.dumps(weights.to_dict()))
    assert list(record) == ["a", "b"]
    assert record["b"] == {"score": 1 / 3, "rank": 2.0, "presence": -0.1}
    assert LinearWeights.from_dict(record) == weights


@pytest.mark.parametrize("given", [{}, {"score": 1.0}, {"score": 1, "rank": 1, "presense": 1}])
def test_weights_for_other_features_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="give those for score, rank, presence"):
        LinearWeights.from_dict({"a": given})


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), "1", None, True])
def test_a_weight_that_is_no_finite_number_is_refused(weight: Any) -> None:
    with pytest.raises(InvalidInputError, match="arm 'a' has the weight"):
        LinearWeights(arms={"a": ArmWeights(1.0, weight, 0.0)})


def test_fusions_are_known_by_name() -> None:
    assert FUSIONS.names() == ("linear", "rrf", "weighted")
    assert FUSIONS.get("rrf")(k=10.0) == ReciprocalRankFusion(k=10.0)
    with pytest.raises(InvalidInputError, match="there is no fusion 'wieghted'"):
        FUSIONS.get("wieghted")
