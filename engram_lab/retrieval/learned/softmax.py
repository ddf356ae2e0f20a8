"""Learning the weights of a linear model from questions whose answers are known.

Each question asks: which of these candidates? The model's chance of a candidate is the softmax of
its score over those of the question, and the weights are those under which the right ones are the
most likely. What all candidates of a question share changes nothing, so nothing is learned from
differences between questions.

Source: the conditional logit of McFadden, "Conditional logit analysis of qualitative choice
behavior" (1974), equation 12, which as a loss for ranking is the top-one ListNet of Cao et al.,
"Learning to Rank: From Pairwise Approach to Listwise Approach" (ICML 2007), equation 3. Solved by
Newton's method: the loss is convex, and with a few dozen weights each step solves a tiny system.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["LearningQuestion", "learn_weights", "loss_and_gradient", "teaching"]

_MOST_STEPS: Final = 100
_HALVINGS: Final = 30
_FLAT: Final = 1e-10
"""The fall of the loss, as a share of itself, below which the optimum is reached."""

_ROUNDING: Final = 1e-13


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LearningQuestion:
    """What one question teaches.

    Attributes:
        features: float64 [n, features], of n candidates.
        relevant: Which of them answer it: bool [n].
    """

    features: NDArray[np.float64]
    relevant: NDArray[np.bool_]

    @property
    def teaches(self) -> bool:
        """Whether some candidates are relevant, and some are not."""
        found = int(np.count_nonzero(self.relevant))
        return 0 < found < len(self.relevant)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """All candidates of all questions, one below the other, in units of each feature's spread."""

    values: NDArray[np.float64]
    wanted: NDArray[np.float64]  # [rows], a question's adding up to its weight
    starts: NDArray[np.int64]
    question: NDArray[np.int64]
    weight: NDArray[np.float64]  # [questions]


def learn_weights(
    questions: Sequence[LearningQuestion],
    names: Sequence[str],
    *,
    l2: float = 3.0,
    start: Mapping[str, float] | None = None,
    towards: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Return the weights under which relevant candidates stand out best, each in its own unit.

    A question with several relevant candidates asks once for each of them.

    Args:
        questions: Those that teach nothing are left out.
        names: Of the features, in the order of the columns.
        l2: The penalty: l2 / 2 · Σ ((weight - towards) · spread)² is added to the loss.
        start: Weights to begin from, such as those of nearly the same questions.
        towards: What the weights are where the questions do not say otherwise; 0 unless given.

    Raises:
        InvalidInputError: `l2` is not above 0, the columns are not as many as the names, or no
            question teaches anything.
    """
    if not math.isfinite(l2) or l2 <= 0:
        raise InvalidInputError(f"l2 is {shown(l2)}: give a finite number above 0")
    rows, spread = _rows(teaching(questions, names))
    begin, centre = (
        np.array([(given or {}).get(name, 0.0) for name in names]) * spread
        for given in (start or towards, towards)
    )
    solved = _newton(rows, begin, l2, centre) / spread
    return dict(zip(names, solved.tolist(), strict=True))


def teaching(questions: Sequence[LearningQuestion], names: Sequence[str]) -> list[LearningQuestion]:
    """Return the questions that have something to teach.

    Args:
        questions: Some of them may have nothing.
        names: Of the features, in the order of the columns.

    Raises:
        InvalidInputError: The columns are not as many as the names, or none teaches anything.
    """
    for each in questions:
        if each.features.shape != (len(each.relevant), len(names)):
            raise InvalidInputError(
                f"a question has features of the shape {list(each.features.shape)}: give "
                f"[{len(each.relevant)}, {len(names)}]"
            )
    taught = [each for each in questions if each.teaches]
    if not taught:
        raise InvalidInputError(
            f"none of {len(questions)} questions has both relevant and other candidates: there is "
            "nothing to learn from"
        )
    return taught


def _rows(questions: Sequence[LearningQuestion]) -> tuple[_Rows, NDArray[np.float64]]:
    centred = [each.features - each.features.mean(axis=0) for each in questions]
    values = np.concatenate(centred)
    spread = values.std(axis=0)
    # What is alike within each question gets the weight 0 from the penalty. Of it nothing is left
    # but what the mean was rounded by, which would be taken for a tiny unit.
    greatest = np.max([np.abs(each.features).max(axis=0) for each in questions], axis=0)
    alike = spread <= _ROUNDING * greatest
    values[:, alike], spread[alike] = 0.0, 1.0
    counts = np.array([np.count_nonzero(each.relevant) for each in questions])
    lengths = np.array([len(each.relevant) for each in questions])
    question = np.repeat(np.arange(len(questions)), lengths)
    weight = counts.astype(np.float64)
    relevant = np.concatenate([each.relevant for each in questions]).astype(np.float64)
    return _Rows(
        values=values / spread,
        wanted=relevant * (weight / counts)[question],
        starts=np.cumsum(lengths) - lengths,
        question=question,
        weight=weight,
    ), spread


def loss_and_gradient(
    weights: NDArray[np.float64], rows: _Rows, l2: float, centre: NDArray[np.float64] | None = None
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Return the loss, its gradient, and the chance of each row times its question's weight."""
    scores = rows.values @ weights
    most = np.maximum.reduceat(scores, rows.starts)
    raised = np.exp(scores - most[rows.question])
    sums = np.add.reduceat(raised, rows.starts)
    chances = raised * (rows.weight / sums)[rows.question]
    loss = float(rows.weight @ (most + np.log(sums)) - rows.wanted @ scores)
    away = weights if centre is None else weights - centre
    gradient = (chances - rows.wanted) @ rows.values + l2 * away
    return loss + 0.5 * l2 * float(away @ away), gradient, chances


def _newton(
    rows: _Rows, weights: NDArray[np.float64], l2: float, centre: NDArray[np.float64]
) -> NDArray[np.float64]:
    loss, gradient, chances = loss_and_gradient(weights, rows, l2, centre)
    for _ in range(_MOST_STEPS):
        weighed = rows.values * chances[:, None]
        means = np.add.reduceat(weighed, rows.starts, axis=0)
        hessian = rows.values.T @ weighed - (means / rows.weight[:, None]).T @ means
        step = np.linalg.solve(hessian + l2 * np.eye(len(weights)), gradient)
        size = 1.0
        for _ in range(_HALVINGS):  # a full step overshoots where the loss is far from a parabola
            moved = weights - size * step
            new_loss, new_gradient, new_chances = loss_and_gradient(moved, rows, l2, centre)
            if new_loss <= loss:
                break
            size /= 2
        else:
            return weights  # no step of any size helps: this is the optimum, as far as numbers go
        fall = loss - new_loss
        weights, loss, gradient, chances = moved, new_loss, new_gradient, new_chances
        if fall <= _FLAT * abs(loss):
            return weights
    return weights
