from __future__ import annotations

import math
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.fusion import Example, LinearFusion, fit
from engram_lab.retrieval.fusion.fitting import loss_and_gradient
from engram_lab.retrieval.fusion.linear import features_of
from engram_lab.retrieval.fusion.min_max import MinMax
from engram_lab.retrieval.fusion.pool import Pool
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPTIMIZE: Any = import_module("scipy.optimize")  # it has no types
TRUE = {"a": 4.0, "b": -2.0, "c": 0.0}


def questions(count: int, *, seed: int = 1, size: int = 40) -> list[Example]:
    """Return questions whose answers are drawn from a logistic model of the min-max scores."""
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        keys = np.arange(1, size + 1)
        rankings, logits = {}, np.full(size, -1.0)
        for arm, weight in TRUE.items():
            scores = chance.random(size)
            scores[chance.permutation(size)[:2]] = [0.0, 1.0]  # so that min-max leaves them alone
            rankings[arm] = Ranking.of(keys, scores)
            logits += weight * scores
        relevant = keys[chance.random(size) < 1 / (1 + np.exp(-logits))]
        made.append(Example(rankings=rankings, relevant=frozenset(relevant.tolist())))
    return made


def matrices(
    examples: list[Example],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows, labels = [], []
    for each in examples:
        pool = Pool.of(each.rankings)
        wanted = np.isin(pool.keys, list(each.relevant))
        if wanted.any() and not wanted.all():
            rows.append(features_of(pool, sorted(TRUE), normaliser=MinMax(), k=60).reshape(9, -1).T)
            labels.append(wanted)
    return np.concatenate(rows), np.concatenate(labels).astype(np.float64)


@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_the_gradient_is_that_of_finite_differences(seed: int, l2: float) -> None:
    chance = np.random.default_rng(seed)
    rows, labels = chance.normal(size=(30, 4)), (chance.random(30) < 0.3).astype(np.float64)
    error = OPTIMIZE.check_grad(
        lambda weights: loss_and_gradient(weights, rows, labels, l2)[0],
        lambda weights: loss_and_gradient(weights, rows, labels, l2)[1],
        chance.normal(size=5),
    )
    assert error < 1e-4 * (1 + l2)


@pytest.mark.parametrize("l2", [0.01, 1.0, 100.0])
def test_the_weights_are_those_that_a_general_optimiser_finds(l2: float) -> None:
    examples = questions(30)
    rows, labels = matrices(examples)
    found = OPTIMIZE.minimize(
        loss_and_gradient,
        np.zeros(10),
        args=(rows, labels, l2),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 10_000, "ftol": 0.0, "gtol": 1e-9},
    )
    ours = [weight for of_arm in fit(examples, l2=l2).arms.values() for weight in of_arm]
    assert ours == pytest.approx(found.x[:-1].tolist(), rel=1e-4, abs=1e-4)
    loss, gradient = loss_and_gradient(np.array([*ours, found.x[-1]]), rows, labels, l2)
    assert loss <= found.fun + 1e-6
    assert np.abs(gradient[:-1]).max() < 1e-4 * (1 + l2)


def test_the_weights_that_made_the_answers_are_found_again() -> None:
    examples = questions(800)
    learned = fit(examples, l2=0.01)
    weights = np.array([[*learned.arms[arm]] for arm in sorted(TRUE)])
    true = np.array([[TRUE[arm], 0.0, 0.0] for arm in sorted(TRUE)])

    assert np.abs(weights[:, 2]).max() < 1e-6  # all memories are present, which so says nothing
    errors = standard_errors(examples, weights)
    assert (np.abs(weights[:, :2] - true[:, :2]) < 3.5 * errors).all()
    assert errors.max() < 1.0


def standard_errors(examples: list[Example], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the errors of the weights of scores and ranks, from the curvature of the loss."""
    rows, labels = matrices(examples)
    varying = np.column_stack([rows.reshape(-1, 3, 3)[:, :, :2].reshape(-1, 6), np.ones(len(rows))])
    logits = rows @ weights.ravel()
    logits += np.log(labels.mean() / (1 - labels.mean()))
    chance = 1 / (1 + np.exp(-logits))
    information = varying.T @ (varying * (chance * (1 - chance))[:, None])
    errors: NDArray[np.float64] = np.sqrt(np.diag(np.linalg.inv(information)))[:6].reshape(3, 2)
    return errors


def test_what_was_learned_ranks_better_than_what_was_not() -> None:
    learned = LinearFusion(weights=fit(questions(100)))
    blind = LinearFusion(weights=fit(shuffled(questions(100))))
    unseen = questions(100, seed=9)
    assert precision(learned, unseen) > precision(blind, unseen) + 0.1


def shuffled(examples: list[Example]) -> list[Example]:
    chance = np.random.default_rng(3)
    return [
        Example(
            rankings=each.rankings,
            relevant=frozenset((chance.permutation(40)[: len(each.relevant)] + 1).tolist()),
        )
        for each in examples
    ]


def precision(fusion: LinearFusion, examples: list[Example]) -> float:
    right = 0
    for each in examples:
        top = fusion.fuse(each.rankings).ranking.keys[:5]
        right += len(set(top.tolist()).intersection(each.relevant))
    return right / (5 * len(examples))


def test_nothing_is_learned_from_differences_between_questions() -> None:
    # The answers of a question with many finds are scarcer; uncentred, presence would be blamed.
    chance = np.random.default_rng(5)
    examples = []
    for size in (4, 100) * 30:
        keys = np.arange(1, size + 1)
        arm = Ranking.of(keys, chance.random(size))
        found = {"a": arm} if size == 4 else {"a": arm, "b": Ranking.of(keys, chance.random(size))}
        examples.append(Example(rankings=found, relevant={int(chance.integers(1, size + 1))}))
    learned = fit(examples)
    assert abs(learned.arms["a"].presence) < 1e-9
    assert abs(learned.arms["b"].presence) < 1e-9


def test_the_same_examples_teach_the_same_weights_to_the_last_bit() -> None:
    assert fit(questions(20)) == fit(questions(20))


def test_examples_that_can_be_told_apart_perfectly_give_finite_weights() -> None:
    perfect = Ranking.of([1, 2, 3], [3.0, 2.0, 1.0])
    examples = [Example(rankings={"a": perfect}, relevant=[1])] * 1000
    weights = fit(examples, l2=1e-6).arms["a"]
    assert all(math.isfinite(weight) for weight in weights)
    assert weights.score > 0


@pytest.mark.parametrize("relevant", [[], [9], [1, 2]])
def test_questions_that_say_nothing_of_order_are_left_out(relevant: list[int]) -> None:
    mute = Example(rankings={"a": Ranking.of([1, 2], [1.0, 0.0])}, relevant=relevant)
    telling = Example(rankings={"a": Ranking.of([1, 2], [1.0, 0.0])}, relevant=[2])
    assert fit([mute, telling, mute]) == fit([telling])
    with pytest.raises(InvalidInputError, match="none of 1 examples"):
        fit([mute])


@pytest.mark.parametrize("l2", [0.0, -1.0, float("nan"), float("inf")])
def test_a_penalty_that_is_not_above_0_is_refused(l2: float) -> None:
    with pytest.raises(InvalidInputError, match="l2 is"):
        fit(questions(1), l2=l2)


def test_a_thousand_questions_are_learned_from_in_a_second() -> None:
    examples: Any = questions(1000, size=100)
    start = perf_counter()
    fit(examples)
    assert perf_counter() - start < 5.0  # 0.5 s on a quiet machine
