"""What learning from use is worth: each question ranked by weights that never heard of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from engram_lab.evaluation.tuning.folds import make_folds
from engram_lab.retrieval.learned import scores_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.retrieval.learned import LearnedRecord, LearningQuestion

__all__ = ["Worth", "reciprocal_rank", "worth_of"]

Learns = Callable[[Sequence["LearningQuestion"]], "LearnedRecord"]


class Worth(NamedTuple):
    """The mean reciprocal rank of the first memory that was of use, among the candidates.

    Attributes:
        before: By the weights that there were.
        after: By those that were learned, each question by what the other groups taught.
        questions: How many.
        how: How the groups were made, in words.
    """

    before: float
    after: float
    questions: int
    how: str


def worth_of(
    questions: Sequence[LearningQuestion],
    before: Sequence[NDArray[np.float64]],
    names: Sequence[str],
    learns: Learns,
) -> Worth:
    """Return what learning is worth on questions that had no say in it.

    Args:
        questions: Two or more, each of which has something to teach.
        before: For each of them the scores of its candidates by the weights that there were.
        names: Of the features.
        learns: Returns what some of the questions teach.

    Raises:
        EvaluationError: There are fewer than two questions.
        InvalidInputError: Without a group of them nothing can be learned.
    """
    ids = [str(place) for place in range(len(questions))]
    frame = pl.DataFrame({"query_id": ids}).with_columns(cluster=pl.lit(None, pl.String))
    folds = make_folds(frame)
    after = np.zeros(len(questions))
    for fold in folds.folds:
        out = set(map(int, fold.queries))
        record = learns([each for place, each in enumerate(questions) if place not in out])
        for place in out:
            asked = questions[place]
            found = scores_of(record, asked.features, names)
            after[place] = reciprocal_rank(found, asked.relevant)
    known = [
        reciprocal_rank(scores, each.relevant)
        for scores, each in zip(before, questions, strict=True)
    ]
    return Worth(float(np.mean(known)), float(after.mean()), len(questions), folds.how)


def reciprocal_rank(scores: NDArray[np.float64], relevant: NDArray[np.bool_]) -> float:
    """Return 1 by the rank of the first relevant candidate, ties in their order; 0 without any."""
    ranked = relevant[np.argsort(-scores, kind="stable")]
    return 1.0 / (1 + int(ranked.argmax())) if ranked.any() else 0.0
