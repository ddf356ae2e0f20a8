"""`engram eval run consolidation`: a suite that makes its own data, from a size and a seed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from engram_lab.cli.printing import bars, print_json, say, show
from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from engram_lab.core.progress import Progress, Told
    from engram_lab.evaluation.runs.results import RunFolder

__all__ = ["is_benchmark", "refuse", "run_it", "tell"]

_NAME: Final = "consolidation"


def is_benchmark(suite: str) -> bool:
    """Return whether a suite makes its own data."""
    return suite == _NAME


def refuse(given: Mapping[str, Any], *, suite: str) -> None:
    """Refuse options that mean nothing to a suite.

    Raises:
        InvalidInputError: One of them was given.
    """
    wrong = [name for name, value in given.items() if value is not None and value is not False]
    if wrong:
        why = "it makes its own data" if suite == _NAME else f"it is one of {_NAME}"
        raise InvalidInputError(
            f"{wrong[0]} means nothing to the suite {suite!r}, as {why}: leave it out"
        )


def run_it(
    out: Path,
    *,
    size: int | None,
    seed: int | None,
    tasks: Sequence[str],
    cache: Path | None,
    fresh: bool,
) -> RunFolder:
    """Run it under the configuration that stands, and return the folder of results."""
    from engram_lab.config import load_config
    from engram_lab.evaluation.consolidation.benchmark import run_benchmark
    from engram_lab.evaluation.consolidation.suite import SIZE

    return run_benchmark(
        out=out,
        size=SIZE if size is None else size,
        seed=0 if seed is None else seed,
        tasks=tasks,
        config=load_config().config,
        cache=cache,
        progress=_heard(),
        fresh=fresh,
    )


def _heard() -> Progress:
    """Return bars; where there is no terminal, a line for each task as it begins."""
    return bars() if sys.stderr.isatty() else _Lines()


class _Lines:
    """Writes down what begins, as somebody reads it who looks into a log of minutes."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, told: Told, /) -> None:
        """Write a line where another task begins."""
        name = told.note.partition(":")[0]
        if told.level == 0 and name and name != self._last:
            self._last = name
            count = f"{told.done + 1} of {told.total}: " if told.done < (told.total or 0) else ""
            print(f"{told.task}: {count}{name}", file=sys.stderr, flush=True)


def tell(folder: RunFolder, out: Path, *, report: Path | None, as_json: bool) -> None:
    """Print what was found, and write the report where one is asked for."""
    from engram_lab.evaluation.reports.html import write_report

    if report is not None:
        write_report(folder, report)
    if as_json:
        print_json(folder.results)
        return
    from engram_lab.evaluation.reports.dream_tables import benchmark_tables

    show(benchmark_tables(folder.results))
    also = "" if report is None else f", the report {report}"
    say(f"{out} holds the values of each unit and the record{also}")
