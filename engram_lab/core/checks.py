"""What a single value must be, whichever record it is for."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "check_choice",
    "check_flag",
    "check_label",
    "check_limit",
    "check_number",
    "check_tag",
    "check_workspace",
]

_RESERVED_WORKSPACES: Final = ("_system", "_archive")
_WORKSPACE = re.compile(r"[a-z0-9-][a-z0-9_-]{0,63}\Z")
_MAX_TAG_CHARS: Final = 128


def check_label(value: object, *, field: str, limit: int = 256) -> str:
    """Return a short text that is kept exactly: not empty, no control characters.

    Raises:
        InvalidInputError: It is empty, longer than `limit`, or not such a text.
    """
    text = clean_text(value, field=field)
    if text != value:
        raise InvalidInputError(f"{field} holds control characters: remove them")
    if not text.strip() or len(text) > limit:
        raise InvalidInputError(f"{field} has {len(text)} characters: allowed are 1 to {limit}")
    return text


def check_workspace(value: object) -> str:
    """Return a workspace's name.

    Raises:
        InvalidInputError: It breaks the rule `[a-z0-9_-]{1,64}`, starts with an underscore or is
            reserved.
    """
    if not isinstance(value, str) or not _is_workspace(value):
        raise InvalidInputError(
            f"workspace is {shown(value, limit=80)}: give 1 to 64 of a-z, 0-9, _ and -, not "
            f"starting with _ ({' and '.join(_RESERVED_WORKSPACES)} are reserved)"
        )
    return value


def check_tag(value: object) -> str:
    """Return a tag: a label of at most 128 characters.

    Raises:
        InvalidInputError: It is none.
    """
    if type(value) is str:
        return _known_tag(value)
    return check_label(value, field="tag", limit=_MAX_TAG_CHARS)


@lru_cache(maxsize=16_384)
def _known_tag(value: str) -> str:
    """Tags recur, so the answer is kept; a refusal is not."""
    return check_label(value, field="tag", limit=_MAX_TAG_CHARS)


@lru_cache(maxsize=1024)
def _is_workspace(value: str) -> bool:
    return _WORKSPACE.match(value) is not None


def check_number(value: object, *, field: str) -> float:
    """Return a number from 0 to 1.

    Raises:
        InvalidInputError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidInputError(f"{field} is {shown(value)}: give a number from 0 to 1")
    return float(value)


def check_limit(value: object, *, field: str = "limit", most: int = 2**31) -> int:
    """Return how many there may be at most: a whole number from 1.

    Raises:
        InvalidInputError: It is none, or larger than `most`.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise InvalidInputError(f"{field} is {shown(value)}: allowed are 1 to {most}")
    return value


def check_flag(value: object, *, field: str) -> bool:
    """Return `value` if it is true or false.

    Raises:
        InvalidInputError: It is neither, be it as good as.
    """
    if not isinstance(value, bool):
        raise InvalidInputError(f"{field} is {shown(value)}: give true or false")
    return value


def check_choice(value: object, *, field: str, choices: Sequence[str]) -> str:
    """Return `value` if it is one of the choices.

    Raises:
        InvalidInputError: It is none of them.
    """
    if not isinstance(value, str) or value not in choices:
        raise InvalidInputError(f"{field} is {shown(value)}: allowed are {', '.join(choices)}")
    return value
