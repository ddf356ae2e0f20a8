"""The words after a magic: what is allowed there, and one sentence for what is not."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from contextlib import contextmanager
from keyword import iskeyword
from typing import TYPE_CHECKING, Final, NoReturn

from IPython.core.error import UsageError
from IPython.utils._process_common import arg_split

from engram_lab.core.errors import EngramError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

__all__ = ["FORMS", "named", "one_sentence", "refused", "words_of"]

FORMS: Final = {
    "engram": "%engram, %engram open PATH [--config FILE] [--read-only] or %engram close",
    "recall": "%%recall [-k N] [--explain] [NAME=] with the question below",
    "sql": "%%sql [NAME=] with the query below",
}
"""How each magic is written."""

_QUOTED: Final = re.compile(r"""(['"])(.*)\1""", re.DOTALL)
_TARGET: Final = re.compile(r"(?P<name>[^=]*)=")


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def words_of(name: str, line: str) -> Namespace:
    """Return the words of a magic's line; those in quotes are one word.

    Args:
        name: Of the magic, in `FORMS`.
        line: As it was written.

    Raises:
        UsageError: Some are not allowed, or a quote is not closed; says what is.
    """
    try:
        words = [_unquoted(word) for word in arg_split(line)]
        return _parser_of(name).parse_args(words)
    except (UsageError, ValueError) as error:
        raise refused(name, str(error)) from None


def _parser_of(name: str) -> ArgumentParser:
    parser = _Parser(add_help=False, allow_abbrev=False)
    if name == "engram":
        parser.add_argument("verb", nargs="?", choices=("open", "close"))
        parser.add_argument("path", nargs="?")
        parser.add_argument("--config")
        parser.add_argument("--read-only", action="store_true")
        return parser
    if name == "recall":
        parser.add_argument("-k", type=int)
        parser.add_argument("--explain", action="store_true")
    parser.add_argument("target", nargs="?")
    return parser


def _unquoted(word: str) -> str:
    found = _QUOTED.fullmatch(word)
    return found[2] if found else word


def refused(name: str, why: str) -> UsageError:
    """Return what to raise where a magic is written wrong: why, and how it is written."""
    return UsageError(f"{why.rstrip('.')}: write {FORMS[name]}")


def named(name: str, target: str | None) -> str | None:
    """Return the variable that `NAME=` names; None where there is no such word.

    Raises:
        UsageError: It is no name, or has no equals sign.
    """
    if target is None:
        return None
    found = _TARGET.fullmatch(target)
    if found is None or not found["name"].isidentifier() or iskeyword(found["name"]):
        raise refused(name, f"{target!r} is no NAME= of a variable")
    return found["name"]


@contextmanager
def one_sentence() -> Iterator[None]:
    """Tell a mistake as one sentence, without a traceback.

    Raises:
        UsageError: In the words of what this project raised on purpose.
    """
    try:
        yield
    except EngramError as error:
        raise UsageError(str(error)) from None
