"""Putting the magics into an IPython, and taking them out."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Final

from engram_lab.core.progress import tell_from_now
from engram_lab.notebook.bars import CellByCell, bars_of
from engram_lab.notebook.completion import completions_of
from engram_lab.notebook.magics import EngramMagics

if TYPE_CHECKING:
    from engram_lab.notebook.magics import Shell

__all__ = ["load", "unload"]

_KINDS: Final = {"engram": "line", "recall": "cell", "sql": "cell"}


def load(shell: Shell) -> None:
    """Add `%engram`, `%%recall`, `%%sql` and bars to a shell; a second time changes nothing.

    What `%engram open` opened is closed when the shell ends. While a cell runs, what takes long
    shows a bar.
    """
    if _loaded(shell) is not None:
        return
    magics = EngramMagics(shell)
    for name, kind in _KINDS.items():
        shell.magics_manager.register_function(getattr(magics, name), kind, name)
    shell.Completer.custom_matchers.append(completions_of)
    bars = CellByCell(bars_of(shell))
    shell.events.register("pre_run_cell", bars.begin)
    shell.events.register("post_run_cell", bars.end)
    bars.begin()  # for what follows in this cell
    atexit.register(magics.close)


def unload(shell: Shell) -> None:
    """Close what `%engram open` opened, and take the magics out again."""
    magics = _loaded(shell)
    if magics is None:
        return
    magics.close()
    atexit.unregister(magics.close)
    shell.Completer.custom_matchers.remove(completions_of)
    for event, told in (("pre_run_cell", "begin"), ("post_run_cell", "end")):
        for each in list(shell.events.callbacks[event]):
            if isinstance(bars := getattr(each, "__self__", None), CellByCell):
                shell.events.unregister(event, getattr(bars, told))
    tell_from_now(None)
    for name, kind in _KINDS.items():
        del shell.magics_manager.magics[kind][name]


def _loaded(shell: Shell) -> EngramMagics | None:
    """Return whose method `%engram` is."""
    found = getattr(shell.magics_manager.magics["line"].get("engram"), "__self__", None)
    return found if isinstance(found, EngramMagics) else None
