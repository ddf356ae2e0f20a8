"""Putting the magics into an IPython, and taking them out."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Final

from engram_lab.notebook.completion import completions_of
from engram_lab.notebook.magics import EngramMagics

if TYPE_CHECKING:
    from engram_lab.notebook.magics import Shell

__all__ = ["load", "unload"]

_KINDS: Final = {"engram": "line", "recall": "cell", "sql": "cell"}


def load(shell: Shell) -> None:
    """Add `%engram`, `%%recall` and `%%sql` to a shell; a second time changes nothing.

    What `%engram open` opened is closed when the shell ends.
    """
    if _loaded(shell) is not None:
        return
    magics = EngramMagics(shell)
    for name, kind in _KINDS.items():
        shell.magics_manager.register_function(getattr(magics, name), kind, name)
    shell.Completer.custom_matchers.append(completions_of)
    atexit.register(magics.close)


def unload(shell: Shell) -> None:
    """Close what `%engram open` opened, and take the magics out again."""
    magics = _loaded(shell)
    if magics is None:
        return
    magics.close()
    atexit.unregister(magics.close)
    shell.Completer.custom_matchers.remove(completions_of)
    for name, kind in _KINDS.items():
        del shell.magics_manager.magics[kind][name]


def _loaded(shell: Shell) -> EngramMagics | None:
    """Return whose method `%engram` is."""
    found = getattr(shell.magics_manager.magics["line"].get("engram"), "__self__", None)
    return found if isinstance(found, EngramMagics) else None
