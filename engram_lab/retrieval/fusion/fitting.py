"""Learning the weights of a linear fusion from questions whose answers are known.

Source: logistic regression with a quadratic penalty, solved by Newton's method (Hastie, Tibshirani
and Friedman, "The Elements of Statistical Learning", 2nd edition, equations 4.20 to 4.28 and 4.31
with the square in place of the absolute value). With a few dozen weights each step solves a tiny
system, so a handful of steps reach the one optimum to the last digits, the same at every run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.retrieval.fusion.linear import FEATURES, ArmWeights, LinearWeights, features_of
from engram_lab.retrieval.fusion.min_max import MinMax
from engram_lab.retrieval.fusion.pool import Pool
from engram_lab.retrieval.fusion.rrf import RRF_K

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from numpy.typing import NDArray

    from engram_lab.retrieval.fusion.protocol import Normaliser
    from engram_lab.retrieval.ranking import Ranking

__all__ = ["Example", "fit", "loss_and_gradient"]

_MOST_STEPS: Final = 100
_FLAT: Final = 1e-9
"""The gradient, for each row, at which the optimum is reached."""
_HALVINGS: Final = 40
_RIDGE: Final = 1e-10
"""Keeps the system solvable where all rows are as good as certain."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A question: what each arm found, and the keys of the memories that answer it."""

    rankings: Mapping[str, Ranking]
    relevant: Collection[int]


def fit(
    examples: Iterable[Example],
    *,
    l2: float = 1.0,
    normaliser: Normaliser | None = None,
    k: float = RRF_K,
) -> LinearWeights:
    """Return the weights under which relevant memories stand out best among those found.

    Each memory that any arm found is one row. The features are centred within their question (see
    `features_of`), so that nothing is learned from differences between questions, such as how many
    memories they found. A question of whose finds all or none are relevant says nothing of order
    and is left out. A constant is fitted along, without penalty, and dropped: it orders nothing.

    Args:
        examples: The questions.
        l2: The penalty: the loss is Σ log loss + l2 / 2 · Σ weight².
        normaliser: As `LinearFusion` will have it; min-max unless told.
        k: As `LinearFusion` will have it.

    Raises:
        InvalidInputError: `l2` is not above 0, or no question is left.
    """
    if not math.isfinite(l2) or l2 <= 0:
        raise InvalidInputError(f"l2 is {shown(l2)}: give a finite number above 0")
    given = [(Pool.of(each.rankings), each.relevant) for each in examples]
    arms = tuple(sorted({arm for pool, _ in given for arm in pool.arms}))
    normaliser = MinMax() if normaliser is None else normaliser
    rows, labels = [], []
    for pool, relevant in given:
        wanted = np.isin(pool.keys, np.fromiter(relevant, np.int64, len(relevant)))
        if 0 < np.count_nonzero(wanted) < len(wanted):
            features = features_of(pool, arms, normaliser=normaliser, k=k)
            rows.append(features.reshape(-1, len(wanted)).T)
            labels.append(wanted)
    if not rows:
        raise InvalidInputError(
            f"none of {len(given)} examples has both relevant and other memories among its finds: "
            "there is nothing to learn from"
        )
    solved = _newton(np.concatenate(rows), np.concatenate(labels).astype(np.float64), l2)
    by_arm = solved[:-1].reshape(len(arms), len(FEATURES)).tolist()
    return LinearWeights(
        arms={arm: ArmWeights(*weights) for arm, weights in zip(arms, by_arm, strict=True)}
    )


def loss_and_gradient(
    weights: NDArray[np.float64],
    rows: NDArray[np.float64],
    labels: NDArray[np.float64],
    l2: float,
) -> tuple[float, NDArray[np.float64]]:
    """Return the penalised log loss of weights and its gradient, float64 [features + 1].

    Args:
        weights: float64 [features + 1]; the last is the constant, which bears no penalty.
        rows: float64 [n, features].
        labels: float64 [n], 1 for relevant, 0 for not.
        l2: The penalty.
    """
    logits = rows @ weights[:-1] + weights[-1]
    # log(1 + e^z) - y·z, without overflow
    loss = float(np.sum(np.logaddexp(0.0, logits) - labels * logits))
    loss += 0.5 * l2 * float(weights[:-1] @ weights[:-1])
    residual = _sigmoid(logits) - labels
    gradient = np.append(residual @ rows + l2 * weights[:-1], residual.sum())
    return loss, gradient


def _newton(
    rows: NDArray[np.float64], labels: NDArray[np.float64], l2: float
) -> NDArray[np.float64]:
    size = rows.shape[1] + 1
    weights = np.zeros(size)
    penalty = np.full(size, l2)
    penalty[-1] = _RIDGE
    loss, gradient = loss_and_gradient(weights, rows, labels, l2)
    for _ in range(_MOST_STEPS):
        if np.abs(gradient).max() <= _FLAT * len(rows):
            break
        chance = _sigmoid(rows @ weights[:-1] + weights[-1])
        curvature = chance * (1.0 - chance)
        bent = rows * curvature[:, None]
        hessian = np.diag(penalty)
        hessian[:-1, :-1] += rows.T @ bent
        hessian[:-1, -1] = hessian[-1, :-1] = bent.sum(axis=0)
        hessian[-1, -1] += curvature.sum()
        step = np.linalg.solve(hessian, gradient)
        size_of_step = 1.0
        for _ in range(_HALVINGS):  # a full step overshoots where the loss is far from a parabola
            moved = weights - size_of_step * step
            new_loss, new_gradient = loss_and_gradient(moved, rows, labels, l2)
            if new_loss <= loss:
                break
            size_of_step /= 2
        else:
            break  # no step of any size helps: this is the optimum, as far as numbers go
        weights, loss, gradient = moved, new_loss, new_gradient
    return weights


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    # By way of tanh, which does not overflow.
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), dtype=np.float64)
