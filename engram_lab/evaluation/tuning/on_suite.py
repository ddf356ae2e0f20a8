"""Tuning on a suite: which conversations may be used, the search, and a look at those held out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engram_lab.config import EngineConfig
from engram_lab.core.errors import EvaluationError, InvalidInputError, MissingDependencyError
from engram_lab.evaluation.measures.parsing import parse_measure
from engram_lab.evaluation.running.bench import Bench
from engram_lab.evaluation.tuning.ledger import Ledger, default_ledger
from engram_lab.evaluation.tuning.parts import Parts
from engram_lab.evaluation.tuning.plots import write_plots
from engram_lab.evaluation.tuning.report import contrast_summary, write_tuned
from engram_lab.evaluation.tuning.search import configured
from engram_lab.evaluation.tuning.tune import Plan, Tuned, against_default, tune

if TYPE_CHECKING:
    from os import PathLike

    from engram_lab.core.clock import Clock
    from engram_lab.core.progress import Progress
    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.statistics.contrast import Comparison
    from engram_lab.evaluation.suite import Suite
    from engram_lab.evaluation.systems import SystemSpec

__all__ = ["Look", "TunedSuite", "base_of", "tune_suite"]


@dataclass(frozen=True, kw_only=True)
class Look:
    """What the tuned configuration is worth on what is held out.

    Attributes:
        comparison: With the default configuration.
        number: How often that part was looked at, with this time.
    """

    comparison: Comparison
    number: int


@dataclass(frozen=True, kw_only=True)
class TunedSuite:
    """What a search on a suite found.

    Attributes:
        tuned: See `Tuned`.
        folder: Where it was written.
        used: Clusters, or single queries, that settings were chosen by.
        held_out: Those that must not be used.
        look: What the best is worth on the latter, if that was asked for.
    """

    tuned: Tuned
    folder: Path
    used: tuple[str, ...]
    held_out: tuple[str, ...]
    look: Look | None


def base_of(system: SystemSpec) -> EngineConfig:
    """Return the configuration of a system, to be tuned.

    Raises:
        InvalidInputError: The system is no engine.
        ConfigError: Its settings are wrong.
    """
    if system.kind != "engine":
        raise InvalidInputError(
            f"the system {system.name!r} is of kind {system.kind!r}, which has no settings to "
            "tune: name an engine"
        )
    return EngineConfig.from_dict(system.settings)


def tune_suite(
    suite: Suite,
    dataset: Dataset,
    plan: Plan,
    *,
    out: str | PathLike[str],
    hold_out: Sequence[str] | float = (),
    on: Sequence[str] | None = None,
    look: bool = False,
    ledger: str | PathLike[str] | None = None,
    clock: Clock | None = None,
    cache: str | PathLike[str] | None = None,
    progress: Progress | None = None,
    command: str = "engram eval tune",
) -> TunedSuite:
    """Search settings on a suite, and write what was found.

    Writes what `report.write_tuned` does, and keeps the trials in `out/search`, so that a search
    that was interrupted goes on.

    Args:
        suite: What is asked; its categories that are apart do not count.
        dataset: Its data.
        plan: What is searched, and how.
        out: The folder.
        hold_out: Clusters to be held out from now on, or the share of the queries that some chosen
            by the plan's seed must hold.
        on: The clusters to tune on; else all that are not held out.
        look: Score the best on what is held out, and count that in the ledger.
        ledger: The file of the ledger; else see `default_ledger`.
        clock: Tells the ledger the time; else the machine's.
        cache: A file that keeps vectors; else one in `out`.
        progress: Told how many trials are done, and what the best is worth.
        command: As it was given, for the ledger.

    Raises:
        EvaluationError: It was asked to tune on what is held out, to hold out what was tuned on, or
            to look where nothing is held out; or the folder holds another search.
        InvalidInputError: There is no such cluster, or the measure is unknown.
        MissingDependencyError: Optuna is not installed.
    """
    parse_measure(plan.measure)  # refused before anything is noted
    plan = replace(plan, apart=suite.apart)
    if plan.measure not in suite.measures:
        suite = replace(suite, measures=(*suite.measures, plan.measure))
    parts, place = Parts(dataset), Path(out)
    book = Ledger(default_ledger(place) if ledger is None else Path(ledger), clock=clock)
    used, held = parts.divided(book, hold_out=hold_out, on=on, seed=plan.seed, by=command)
    if look and not held:
        raise EvaluationError("nothing is held out to look at: name it with hold_out")
    note = f"{plan.measure} over {plan.space.id}"
    book.note_tuned(parts.data, used, by=command, note=note)
    cache = place / "vectors.db" if cache is None else Path(cache)
    place.mkdir(parents=True, exist_ok=True)
    with Bench(suite, dataset, queries=parts.of(used), cache=cache) as bench:
        tuned = tune(
            lambda settings: bench.per_query(configured(plan.base, settings)),
            plan,
            folder=place / "search",
            identity=_identity(suite, dataset, used),
            progress=progress,
        )
    seen: Look | None = None
    if look and tuned.finished:
        number = book.note_look(parts.data, held, by=command, note=note)
        with Bench(suite, dataset, queries=parts.of(held), cache=cache) as bench:
            rows = (bench.per_query(config) for config in (plan.base, tuned.config))
            seen = Look(comparison=against_default(plan, *rows), number=number)
    found = TunedSuite(tuned=tuned, folder=place, used=used, held_out=held, look=seen)
    write_tuned(tuned, place, about=_about(found, suite, dataset, book))
    with suppress(MissingDependencyError):  # plots are a courtesy: the figures are there
        write_plots(tuned, place)
    return found


def _identity(suite: Suite, dataset: Dataset, used: Sequence[str]) -> dict[str, Any]:
    return {
        "suite": suite.id,
        "dataset": dataset.id,
        "data": dataset.hash,
        "depth": suite.depth,
        "store": dict(suite.store),
        "used": list(used),
    }


def _about(found: TunedSuite, suite: Suite, dataset: Dataset, ledger: Ledger) -> dict[str, Any]:
    about: dict[str, Any] = {
        "suite": suite.id,
        "dataset": {
            "id": dataset.id,
            "variant": dict(dataset.variant),
            "hash": dataset.hash,
            "used": list(found.used),
            "held_out": list(found.held_out),
        },
        "ledger": ledger.last(),
        "look": None,
    }
    if found.look is not None:
        (headline, *_) = found.look.comparison.contrasts
        about["look"] = {"number": found.look.number, **contrast_summary(headline)}
    return about
