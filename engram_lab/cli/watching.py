"""Bars that show how an evaluation goes on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress as Bars
    from rich.progress import TaskID

__all__ = ["watching"]


class _Watch:
    """One bar for each system, and a line for what else is done.

    Args:
        bars: Where they are shown.
    """

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def begin(self, system: str, total: int, done: int) -> None:
        """Show a new bar."""
        self._tasks[system] = self._bars.add_task(system, total=total, completed=done)

    def answered(self, system: str) -> None:
        """Move its bar."""
        self._bars.advance(self._tasks[system])

    def say(self, text: str) -> None:
        """Put it above the bars."""
        self._bars.update(self._line, description=text)

    @property
    def _line(self) -> TaskID:
        if "" not in self._tasks:
            self._tasks[""] = self._bars.add_task("", total=None, visible=True)
        return self._tasks[""]


@contextmanager
def watching() -> Iterator[_Watch]:
    """Show bars on a terminal's standard error; nothing where there is none."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bars:
        yield _Watch(bars)
