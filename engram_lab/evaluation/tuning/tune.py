"""Tuning: search the settings, and say honestly what the best of them is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from engram_lab.config import EngineConfig
from engram_lab.core.errors import EvaluationError, shown
from engram_lab.evaluation.measures.parsing import falls
from engram_lab.evaluation.statistics.comparing import compare
from engram_lab.evaluation.tuning.choosing import Chosen, choose, masks
from engram_lab.evaluation.tuning.folds import Folds, make_folds
from engram_lab.evaluation.tuning.search import Searching, importance, search
from engram_lab.evaluation.tuning.space import Range, Space
from engram_lab.evaluation.tuning.trials import EVERYTHING, Objective, Trial, Trials

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from engram_lab.core.progress import Progress
    from engram_lab.evaluation.statistics.contrast import Comparison

__all__ = ["EXPLORING", "Exploring", "Plan", "Tuned", "against_default", "tune"]

Exploring = Literal["shared", "blind", "apart"]
EXPLORING: Final[Mapping[Exploring, str]] = MappingProxyType(
    {
        "shared": "one study, told of all queries, proposes what is tried; the choice among it is "
        "made without the fold that judges it, so that a trace of optimism is left",
        "blind": "what is tried is drawn by chance, so that nothing of a fold is known before it "
        "judges; needs more trials",
        "apart": "each fold has a study of its own that never hears of it; takes as many times "
        "longer as there are folds",
    }
)
"""How it is found out what to try, and what that means for the held-out figure."""

_NO_BETTER: Final = (
    "where it was not tuned, the choice is not significantly better than the default: there is no "
    "evidence for changing anything"
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is searched, and how.

    Attributes:
        space: Which settings may be changed.
        measure: The measure that is made as high as it goes.
        trials: How many configurations are tried beside the default one, in each study.
        base: The default configuration, which the space changes.
        apart: Categories that do not count.
        exploring: How it is found out what to try; see `EXPLORING`.
        groups: Folds, where clusters are too many to be left out one by one.
        most: Up to how many clusters are left out one by one.
        resamples: Of the paired test.
        seed: Of everything random.

    Raises:
        EvaluationError: A number or a name is not allowed.
    """

    space: Space
    measure: str
    trials: int = 50
    base: EngineConfig = field(default_factory=EngineConfig)
    apart: tuple[str, ...] = ()
    exploring: Exploring = "shared"
    groups: int = 5
    most: int = 20
    resamples: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise EvaluationError(f"{self.trials} trials find nothing: give one or more")
        if self.exploring not in EXPLORING:
            raise EvaluationError(
                f"exploring is {shown(self.exploring)}: allowed are {', '.join(EXPLORING)}"
            )
        if self.seed < 0:
            raise EvaluationError(f"the seed is {self.seed}: give a whole number from 0")
        if falls(self.measure):
            raise EvaluationError(
                f"less of {self.measure} is better, and least where nothing is found: tune another "
                "measure, and let the gate watch over this one"
            )


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What a search found, and what it is worth.

    Attributes:
        plan: What was searched.
        trials: All that was tried, in order; the first is the default configuration.
        folds: What was left out in turn.
        chosen: See `Chosen`.
        comparison: The choices on the folds they were made without, against the default.
        importance: How much each parameter matters to the mean over all queries.
        finished: False after an interruption.
    """

    plan: Plan
    trials: tuple[Trial, ...]
    folds: Folds
    chosen: Chosen
    comparison: Comparison
    importance: Mapping[str, float]
    finished: bool

    @property
    def best(self) -> Trial:
        """The trial that is chosen on everything; its own value flatters."""
        return self.chosen.best

    @property
    def config(self) -> EngineConfig:
        """The base with the settings that are chosen on everything."""
        return _searching(self.plan).configuration(self.best.settings)

    @property
    def held_out(self) -> float:
        """The honest mean: each query under the settings that were chosen without its fold."""
        return self.comparison.contrasts[0].mean_b

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know."""
        found = self.comparison.contrasts[0]
        better = found.delta > 0 and found.p < self.comparison.alpha
        verdict = () if better or not self.best.settings else (_NO_BETTER,)
        return (*self.folds.warnings, *self.comparison.warnings, *verdict, *self._at_an_edge())

    def _at_an_edge(self) -> Iterator[str]:
        known = EngineConfig.settings()
        for each in self.plan.space.parameters:
            value = self.best.settings.get(each.name)
            if not isinstance(each, Range) or value not in {each.low, each.high}:
                continue
            if known[each.name].ge < value < known[each.name].le:
                yield (
                    f"{each.name} is best at {value}, where its range ends: a wider one may hold "
                    "better"
                )


def tune(
    evaluate: Objective,
    plan: Plan,
    *,
    folder: Path | None = None,
    identity: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Tuned:
    """Search the space, and judge the choice by cross-validation.

    Each trial is evaluated once, on all queries, and its values are kept query by query; for each
    fold the best trial on the rest is chosen and scored on the fold. So the mean over all folds is
    what to expect of the whole procedure on a conversation that it has not seen.

    Args:
        evaluate: What a configuration is worth; see `Objective`.
        plan: What is searched, and how.
        folder: Keeps the trials; a search that was interrupted goes on where it was.
        identity: What the trials are of, such as the hash of the data: a folder with trials of
            something else is refused.
        progress: Told how many trials are done, and what the best is worth.

    Raises:
        EvaluationError: Nothing is scored, or the folder holds another search.
        IncomparableError: An evaluation is of other queries than the one before.
        MissingDependencyError: Optuna is not installed.
    """
    trials = Trials(
        measure=plan.measure,
        apart=plan.apart,
        folder=folder,
        identity={
            "space": plan.space.to_dict(),
            "base": plan.base.content_hash,
            "seed": plan.seed,
            "exploring": plan.exploring,
            **({"folds": [plan.groups, plan.most]} if plan.exploring == "apart" else {}),
            **(identity or {}),
        },
    )

    def told(queries: pl.DataFrame) -> Mapping[str, NDArray[np.bool_]]:
        return masks(_folds(plan, queries), queries) if plan.exploring == "apart" else {}

    finished = search(evaluate, _searching(plan), trials, told=told, progress=progress)
    return _tuned(plan, trials, finished=finished)


def _tuned(plan: Plan, trials: Trials, *, finished: bool) -> Tuned:
    folds = _folds(plan, trials.queries)
    chosen = choose(trials, folds)
    told = [each for each in trials.all if each.study == EVERYTHING]
    return Tuned(
        plan=plan,
        trials=tuple(trials.all),
        folds=folds,
        chosen=chosen,
        comparison=against_default(plan, chosen.default, chosen.held_out),
        importance=importance(plan.space, told),
        finished=finished,
    )


def against_default(plan: Plan, default: pl.DataFrame, tuned: pl.DataFrame) -> Comparison:
    """Return what is tuned against the default configuration, in the measure of the plan.

    Args:
        plan: What was searched.
        default: Rows of the default configuration; see `Objective`.
        tuned: Likewise of what was chosen, over the same queries.
    """
    return compare(
        default,
        tuned,
        names=("default", "tuned"),
        measures=[plan.measure],
        apart=plan.apart,
        categories=False,
        resamples=plan.resamples,
        seed=plan.seed,
    )


def _folds(plan: Plan, queries: pl.DataFrame) -> Folds:
    return make_folds(queries, groups=plan.groups, most=plan.most, seed=plan.seed)


def _searching(plan: Plan) -> Searching:
    return Searching(
        space=plan.space,
        base=plan.base,
        trials=plan.trials,
        seed=plan.seed,
        blind=plan.exploring == "blind",
    )
