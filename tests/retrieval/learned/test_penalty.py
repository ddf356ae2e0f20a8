from __future__ import annotations

import numpy as np
import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.learned import LearningQuestion, choose_penalty, learn_weights
from engram_lab.retrieval.learned.penalty import PENALTIES, loss_of

NAMES = ("words", "cosine", "late")
TRUE = np.array([4.0, 0.0, -2.0])


def questions(count: int, seed: int = 0) -> list[LearningQuestion]:
    """Questions whose answers are drawn by the softmax of the true weights."""
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        features = chance.normal(size=(12, 3))
        drawn = np.argmax(features @ TRUE + chance.gumbel(size=12))
        made.append(LearningQuestion(features=features, relevant=np.arange(12) == drawn))
    return made


def known(values: np.ndarray) -> dict[str, float]:
    return dict(zip(NAMES, values.tolist(), strict=True))


def test_what_is_known_well_is_held_fast() -> None:
    chosen = [choose_penalty(questions(20, seed), NAMES, known(TRUE)) for seed in range(8)]

    assert np.median(chosen) >= 1000


def test_what_is_known_wrongly_is_given_up() -> None:
    assert choose_penalty(questions(60), NAMES, known(-TRUE)) == PENALTIES[0]


def test_too_few_questions_to_find_out_change_next_to_nothing() -> None:
    assert choose_penalty(questions(4), NAMES, known(-TRUE)) == PENALTIES[-1]


def test_questions_that_teach_nothing_have_no_say() -> None:
    silent = LearningQuestion(features=np.ones((3, 3)), relevant=np.zeros(3, np.bool_))
    some = questions(30, seed=3)

    assert choose_penalty([silent, *some, silent], NAMES, known(-TRUE)) == choose_penalty(
        some, NAMES, known(-TRUE)
    )
    with pytest.raises(InvalidInputError, match="nothing to learn from"):
        choose_penalty([silent] * 9, NAMES, known(TRUE))


def test_the_loss_is_the_one_that_learning_makes_small() -> None:
    two = LearningQuestion(
        features=np.array([[1.0], [0.0], [2.0]]), relevant=np.array([True, False, True])
    )
    # log(e + 1 + e²) less the mean score of the two, times the square root of how many they are.
    expected = np.sqrt(2) * (np.log(np.e + 1 + np.e**2) - 1.5)
    assert loss_of(two, np.array([1.0])) == pytest.approx(expected)

    some = questions(200)
    best = np.array(list(learn_weights(some, NAMES, l2=1e-6).values()))
    least = sum(loss_of(each, best) for each in some)
    for step in np.vstack([np.eye(3), -np.eye(3)]) * 0.01:
        assert sum(loss_of(each, best + step) for each in some) > least
