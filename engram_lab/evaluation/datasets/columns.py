"""Values of a user's own data, as the columns of a data set hold them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final

import numpy as np
import orjson

from engram_lab.core.clock import parse_time
from engram_lab.core.errors import shown
from engram_lab.evaluation.datasets.dataset import UNWRITABLE

__all__ = ["converted", "plain"]

_LIMIT: Final = 1 << 31
_NONE: Final = frozenset({"NAType", "NaTType"})
"""What pandas has for a value that is not there, which passes for a time and is none."""


def plain(value: Any) -> Any:
    """Return a value without its wrapping of numpy or pandas; what they write for none is None."""
    if isinstance(value, np.generic):
        value = value.tolist()
    if isinstance(value, float) and math.isnan(value):
        return None
    return None if type(value).__name__ in _NONE else value


def converted(column: str, value: Any) -> Any:
    """Return a value as its column holds it.

    Args:
        column: One of `MEMORIES`, `QUERIES` or `QRELS`.
        value: What `plain` returned, and not None.

    Raises:
        ValueError: It is of another type; the message says what is allowed.
    """
    convert: Callable[[Any], Any] = _CONVERSIONS.get(column, _text)
    return convert(value)


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} must be a text")  # noqa: TRY004 - one error for both
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"holds half of a character ({error.reason})") from error
    return value


def _filled(value: Any) -> str:
    if not (text := _text(value)).strip():
        raise ValueError("must not be empty")
    return text


def _id(value: Any) -> str:
    if re.search(UNWRITABLE, text := _filled(value)):
        raise ValueError(
            f"{shown(text)} may hold no white space, which parts the fields of a TREC file"
        )
    return text


def _whole(value: Any) -> int:
    whole = isinstance(value, bool | int) or (isinstance(value, float) and value.is_integer())
    if not whole or not -_LIMIT <= value < _LIMIT:
        raise ValueError(f"{shown(value)} must be a whole number from {-_LIMIT} to {_LIMIT - 1}")
    return int(value)


def _time(value: Any) -> datetime:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    return parse_time(value, field="it")


def _fields(value: Any) -> str:
    try:
        found = orjson.loads(value) if isinstance(value, str) else value
        if isinstance(found, Mapping):
            return orjson.dumps(dict(found), option=orjson.OPT_SORT_KEYS).decode()
    except (orjson.JSONDecodeError, TypeError) as error:
        raise ValueError(f"{shown(value)} must be a JSON object ({error})") from error
    raise ValueError(f"{shown(value)} must be a JSON object")


_CONVERSIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "id": _id,
    "content": _filled,
    "text": _filled,
    "corpus": _id,
    "query_id": _filled,
    "memory_id": _filled,
    "relevance": _whole,
    "position": _whole,
    "event_at": _time,
    "asked_at": _time,
    "fields": _fields,
}
"""How a value of a column is read; all others are texts."""
