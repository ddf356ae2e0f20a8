"""The model that a record is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engram_lab.retrieval.learned.linear import LinearModel, scaled
from engram_lab.retrieval.learned.trees import TreeModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.fusion.protocol import Fusion
    from engram_lab.retrieval.learned.record import LearnedRecord

__all__ = ["model_of", "scores_of"]


def model_of(record: LearnedRecord) -> Fusion:
    """Return what makes one order of features by a record: linear, or trees."""
    if record.trees is not None:
        return TreeModel(record=record, forest=record.trees)
    return LinearModel(record=record)


def scores_of(
    record: LearnedRecord, values: NDArray[np.float64], names: Sequence[str]
) -> NDArray[np.float64]:
    """Return the scores that `model_of` gives, of a table in place of rankings: float64 [n].

    Args:
        record: A feature of it that the table has not is the same for all candidates.
        values: float64 [n, features].
        names: Of the columns.
    """
    columns = {name: scaled(values[:, at], record.scale) for at, name in enumerate(names)}
    if record.trees is not None:
        nothing = np.zeros(len(values))
        table = [columns.get(name, nothing) for name in record.trees.names]
        return record.trees.scores(np.column_stack(table)) - record.trees.base
    total = np.zeros(len(values))
    for name, weight in record.weights.items():
        if name in columns:
            total += weight * columns[name]
    return total
