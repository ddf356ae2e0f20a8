"""Runs the tasks of the benchmark, one after the other, and writes what they found."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engram_lab.config import config_of
from engram_lab.core.progress import task
from engram_lab.evaluation.consolidation.outcome import Setting
from engram_lab.evaluation.consolidation.results import (
    frame_of,
    record_of,
    results_of,
    write_results,
)
from engram_lab.evaluation.consolidation.suite import SIZE, check_size, tasks_named
from engram_lab.evaluation.runs.writing import check_folder, check_place
from engram_lab.evaluation.systems import Workshop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from engram_lab.config import EngineConfig, LoadedConfig
    from engram_lab.core.progress import Progress
    from engram_lab.core.progress import Task as Counting
    from engram_lab.evaluation.consolidation.outcome import Outcome, Task
    from engram_lab.evaluation.runs.results import RunFolder
    from engram_lab.retrieval.embedders import Embedder

__all__ = ["run_benchmark"]


def run_benchmark(
    *,
    out: str | PathLike[str],
    size: int = SIZE,
    seed: int = 0,
    tasks: Sequence[str | Task] = (),
    config: EngineConfig | LoadedConfig | Mapping[str, Any] | None = None,
    embedder: Embedder | None = None,
    cache: str | PathLike[str] | None = None,
    progress: Progress | None = None,
    fresh: bool = False,
) -> RunFolder:
    """Run tasks on worlds of a size, and return the folder of results.

    The same arguments give the same bytes, but for costs, whatever the day.

    Args:
        out: The folder.
        size: About how many memories a world has.
        seed: Another one gives another world.
        tasks: Names, or tasks of one's own; all unless given.
        config: Of the engines that dream, see `Engine.open`; else the defaults.
        embedder: Else what `config` names, opened once.
        cache: A file that keeps vectors from one run to the next.
        progress: Told how many tasks are done, and what is done just now.
        fresh: Replace the results of another evaluation.

    Raises:
        ConfigError: `config` is none, or a value is refused.
        InvalidInputError: Size or seed is out of bounds, a task is unknown, or `out` is a file.
        ConflictError: `out` holds the results of another evaluation.
        EmbedderError: The embedder cannot be loaded.
    """
    check_size(size, seed)
    named = tasks_named([each for each in tasks if isinstance(each, str)])
    own = [each for each in tasks if not isinstance(each, str)]
    chosen: tuple[Task, ...] = tuple(own) if own and len(own) == len(tasks) else (*named, *own)
    place = Path(out)
    check_folder(place)
    settings = config_of(config)
    telling = task("consolidation", total=len(chosen), unit="tasks", progress=progress)
    with telling as counting, ExitStack() as stack:
        if embedder is None and settings.embedding.model != "none":
            embedder = stack.enter_context(Workshop(cache=cache)).embedder(settings)
        setting = Setting(size=size, seed=seed, config=settings, embedder=embedder)
        record = record_of(setting, [each.name for each in chosen])
        check_place(place, record["id"], fresh=fresh)
        outcomes = [_outcome(each, setting, counting) for each in chosen]
        counting.say("testing each against its nulls")
        per_query = frame_of(outcomes)
        results = results_of(outcomes, per_query, setting, record=record)
    return write_results(place, results, per_query)


def _outcome(one: Task, setting: Setting, counting: Counting) -> Outcome:
    counting.say(one.name)
    found = one.run(replace(setting, say=lambda text: counting.say(f"{one.name}: {text}")))
    counting.advance()
    return found
