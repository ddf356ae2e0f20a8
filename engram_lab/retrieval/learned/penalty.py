"""How far a few questions may move weights that are known: as far as it helps with others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.retrieval.learned.softmax import learn_weights, teaching

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.learned.softmax import LearningQuestion

__all__ = ["PENALTIES", "choose_penalty", "loss_of"]

PENALTIES: Final = (30.0, 100.0, 300.0, 1000.0, 3000.0)
"""From free to held fast. On LoCoMo, with 10 to 50 questions of one conversation, 30 was best where
the known weights were poor, and 1000 where they were learned on the other conversations."""

_GROUPS: Final = 5


def choose_penalty(
    questions: Sequence[LearningQuestion], names: Sequence[str], known: Mapping[str, float]
) -> float:
    """Return the penalty, of `PENALTIES`, with which questions shall correct known weights.

    The questions are dealt into 5 groups; each is judged by weights that the others taught. The
    greatest penalty is taken that is no worse than the best one by more than a standard error: what
    chance may have done is no reason to leave what is known.

    Source: Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees" (1984),
    section 3.4.3, the rule of one standard error.

    Args:
        questions: Those that teach nothing are left out.
        names: Of the features, in the order of the columns.
        known: The weights that are corrected.

    Raises:
        InvalidInputError: The columns are not as many as the names, or none teaches anything.
    """
    taught = teaching(questions, names)
    if len(taught) < _GROUPS:
        return PENALTIES[-1]
    losses = np.zeros((len(PENALTIES), len(taught)))
    for group in range(_GROUPS):
        rest = [each for place, each in enumerate(taught) if place % _GROUPS != group]
        weights = dict(known)
        for row, l2 in reversed(list(enumerate(PENALTIES))):
            weights = learn_weights(rest, names, l2=l2, start=weights, towards=known)
            vector = np.array([weights[name] for name in names])
            for place in range(group, len(taught), _GROUPS):
                losses[row, place] = loss_of(taught[place], vector)
    worse = losses - losses[losses.mean(axis=1).argmin()]
    error = worse.std(axis=1, ddof=1) / math.sqrt(len(taught))
    return PENALTIES[int(np.flatnonzero(worse.mean(axis=1) <= error).max())]


def loss_of(question: LearningQuestion, weights: NDArray[np.float64]) -> float:
    """Return what one question adds to the loss that `learn_weights` makes small.

    Args:
        question: It has relevant candidates.
        weights: float64 [features].
    """
    scores = question.features @ weights
    most = scores.max()
    total = most + math.log(np.exp(scores - most).sum())
    count = np.count_nonzero(question.relevant)
    return math.sqrt(count) * float(total - scores[question.relevant].mean())
