"""Learned weights against brute force: the loss written anew, and a minimiser of another kind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.learned import LearningQuestion, learn_weights
from engram_lab.retrieval.learned.softmax import _rows, loss_and_gradient, teaching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NAMES = ("first", "second", "third")
TRUTH = np.array([2.0, -1.0, 0.0])
SEEDS = st.integers(0, 2**32)


def drawn(seed: int, *, count: int = 12, true: NDArray[np.float64] = TRUTH) -> list[Any]:
    """Return questions whose answers are drawn by the chances that true weights give them."""
    chance = np.random.default_rng(seed)
    questions = []
    for _ in range(count):
        features = chance.normal(size=(chance.integers(2, 9), len(true))) * [1.0, 10.0, 0.1]
        scores = features @ (true / [1.0, 10.0, 0.1])
        best = np.argmax(scores + chance.gumbel(size=len(scores)))
        relevant = chance.random(len(scores)) < 0.1
        relevant[best] = True
        questions.append(LearningQuestion(features=features, relevant=relevant))
    return questions


def learned(questions: Sequence[LearningQuestion], **more: Any) -> NDArray[np.float64]:
    return np.array([learn_weights(questions, NAMES, **more)[name] for name in NAMES])


def spreads(questions: Sequence[LearningQuestion]) -> NDArray[np.float64]:
    taught = [each for each in questions if 0 < each.relevant.sum() < len(each.relevant)]
    centred = np.concatenate([each.features - each.features.mean(axis=0) for each in taught])
    found: NDArray[np.float64] = centred.std(axis=0)
    return found


def loss_of(
    weights: NDArray[np.float64],
    questions: Sequence[LearningQuestion],
    l2: float,
    towards: NDArray[np.float64] | None = None,
) -> float:
    """The loss as the docstrings have it, one question at a time."""
    total = 0.0
    for each in questions:
        count = int(each.relevant.sum())
        if not 0 < count < len(each.relevant):
            continue
        scores = (each.features @ weights).tolist()
        all_of_them = math.log(sum(math.exp(score) for score in scores))
        wanted = sum(score for score, is_ in zip(scores, each.relevant, strict=True) if is_)
        total += count * (all_of_them - wanted / count)
    away = (weights - (0 if towards is None else towards)) * spreads(questions)
    return total + l2 / 2 * float(away @ away)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("l2", [0.1, 3.0])
@pytest.mark.parametrize("towards", [None, {"first": 1.0, "second": -0.5}])
def test_they_are_what_another_minimiser_finds(
    seed: int, l2: float, towards: dict[str, float] | None
) -> None:
    questions = drawn(seed)
    centre = np.array([(towards or {}).get(name, 0.0) for name in NAMES])
    spread = spreads(questions)
    found = minimize(
        lambda scaled: loss_of(scaled / spread, questions, l2, centre),
        np.zeros(len(NAMES)),
        method="BFGS",
        options={"gtol": 1e-8},
    )
    ours = learned(questions, l2=l2, towards=towards)
    assert ours * spread == pytest.approx(found.x, abs=1e-4)
    assert loss_of(ours, questions, l2, centre) <= found.fun * (1 + 1e-9)


@given(seed=SEEDS, l2=st.sampled_from([0.01, 1.0, 30.0]))
def test_no_step_to_any_side_is_better(seed: int, l2: float) -> None:
    questions = drawn(seed)
    ours = learned(questions, l2=l2)
    least = loss_of(ours, questions, l2)
    for way in np.concatenate((np.eye(3), -np.eye(3))) / spreads(questions):
        assert loss_of(ours + 1e-3 * way, questions, l2) > least - 1e-9


@given(seed=SEEDS, given_=st.tuples(*[st.floats(-3, 3)] * 3))
def test_the_gradient_is_that_of_finite_differences(
    seed: int, given_: tuple[float, float, float]
) -> None:
    questions = teaching(drawn(seed), NAMES)
    rows, spread = _rows(questions)
    weights, centre, step = np.array(given_), np.array([0.5, 0.0, -1.0]), 1e-5
    loss, gradient, chances = loss_and_gradient(weights, rows, 0.7, centre)
    assert loss == pytest.approx(loss_of(weights / spread, questions, 0.7, centre / spread))
    for at, way in enumerate(np.eye(3) * step):
        above, below = (
            loss_and_gradient(weights + side * way, rows, 0.7, centre)[0] for side in (1, -1)
        )
        assert gradient[at] == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-4)
    by_question = np.add.reduceat(chances, rows.starts)
    assert by_question == pytest.approx(rows.weight)


@given(seed=SEEDS, chance=st.randoms(use_true_random=False))
def test_neither_the_order_of_questions_nor_of_candidates_matters(seed: int, chance: Any) -> None:
    questions = drawn(seed)
    shuffled = []
    for each in chance.sample(questions, len(questions)):
        order = chance.sample(range(len(each.relevant)), len(each.relevant))
        shuffled.append(
            LearningQuestion(features=each.features[order], relevant=each.relevant[order])
        )
    spread = spreads(questions)
    assert learned(shuffled) * spread == pytest.approx(learned(questions) * spread, abs=1e-6)


@given(seed=SEEDS, columns=st.permutations(range(3)))
def test_the_order_of_the_features_does_not_matter(seed: int, columns: list[int]) -> None:
    questions = drawn(seed)
    moved = [
        LearningQuestion(features=each.features[:, columns], relevant=each.relevant)
        for each in questions
    ]
    names = [NAMES[at] for at in columns]
    plain, other = learn_weights(questions, NAMES), learn_weights(moved, names)
    assert other == pytest.approx(plain, rel=1e-5, abs=1e-6)


@given(seed=SEEDS, factor=st.sampled_from([0.001, 7.0, 1e6]), shift=st.sampled_from([0.0, -50.0]))
def test_a_unit_changes_the_weight_alone_and_what_a_question_shares_changes_nothing(
    seed: int, factor: float, shift: float
) -> None:
    questions = drawn(seed)
    chance = np.random.default_rng(seed)
    moved = [
        LearningQuestion(
            features=each.features * [factor, 1, 1] + [0, shift * chance.random(), 0],
            relevant=each.relevant,
        )
        for each in questions
    ]
    spread = spreads(questions)
    plain, other = learned(questions) * spread, learned(moved) * [factor, 1, 1] * spread
    assert other == pytest.approx(plain, abs=1e-5)


@given(seed=SEEDS, start=st.tuples(*[st.floats(-20, 20)] * 3))
def test_wherever_it_begins_it_ends_at_the_same(seed: int, start: Any) -> None:
    questions = drawn(seed)
    begun = learned(questions, start=dict(zip(NAMES, start, strict=True)))
    spread = spreads(questions)
    assert begun * spread == pytest.approx(learned(questions) * spread, abs=1e-4)


def test_with_enough_questions_the_truth_is_found_and_from_shuffled_answers_nothing() -> None:
    true = np.array([2.0, -1.0, 0.0])
    questions: list[LearningQuestion] = []
    for each in drawn(7, count=1500):
        one = np.zeros(len(each.relevant), np.bool_)
        scores = each.features @ (true / [1.0, 10.0, 0.1])
        one[np.argmax(scores + np.random.default_rng(len(questions)).gumbel(size=len(one)))] = True
        questions.append(LearningQuestion(features=each.features, relevant=one))
    found = learned(questions, l2=0.1) * [1.0, 10.0, 0.1]
    assert found == pytest.approx(true, abs=0.2)
    chance = np.random.default_rng(3)
    shuffled = [
        LearningQuestion(features=each.features, relevant=chance.permutation(each.relevant))
        for each in questions
    ]
    control = learned(shuffled, l2=0.1) * [1.0, 10.0, 0.1]
    assert control == pytest.approx(np.zeros(3), abs=0.12)


def test_a_strong_penalty_leaves_the_weights_where_they_are_drawn_to() -> None:
    questions = drawn(1)
    assert learned(questions, l2=1e9) == pytest.approx([0, 0, 0], abs=1e-6)
    towards = {"first": 0.5, "third": 4.0}
    assert learned(questions, l2=1e9, towards=towards) == pytest.approx([0.5, 0, 4], abs=1e-6)


def test_a_feature_that_is_alike_within_each_question_gets_no_weight() -> None:
    alike = [
        LearningQuestion(
            features=np.column_stack((each.features[:, :2], np.full(len(each.relevant), share))),
            relevant=each.relevant,
        )
        for each, share in zip(drawn(5, count=60), np.linspace(0.1, 0.7, 60), strict=True)
    ]
    weights = learned(alike)
    assert abs(weights[2]) < 1e-6
    assert weights[:2] == pytest.approx(
        [
            learn_weights(
                [
                    LearningQuestion(features=each.features[:, :2], relevant=each.relevant)
                    for each in alike
                ],
                NAMES[:2],
            )[name]
            for name in NAMES[:2]
        ],
        abs=1e-6,
    )


def test_a_question_with_nothing_to_teach_changes_nothing() -> None:
    questions = drawn(2)
    idle = [
        LearningQuestion(features=np.ones((2, 3)), relevant=np.array(relevant, np.bool_))
        for relevant in ([1, 1], [0, 0])
    ]
    idle.append(LearningQuestion(features=np.zeros((0, 3)), relevant=np.zeros(0, np.bool_)))
    assert not any(each.teaches for each in idle)
    assert learn_weights([*idle, *questions], NAMES) == learn_weights(questions, NAMES)


@pytest.mark.parametrize("l2", [0.0, -1.0, math.nan, math.inf])
def test_the_penalty_is_above_0(l2: float) -> None:
    with pytest.raises(InvalidInputError, match="give a finite number above 0"):
        learn_weights(drawn(1), NAMES, l2=l2)


def test_what_cannot_be_learned_from_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="none of 0 questions has both"):
        learn_weights([], NAMES)
    with pytest.raises(InvalidInputError, match=r"of the shape \[\d, 3\]: give \[\d, 2\]"):
        learn_weights(drawn(1), NAMES[:2])
