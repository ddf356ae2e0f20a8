"""What can be written next after a magic of ours: options, paths, and the names of tables."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from IPython.core.completer import SimpleCompletion, context_matcher

from engram_lab.core.schemas import SCHEMAS
from engram_lab.notebook.querying import frames_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from IPython.core.completer import CompletionContext, SimpleMatcherResult

    Matcher = Callable[[CompletionContext], SimpleMatcherResult]

__all__ = ["IDENTIFIER", "matcher_over"]

IDENTIFIER: Final = "engram_lab.notebook.completion"
"""What IPython calls our matcher."""

_NAME: Final = re.compile(r"""(?:[^"]|"[^"]*")*?(\w*|"[^"]*)""")
"""The line of a query up to what is begun: a name, or one in quotes."""
_WORD: Final = re.compile(r"""\s*("[^"]*"?|'[^']*'?|\S+)""")
"""A word of a line; one in quotes that are not closed goes to its end."""
_TO_QUOTE: Final = re.compile(r"""[\s'"]""")
"""What in a path would end a word, or begin another."""

_OPTIONS: Final = {"%engram open": ("--config", "--read-only"), "%%recall": ("-k", "--explain")}
_BESIDE: Final = ("-shm", "-wal", ".index")
"""Ends of what lies beside a database and is none."""

_VERBS: Final = ("open", "close")

_WORDS: Final = (
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "JOIN", "USING", "count(*)",
)  # fmt: skip
"""Of SQL, those that any query is made of."""


def matcher_over(variables: Mapping[str, Any]) -> Matcher:
    """Return what IPython asks at each Tab.

    Args:
        variables: Of the notebook, as they are whenever it is asked.
    """

    def completions(context: CompletionContext) -> SimpleMatcherResult:
        return _completions_of(context, variables)

    found: Matcher = context_matcher(identifier=IDENTIFIER)(completions)
    return found


def _completions_of(
    context: CompletionContext, variables: Mapping[str, Any]
) -> SimpleMatcherResult:
    """Return what may follow; nothing where no magic of ours is written."""
    before = context.text_until_cursor
    first = context.full_text.split("\n", 1)[0].split()
    if context.cursor_line > 0 and first[:1] == ["%%sql"]:
        begun = _NAME.fullmatch(before)
        return _result(begun[1] if begun else "", _of_sql(variables))
    words = _WORD.findall(before)
    begun_word = words.pop() if words and before.endswith(words[-1]) else ""
    magics = ("%engram",) if context.cursor_line > 0 else ("%engram", "%%recall", "%%sql")
    if not words or words[0] not in magics:
        return {"completions": [], "suppress": False}
    return _result(begun_word, _after(words, begun_word))


def _after(words: list[str], begun: str) -> Iterable[str]:
    """Return what may follow some words of a line, where another is begun."""
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
    """Return the files and folders that go on from what is written, in quotes where they must."""
    head, slash, _ = _unquoted(begun).rpartition("/")
    folder = Path(head + slash).expanduser() if slash else Path()
    try:
        found = sorted(folder.iterdir())
    except OSError:
        return []
    names = [
        f"{head}{slash}{each.name}{'/' if each.is_dir() else ''}"
        for each in found
        if not each.name.startswith(".") and not each.name.endswith(_BESIDE)
    ]
    return [quoted for name in names if (quoted := _quoted(name, begun))]


def _quoted(path: str, begun: str) -> str | None:
    """Return a path as one word, its quote left open where it goes on; None where it cannot be."""
    mark = begun[0] if begun[:1] in ("'", '"') else ""
    if not mark and _TO_QUOTE.search(path):
        mark = "'" if '"' in path else '"'
    if mark and mark in path:
        return None
    return f"{mark}{path}{'' if path.endswith('/') else mark}"


def _unquoted(word: str) -> str:
    return word.strip(word[0]) if word[:1] in ("'", '"') else word


def _of_sql(variables: Mapping[str, Any]) -> list[str]:
    """Return the tables of an engine and the frames of the notebook, their columns, and words."""
    frames = frames_of(variables)
    columns = {name for schema in SCHEMAS.values() for name in schema.names}
    for frame in frames.values():
        with suppress(pl.exceptions.PolarsError, OSError):  # of a lazy frame that cannot be run
            columns.update(_columns_of(frame))
    tables = [*SCHEMAS, *frames]
    return [*tables, *sorted(_identifier(each) for each in columns - {*tables}), *_WORDS]


def _columns_of(frame: Any) -> list[str]:
    if isinstance(frame, pl.LazyFrame):
        return frame.collect_schema().names()
    return list(frame.columns if isinstance(frame, pl.DataFrame) else frame.column_names)


def _identifier(name: str) -> str:
    """Return a column as SQL takes it: in quotes where it is no plain name."""
    escaped = name.replace('"', '""')
    return name if name.isidentifier() else f'"{escaped}"'


def _result(begun: str, offered: Iterable[str]) -> SimpleMatcherResult:
    """Return those that go on from what is written, in order, and nothing of other completers."""
    bare = _unquoted(begun).lower()
    fitting = [each for each in offered if _unquoted(each).lower().startswith(bare)]
    # Others are silent only where something is offered: at the least, what is there already.
    completions = [SimpleCompletion(text=each, type="magic") for each in fitting or ("",)]
    return {
        "completions": completions,
        "matched_fragment": begun if fitting else "",
        "suppress": True,
        "ordered": True,
    }
