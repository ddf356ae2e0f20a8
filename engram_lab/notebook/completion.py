"""What can be written next after a magic of ours: options, paths, and the names of tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from IPython.core.completer import SimpleCompletion, context_matcher

from engram_lab.core.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from IPython.core.completer import CompletionContext, SimpleMatcherResult

__all__ = ["completions_of"]

_PREFIX: Final = re.compile(r"\S*$")
_NAME: Final = re.compile(r"\w*$")

_OPTIONS: Final = {"%engram open": ("--config", "--read-only"), "%%recall": ("-k", "--explain")}
_BESIDE: Final = ("-shm", "-wal", ".index")
"""Ends of what lies beside a database and is none."""

_VERBS: Final = ("open", "close")

_WORDS: Final = (
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "JOIN", "USING", "count(*)",
)  # fmt: skip
"""Of SQL, those that any query is made of."""


def _completions_of(context: CompletionContext) -> SimpleMatcherResult:
    """Return what may follow; nothing where no magic of ours is written."""
    lines = context.full_text.split("\n")
    before = context.text_until_cursor
    if lines[0].startswith("%%sql") and context.cursor_line > 0:
        return _result(_NAME, before, _of_sql())
    if context.cursor_line > 0 and not before.lstrip().startswith("%engram"):
        return _result(_PREFIX, before, ())
    return _result(_PREFIX, before, _after(before.lstrip()))


completions_of: Callable[[CompletionContext], SimpleMatcherResult] = context_matcher()(
    _completions_of
)
"""What IPython asks; by the decorator alone it is told the kind of it."""


def _after(before: str) -> Iterable[str]:
    """Return what may follow the part of a line that ends at the cursor."""
    said, _, begun = before.rpartition(" ")
    words = said.split()
    match words:
        case ["%engram"]:
            return _VERBS
        case ["%engram", "open", *others]:
            if begun.startswith("-"):
                return _OPTIONS["%engram open"]
            if others and others[-1] == "--config":
                return _paths(begun)
            has_path = any(
                not each.startswith("-") and before_it != "--config"
                for before_it, each in zip(["open", *others], others, strict=False)
            )
            return _OPTIONS["%engram open"] if has_path else _paths(begun)
        case ["%%recall", *others] if not others or others[-1] != "-k":
            return _OPTIONS["%%recall"]
    return ()


def _paths(begun: str) -> list[str]:
    """Return the files and folders that go on from what is written."""
    head, slash, _ = begun.rpartition("/")
    folder = Path(head + slash).expanduser() if slash else Path()
    try:
        found = sorted(folder.iterdir())
    except OSError:
        return []
    return [
        f"{head}{slash}{each.name}{'/' if each.is_dir() else ''}"
        for each in found
        if not each.name.startswith(".") and not each.name.endswith(_BESIDE)
    ]


def _of_sql() -> list[str]:
    columns = {name for schema in SCHEMAS.values() for name in schema.names}
    return [*SCHEMAS, *sorted(columns - SCHEMAS.keys()), *_WORDS]


def _result(kind: re.Pattern[str], before: str, offered: Iterable[str]) -> SimpleMatcherResult:
    """Return those that go on from what is written, in order, and nothing of other completers."""
    found = kind.search(before)
    begun = found[0] if found else ""
    fitting = [each for each in offered if each.lower().startswith(begun.lower())]
    return {
        "completions": [SimpleCompletion(text=each, type="magic") for each in fitting],
        "matched_fragment": begun,
        "suppress": bool(fitting),
        "ordered": True,
    }
