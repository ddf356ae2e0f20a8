"""The choice among what was tried, made on some conversations and judged on the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from engram_lab.evaluation.tuning.trials import DEFAULT, EVERYTHING, Trial, Trials, mean_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.evaluation.tuning.folds import Fold, Folds

__all__ = ["Chosen", "FoldChoice", "choose", "masks"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FoldChoice:
    """What was chosen without a fold, and what it is worth there.

    Attributes:
        fold: The name of the fold.
        n: Queries of it that are scored.
        trial: The number of the trial that is best on the other folds.
        settings: Its settings.
        training: Its mean on the other folds: it was chosen by it, so it flatters.
        held_out: Its mean on the fold, NaN where nothing is scored.
        default: The mean of the default configuration on the fold.
    """

    fold: str
    n: int
    trial: int
    settings: Mapping[str, Any] = field(hash=False)
    training: float
    held_out: float
    default: float


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What a search comes to.

    Attributes:
        best: The trial with the highest mean over all queries; its value flatters.
        folds: What was chosen without each fold.
        held_out: A row for each query, from the trial that was chosen without its fold.
        default: The same rows of the default configuration.
    """

    best: Trial
    folds: tuple[FoldChoice, ...]
    held_out: pl.DataFrame
    default: pl.DataFrame


def masks(folds: Folds, queries: pl.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Return what each fold's own study is told of, bool [queries], by the name of the study."""
    return {_study(each): ~_inside(each, queries) for each in folds.folds}


def choose(trials: Trials, folds: Folds) -> Chosen:
    """Choose on everything, and once for each fold on all that lies outside it.

    Where a fold has a study of its own, it chooses among the trials of that one. The first of
    equals wins, so that nothing is changed for nothing.

    Source: nested cross-validation; see Cawley and Talbot, "On Over-fitting in Model Selection and
        Subsequent Selection Bias in Performance Evaluation" (JMLR 11, 2010), section 5.

    Args:
        trials: All that was tried.
        folds: What is left out in turn.
    """
    own = {each.study for each in trials.all}
    queries = trials.queries
    default = trials.all[0]
    best = _best(_candidates(trials, EVERYTHING), trials, np.ones(queries.height, dtype=np.bool_))
    choices: list[FoldChoice] = []
    rows: list[pl.DataFrame] = []
    for fold in folds.folds:
        inside = _inside(fold, queries)
        study = _study(fold)
        among = _candidates(trials, study if study in own else EVERYTHING)
        trial = _best(among, trials, ~inside)
        held_out = trials.values(trial)[inside]
        choices.append(
            FoldChoice(
                fold=fold.name,
                n=int((~np.isnan(held_out)).sum()),
                trial=trial.number,
                settings=trial.settings,
                training=mean_of(trials.values(trial)[~inside]),
                held_out=mean_of(held_out),
                default=mean_of(trials.values(default)[inside]),
            )
        )
        place = pl.Series("place", np.flatnonzero(inside))
        rows.append(trials.frame(trial).filter(pl.Series(inside)).with_columns(place))
    return Chosen(
        best=best,
        folds=tuple(choices),
        held_out=pl.concat(rows).sort("place").drop("place"),
        default=trials.frame(default),
    )


def _study(fold: Fold) -> str:
    return f"without {fold.name}"


def _candidates(trials: Trials, study: str) -> list[Trial]:
    return [each for each in trials.all if each.study in {DEFAULT, study}]


def _best(among: Sequence[Trial], trials: Trials, mask: NDArray[np.bool_]) -> Trial:
    """Return the first trial with the highest mean over the masked queries."""
    means = np.array([mean_of(trials.values(each)[mask]) for each in among])
    return among[int(np.argmax(np.where(np.isnan(means), -np.inf, means)))]


def _inside(fold: Fold, queries: pl.DataFrame) -> NDArray[np.bool_]:
    return queries["query_id"].is_in(list(fold.queries)).to_numpy()
