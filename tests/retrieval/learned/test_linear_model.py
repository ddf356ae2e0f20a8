from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.learned import LearnedRecord, LinearModel, Scale
from engram_lab.retrieval.learned.linear import scaled
from engram_lab.retrieval.learned.record import SCALES
from engram_lab.retrieval.ranking import Ranking

NAMES = ("late", "question", "words")
VALUES = st.lists(
    st.tuples(*[st.floats(-100, 100).map(lambda value: round(value, 3))] * len(NAMES)),
    min_size=1,
    max_size=12,
)
WEIGHTS = st.tuples(*[st.sampled_from([-2.0, -0.3, 0.0, 0.7, 5.0])] * len(NAMES))


def model_of(weights: Any, scale: Scale = "centred") -> LinearModel:
    return LinearModel(
        record=LearnedRecord(weights=dict(zip(NAMES, weights, strict=True)), scale=scale)
    )


def rankings_of(values: Any, keys: Any = None) -> dict[str, Ranking]:
    table = np.array(values)
    keys = np.arange(1, len(table) + 1) if keys is None else keys
    return {name: Ranking.of(keys, table[:, at]) for at, name in enumerate(NAMES)}


def scores_of(model: LinearModel, rankings: dict[str, Ranking]) -> dict[int, float]:
    ranking = model.fuse(rankings).ranking
    return dict(zip(ranking.keys.tolist(), ranking.scores.tolist(), strict=True))


@given(values=VALUES, weights=WEIGHTS, scale=st.sampled_from(SCALES))
def test_the_score_is_the_weighted_sum_of_scaled_features(
    values: Any, weights: Any, scale: Scale
) -> None:
    table = np.array(values)
    wanted = np.zeros(len(table))
    for column, weight in zip(table.T, weights, strict=True):
        spread = column.max() - column.min()
        if scale == "centred":
            wanted += weight * (column - column.mean())
        elif spread:
            wanted += weight * (column - column.min()) / spread
    found = scores_of(model_of(weights, scale), rankings_of(values))
    if any(weights):
        assert [found[key] for key in sorted(found)] == pytest.approx(wanted, abs=1e-9)


@given(values=VALUES, weights=WEIGHTS, scale=st.sampled_from(SCALES))
def test_what_each_feature_gives_comes_to_the_score_to_the_bit(
    values: Any, weights: Any, scale: Scale
) -> None:
    fused = model_of(weights, scale).fuse(rankings_of(values))
    assert set(fused.arms) == {name for name, each in zip(NAMES, weights, strict=True) if each}
    for score, row in zip(fused.ranking.scores.tolist(), fused.contributions.tolist(), strict=True):
        assert sum(row, 0.0) == score


@given(
    values=VALUES,
    weights=WEIGHTS,
    scale=st.sampled_from(SCALES),
    chance=st.randoms(use_true_random=False),
)
def test_the_order_of_the_candidates_changes_no_bit(
    values: Any, weights: Any, scale: Scale, chance: Any
) -> None:
    order = list(range(len(values)))
    chance.shuffle(order)
    model = model_of(weights, scale)
    plain = model.fuse(rankings_of(values))
    other = model.fuse(rankings_of([values[at] for at in order], np.array(order) + 1))
    assert plain.ranking.keys.tobytes() == other.ranking.keys.tobytes()
    assert plain.ranking.scores.tobytes() == other.ranking.scores.tobytes()


@given(
    values=VALUES,
    weights=WEIGHTS,
    shift=st.sampled_from([-8.0, 0.5, 64.0]),
    factor=st.sampled_from([0.25, 4.0]),
)
def test_a_shift_of_a_feature_or_a_unit_of_its_own_changes_no_score(
    values: Any, weights: Any, shift: float, factor: float
) -> None:
    """Centred, a shift is nothing; on the unit range, neither shift nor unit is anything."""
    table = np.array(values)
    for scale, moved in (("centred", table + shift), ("unit-range", table * factor + shift)):
        model = model_of(weights, scale)  # type: ignore[arg-type]
        plain, other = (scores_of(model, rankings_of(each)) for each in (table, moved))
        assert other == pytest.approx(plain, abs=1e-6)


def test_a_feature_that_cannot_be_told_or_has_no_weight_adds_nothing() -> None:
    model = model_of((1.0, 0.0, 2.0))
    rankings = rankings_of([(1, 9, 3), (3, -9, 1)])
    del rankings["late"]
    rankings["strange"] = rankings["question"]
    fused = model.fuse(rankings)
    assert fused.arms == ("words",)
    assert dict(zip(fused.ranking.keys.tolist(), fused.ranking.scores.tolist(), strict=True)) == {
        1: 2.0,
        2: -2.0,
    }
    assert len(model.fuse({}).ranking) == 0


def test_values_that_are_all_alike_become_0() -> None:
    for scale in SCALES:
        assert scaled(np.full(3, 4.0), scale).tolist() == [0, 0, 0]
        assert scaled(np.empty(0), scale).tolist() == []
