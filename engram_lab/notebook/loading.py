"""Putting the magics into an IPython, and taking them out."""

from __future__ import annotations

import atexit
import re
from typing import TYPE_CHECKING, Final

from engram_lab.core.progress import tell_from_now
from engram_lab.notebook.bars import CellByCell, bars_of
from engram_lab.notebook.completion import IDENTIFIER, matcher_over
from engram_lab.notebook.magics import EngramMagics

if TYPE_CHECKING:
    from engram_lab.notebook.magics import Shell

__all__ = ["load", "unload"]

_EMPTY: Final = re.compile(r"(get_ipython\(\)\.run_cell_magic\('(?:recall|sql)', .*, ')('\)\n?)")
"""What IPython makes of a cell that ends with the line of our magic."""

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
    shell.Completer.custom_matchers.append(matcher_over(shell.user_ns))
    shell.input_transformers_post.append(_with_a_body)
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
    matchers = shell.Completer.custom_matchers
    for matcher in list(matchers):
        if getattr(matcher, "matcher_identifier", None) == IDENTIFIER:
            matchers.remove(matcher)
    shell.input_transformers_post.remove(_with_a_body)
    for event, told in (("pre_run_cell", "begin"), ("post_run_cell", "end")):
        for each in list(shell.events.callbacks[event]):
            if isinstance(bars := getattr(each, "__self__", None), CellByCell):
                shell.events.unregister(event, getattr(bars, told))
    tell_from_now(None)
    for name, kind in _KINDS.items():
        del shell.magics_manager.magics[kind][name]


def _with_a_body(lines: list[str]) -> list[str]:
    """Give an empty cell of ours a line, so that we are asked: IPython tells of its `%recall`."""
    found = _EMPTY.fullmatch("".join(lines))
    return lines if found is None else [f"{found[1]}\\n{found[2]}"]


def _loaded(shell: Shell) -> EngramMagics | None:
    """Return whose method `%engram` is."""
    found = getattr(shell.magics_manager.magics["line"].get("engram"), "__self__", None)
    return found if isinstance(found, EngramMagics) else None
