from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engram_lab.core.errors import EvaluationError
from engram_lab.evaluation.tuning.worth import reciprocal_rank, worth_of
from engram_lab.retrieval.learned import LearnedRecord, LearningQuestion, learn_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("words", "noise")


def questions(count: int) -> list[LearningQuestion]:
    """Questions that the most words answer."""
    chance = np.random.default_rng(1)
    made = []
    for _ in range(count):
        features = chance.normal(size=(8, 2))
        made.append(
            LearningQuestion(features=features, relevant=features[:, 0] == features[:, 0].max())
        )
    return made


def learns(some: Sequence[LearningQuestion]) -> LearnedRecord:
    return LearnedRecord(weights=learn_weights(some, NAMES))


def test_each_question_is_judged_by_what_the_others_teach() -> None:
    asked = questions(20)
    sizes: list[int] = []
    seen: list[list[bool]] = []

    def counted(some: Sequence[LearningQuestion]) -> LearnedRecord:
        sizes.append(len(some))
        seen.append([any(each is one for each in some) for one in asked])
        return learns(some)

    known = [each.features[:, 1] for each in asked]
    found = worth_of(asked, known, NAMES, counted)

    assert sizes == [16] * 5
    assert [sum(column) for column in zip(*seen, strict=True)] == [4] * 20
    assert found.after > 0.9
    assert found.questions == 20
    expected = [reciprocal_rank(s, q.relevant) for s, q in zip(known, asked, strict=True)]
    assert found.before == pytest.approx(np.mean(expected))
    assert found.before < 0.6
    assert found.how == "5 groups of whole queries, each left out in turn"


def test_one_question_tells_nothing() -> None:
    (asked,) = questions(1)
    with pytest.raises(EvaluationError, match="1 queries cannot be cross-validated"):
        worth_of([asked], [asked.features[:, 0]], NAMES, learns)


@pytest.mark.parametrize(
    ("scores", "relevant", "rank"),
    [([3, 1, 2], [0, 0, 1], 2), ([1, 1, 1], [0, 1, 1], 2), ([1, 2], [0, 1], 1)],
)
def test_the_rank_is_that_of_the_first(scores: list[float], relevant: list[int], rank: int) -> None:
    assert reciprocal_rank(np.array(scores, float), np.array(relevant, bool)) == 1 / rank


def test_nothing_of_use_is_rank_nowhere() -> None:
    assert reciprocal_rank(np.array([1.0, 2.0]), np.zeros(2, np.bool_)) == 0.0
