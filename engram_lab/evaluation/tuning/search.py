"""The search itself: what to try next, and the loop that tries it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.config.model import EngineConfig
from engram_lab.config.sections import nest
from engram_lab.core.packages import optional
from engram_lab.core.progress import task
from engram_lab.evaluation.tuning.space import Choice, Parameter, Range, Space
from engram_lab.evaluation.tuning.trials import (
    DEFAULT,
    EVERYTHING,
    Objective,
    Trial,
    Trials,
    mean_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from numpy.typing import NDArray

    from engram_lab.core.progress import Progress, Task

__all__ = ["Searching", "configured", "importance", "propose", "search"]

_FEW: Final = 20
"""Fewer trials tell nothing of how much a parameter matters."""


@dataclass(frozen=True, kw_only=True)
class Searching:
    """How a search goes.

    Attributes:
        space: What may be changed.
        base: What is changed.
        trials: How many each study proposes, beside the default configuration.
        seed: The same seed, space and values give the same trials.
        blind: Propose by chance, whatever was found.
    """

    space: Space
    base: EngineConfig
    trials: int
    seed: int
    blind: bool = False

    def configuration(self, settings: Mapping[str, Any]) -> EngineConfig:
        """Return the base with these settings, given by dotted name."""
        return configured(self.base, settings)


def configured(base: EngineConfig, settings: Mapping[str, Any]) -> EngineConfig:
    """Return a configuration with some settings, given by dotted name, in the place of its own."""
    return EngineConfig.from_dict(nest({**base.flat(), **settings}))


def search(
    evaluate: Objective,
    how: Searching,
    trials: Trials,
    *,
    told: Callable[[pl.DataFrame], Mapping[str, NDArray[np.bool_]]] | None = None,
    progress: Progress | None = None,
) -> bool:
    """Try the default configuration, then what each study proposes.

    Args:
        evaluate: What a configuration is worth.
        how: See `Searching`.
        trials: Takes the trials; those it holds already are not evaluated again.
        told: Returns the further studies, given the queries: which of them each is told of, bool
            [queries], by name.
        progress: Told how many trials are done, and what the best is worth.

    Returns:
        Whether it went to its end: False after an interruption from the keyboard, which leaves what
        was found so far.
    """
    before = len(trials.all)
    telling = task("tuning", total=1 + how.trials, unit="trials", done=before, progress=progress)
    try:
        with telling as counting:
            proceeding = _Proceeding(evaluate, how, trials, counting)
            if not trials.all:
                proceeding.attempt(DEFAULT, {}, {})
            further = told(trials.queries) if told else {}
            counting.total = 1 + how.trials * (1 + len(further))
            proceeding.pursue(EVERYTHING, None)
            for study, mask in further.items():
                proceeding.pursue(study, mask)
    except KeyboardInterrupt:
        if not trials.all:
            raise
        return False
    return True


class _Proceeding:
    """A search under way."""

    def __init__(
        self,
        evaluate: Objective,
        how: Searching,
        trials: Trials,
        counting: Task,
    ) -> None:
        self._evaluate = evaluate
        self._how = how
        self._trials = trials
        self._counting = counting
        self._known: dict[str, int] = {}
        for each in trials.all:
            self._known.setdefault(how.configuration(each.settings).content_hash, each.number)

    def pursue(self, study: str, mask: NDArray[np.bool_] | None) -> None:
        """Try what one study proposes, going on after what it proposed before."""
        space = self._how.space
        history = [
            (dict(each.sampled), mean_of(self._trials.values(each), mask))
            for each in self._trials.all
            if each.study == study
        ]
        start = space.start(self._how.base)
        for index in range(len(history), self._how.trials):
            sampled = start if index == 0 and start else self._proposed(history)
            trial = self.attempt(study, sampled, space.settings(sampled))
            history.append((sampled, mean_of(self._trials.values(trial), mask)))

    def _proposed(self, history: Sequence[tuple[Mapping[str, Any], float]]) -> dict[str, Any]:
        how = self._how
        return propose(how.space, history, seed=how.seed, blind=how.blind)

    def attempt(self, study: str, sampled: dict[str, Any], settings: dict[str, Any]) -> Trial:
        """Evaluate settings, unless a trial before had the same configuration."""
        number = len(self._trials.all)
        key = self._how.configuration(settings).content_hash
        same_as = self._known.get(key)
        begun = time.perf_counter()
        if same_as is None:
            frame = self._evaluate(settings)
            seconds = time.perf_counter() - begun
        else:
            frame, seconds = self._trials.frame(self._trials.all[same_as]), 0.0
        trial = Trial(
            number=number,
            study=study,
            sampled=sampled,
            settings=settings,
            value=mean_of(self._trials.measured(frame)),
            seconds=seconds,
            same_as=same_as,
        )
        self._trials.add(trial, frame)
        self._known.setdefault(key, number)
        self._counting.done += 1
        known = [each.value for each in self._trials.all if not np.isnan(each.value)]
        self._counting.say(f"best {max(known):.4g}" if known else "")
        return trial


def propose(
    space: Space,
    history: Sequence[tuple[Mapping[str, Any], float]],
    *,
    seed: int,
    blind: bool = False,
) -> dict[str, Any]:
    """Return the parameters to try next, from those that were tried and what they were worth.

    A function of its arguments alone, so that a search that was interrupted goes on as if it had
    not been.

    Source: the tree-structured Parzen estimator of Bergstra, Bardenet, Bengio and Kégl, "Algorithms
        for Hyper-Parameter Optimization" (NeurIPS 2011), section 4, as Optuna has it.

    Args:
        space: What may be changed.
        history: Parameters and their value; more is better, NaN is left out.
        seed: Of the search.
        blind: By chance, whatever the values.
    """
    optuna = _optuna()
    index = len(history)
    state = int(np.random.SeedSequence([seed, index]).generate_state(1)[0])
    with _silent(optuna):
        samplers = optuna.samplers
        sampler = samplers.RandomSampler(seed=state) if blind else samplers.TPESampler(seed=state)
        study = _study(optuna, space, history, sampler)
        found = study.ask(_distributions(optuna, space)).params
    return {each.name: _tidy(found[each.name], each) for each in space.parameters}


def importance(space: Space, trials: Sequence[Trial]) -> dict[str, float]:
    """Return how much each parameter matters, adding up to 1; empty where too few trials tell.

    Source: PED-ANOVA of Watanabe, Bansal and Hutter, "PED-ANOVA: Efficiently Quantifying
        Hyperparameter Importance in Arbitrary Subspaces" (IJCAI 2023), as Optuna has it.
    """
    told = [(each.sampled, each.value) for each in trials if each.sampled]
    if len(told) < _FEW or len({value for _, value in told}) == 1:
        return {}
    optuna = _optuna()
    with _silent(optuna):
        study = _study(optuna, space, told, optuna.samplers.RandomSampler(seed=0))
        found = optuna.importance.get_param_importances(study)
    return {name: float(value) for name, value in found.items()}


def _tidy(value: Any, parameter: Parameter) -> Any:
    """Return 0.3 for the 0.30000000000000004 that steps add up to."""
    stepped = isinstance(parameter, Range) and parameter.step is not None
    return round(value, 12) if stepped else value


def _study(
    optuna: Any,
    space: Space,
    history: Sequence[tuple[Mapping[str, Any], float]],
    sampler: Any,
) -> Any:
    study = optuna.create_study(direction="maximize", sampler=sampler)
    distributions = _distributions(optuna, space)
    study.add_trials(
        optuna.trial.create_trial(params=dict(params), distributions=distributions, value=value)
        for params, value in history
        if not np.isnan(value)
    )
    return study


def _distributions(optuna: Any, space: Space) -> dict[str, Any]:
    return {each.name: _distribution(optuna.distributions, each) for each in space.parameters}


def _distribution(kinds: Any, parameter: Parameter) -> Any:
    if isinstance(parameter, Choice):
        return kinds.CategoricalDistribution(parameter.choices)
    if parameter.kind == "int":
        step = 1 if parameter.step is None else parameter.step
        return kinds.IntDistribution(parameter.low, parameter.high, log=parameter.log, step=step)
    return kinds.FloatDistribution(
        parameter.low, parameter.high, log=parameter.log, step=parameter.step
    )


def _optuna() -> Any:
    with warnings.catch_warnings():
        # In a notebook it asks for widgets, for bars that are not shown.
        warnings.filterwarnings("ignore", message="IProgress not found")
        return optional("optuna", package="optuna", feature="a search for settings", extra="tune")


@contextmanager
def _silent(optuna: Any) -> Iterator[None]:
    """Let Optuna say warnings alone, and then as much as before."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
