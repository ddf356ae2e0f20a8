"""Runs the tasks of the benchmark, one after the other, and writes what they found."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from engram_lab.config import EngineConfig
from engram_lab.evaluation.consolidation.outcome import Setting
from engram_lab.evaluation.consolidation.results import (
    frame_of,
    record_of,
    results_of,
    write_results,
)
from engram_lab.evaluation.consolidation.suite import SIZE, check_size, tasks_named
from engram_lab.evaluation.running.progress import Silent
from engram_lab.evaluation.runs.writing import check_folder, check_place
from engram_lab.evaluation.systems import Workshop

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engram_lab.evaluation.consolidation.outcome import Outcome, Task
    from engram_lab.evaluation.running.progress import Progress
    from engram_lab.evaluation.runs.results import RunFolder
    from engram_lab.retrieval.embedders import Embedder

__all__ = ["run_benchmark"]


def run_benchmark(
    *,
    out: Path,
    size: int = SIZE,
    seed: int = 0,
    tasks: Sequence[str | Task] = (),
    config: EngineConfig | None = None,
    embedder: Embedder | None = None,
    cache: Path | None = None,
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
        config: Of the engines that dream; else the defaults.
        embedder: Else what `config` names, opened once.
        cache: A file that keeps vectors from one run to the next.
        progress: Who watches.
        fresh: Replace the results of another evaluation.

    Raises:
        InvalidInputError: Size or seed is out of bounds, a task is unknown, or `out` is a file.
        ConflictError: `out` holds the results of another evaluation.
        EmbedderError: The embedder cannot be loaded.
    """
    check_size(size, seed)
    named = tasks_named([each for each in tasks if isinstance(each, str)])
    own = [each for each in tasks if not isinstance(each, str)]
    chosen: tuple[Task, ...] = tuple(own) if own and len(own) == len(tasks) else (*named, *own)
    check_folder(out)
    watch, config = progress or Silent(), config or EngineConfig()
    with ExitStack() as stack:
        if embedder is None and config.embedding.model != "none":
            embedder = stack.enter_context(Workshop(cache=cache)).embedder(config)
        setting = Setting(size=size, seed=seed, config=config, embedder=embedder)
        record = record_of(setting, [each.name for each in chosen])
        check_place(out, record["id"], fresh=fresh)
        outcomes = [_outcome(each, setting, watch) for each in chosen]
    watch.say("testing each against its nulls")
    per_query = frame_of(outcomes)
    results = results_of(outcomes, per_query, setting, record=record)
    return write_results(out, results, per_query)


def _outcome(task: Task, setting: Setting, watch: Progress) -> Outcome:
    watch.begin(task.name, 1, 0)
    told = replace(setting, progress=lambda text: watch.say(f"{task.name}: {text}"))
    found = task.run(told)
    watch.answered(task.name)
    return found
