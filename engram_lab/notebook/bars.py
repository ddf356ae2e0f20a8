"""Bars below the cell that waits, by Rich: one place of the output that is written anew."""

from __future__ import annotations

from io import StringIO
from threading import RLock
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from IPython.display import display
from rich.console import Console

from engram_lab.core.bars import AFTER_S, Alarm, Bars, Rows
from engram_lab.core.progress import tell_from_now

if TYPE_CHECKING:
    from engram_lab.core.progress import Progress, Told

__all__ = ["CellBars", "CellByCell", "bars_of"]

_EVERY_S: Final = 0.25
"""How often it is written anew: each time goes to the browser."""

_WIDTH: Final = 110
"""Columns: about what a cell of JupyterLab is wide."""

_FRAME: Final = (
    '<pre style="margin:0;white-space:pre;overflow-x:auto;line-height:normal;font-size:13px;'
    "font-family:Menlo,'DejaVu Sans Mono',consolas,'Courier New',monospace\">{code}</pre>"
)


def bars_of(shell: Any) -> Progress:
    """Return what shows bars in a shell: below its cells in a notebook, else on the terminal."""
    return CellBars() if getattr(shell, "kernel", None) is not None else Bars()


class CellBars:
    """Bars below a cell while something long goes on; a line of what was done stays there.

    Args:
        after_s: How long a task lasts before it is shown.
    """

    def __init__(self, *, after_s: float = AFTER_S) -> None:
        self._rows = Rows(_console(), after_s=after_s)
        self._alarm = Alarm(self._show, every_s=after_s / 2)
        self._lock = RLock()
        self._place: Any = None
        self._next = 0.0

    def __call__(self, told: Told, /) -> None:
        """Show how far a task is."""
        with self._lock:
            self._rows.take(told)
            if told.level == 0 and told.standing != "running":
                self._alarm.stop()
                self._draw()
                self._place, self._next = None, 0.0
            else:
                self._alarm.start()
                if perf_counter() >= self._next:
                    self._draw()

    def _show(self) -> None:
        with self._lock:
            if self._alarm.is_set:
                self._draw()

    def _draw(self) -> None:
        if not self._rows.look():
            return
        shown = _rendered(self._rows)
        if self._place is None:
            self._place = display(shown, raw=True, display_id=True)
        else:
            self._place.update(shown, raw=True)
        self._next = perf_counter() + _EVERY_S


class CellByCell:
    """Has somebody told of what takes long while a cell runs, and nobody between cells.

    Args:
        progress: Who is told.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def begin(self, _cell: object = None) -> None:
        """Tell from now on."""
        tell_from_now(self._progress)

    def end(self, _result: object = None) -> None:
        """Tell no more."""
        tell_from_now(None)


def _console() -> Console:
    return Console(
        file=StringIO(),
        width=_WIDTH,
        force_terminal=True,
        force_jupyter=False,
        color_system="truecolor",
        record=True,
        highlight=False,
        legacy_windows=False,
    )


def _rendered(rows: Rows) -> dict[str, str]:
    """Return what is seen as HTML, and as plain text for whoever shows no HTML."""
    console = rows.console
    console.print(rows.get_renderable())
    page = console.export_html(inline_styles=True, code_format=_FRAME, clear=False)
    plain = console.export_text(clear=True)
    return {"text/html": page, "text/plain": plain.rstrip()}
