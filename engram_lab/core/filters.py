"""Filters: one language for the store, the retrieval arms, HTTP and export.

    {"type": "decision", "importance": {"gte": 0.5}}            both must hold
    {"tags": {"contains": "taste"}}
    {"metadata.place.name": {"in": ["yard", "quay"]}}
    {"or": [{"pinned": True}, {"not": {"source": "chat"}}]}

A comparison with something that is not there is false; `ne` and `not_contains` are the exact
opposites of `eq` and `contains`, and so true then. Texts compare by code points, times as times.
On a list, `contains` asks for an element and `eq`, `in`, `gt` … never hold; on a text it asks for a
substring. `exists` takes true or false.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from engram_lab.core.clock import parse_time
from engram_lab.core.errors import InvalidFilterError, InvalidInputError, shown
from engram_lab.core.metadata import Scalar, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engram_lab.core.types import Memory

__all__ = [
    "ALWAYS",
    "FIELDS",
    "OPERATORS",
    "And",
    "Compare",
    "Filter",
    "Kind",
    "Not",
    "Operator",
    "Or",
    "matches",
    "parse_filter",
]

Operator = Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "contains", "not_contains", "exists"]
Kind = Literal["text", "number", "time", "flag", "tags", "metadata"]
Value = Scalar | datetime | tuple[Scalar | datetime, ...]

OPERATORS: Final[tuple[Operator, ...]] = get_args(Operator)
MAX_DEPTH: Final = 32
MAX_COMPARISONS: Final = 500
MAX_VALUES: Final = 10_000

FIELDS: Final[dict[str, Kind]] = {
    "id": "text",
    "content": "text",
    "type": "text",
    "tags": "tags",
    "importance": "number",
    "workspace": "text",
    "scope": "text",
    "tier": "text",
    "event_at": "time",
    "valid_from": "time",
    "valid_to": "time",
    "created_at": "time",
    "updated_at": "time",
    "last_accessed_at": "time",
    "access_count": "number",
    "expires_at": "time",
    "lifecycle": "text",
    "pinned": "flag",
    "version": "number",
    "content_hash": "text",
    "media_url": "text",
    "session_id": "text",
    "agent_id": "text",
    "source": "text",
    "snapshot_origin": "text",
    "snapshot_loaded_at": "time",
    "forgotten_at": "time",
}

_ALLOWED: Final[dict[Kind, tuple[Operator, ...]]] = {
    "text": OPERATORS,
    "number": ("eq", "ne", "gt", "gte", "lt", "lte", "in", "exists"),
    "time": ("eq", "ne", "gt", "gte", "lt", "lte", "in", "exists"),
    "flag": ("eq", "ne", "in", "exists"),
    "tags": ("contains", "not_contains", "exists"),
    "metadata": OPERATORS,
}
_KEY = r"(?:\\.|[^.\\])+"
_PATH = re.compile(rf"{_KEY}(?:\.{_KEY})*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison. `field` is a name of `FIELDS`, or a metadata path where `kind` says so."""

    field: str
    kind: Kind
    op: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class And:
    """All hold; an empty one holds for every memory."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one holds; an empty one never holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Does not hold."""

    part: Filter


Filter = And | Or | Not | Compare
ALWAYS: Final = And(())
"""The filter that holds for every memory."""


def parse_filter(source: Mapping[str, Any] | Filter | None) -> Filter:
    """Return the filter that the mapping describes; `None` and `{}` hold for every memory.

    Raises:
        InvalidFilterError: An unknown field or operator, unlike things compared, nesting deeper
            than 32, more than 500 comparisons, or more than 10,000 values in all.
    """
    if source is None:
        return ALWAYS
    if isinstance(source, And | Or | Not | Compare):
        return source
    parsed = _parse(source, 1)
    comparisons = list(_comparisons(parsed))
    if len(comparisons) > MAX_COMPARISONS:
        raise InvalidFilterError(
            f"the filter makes {len(comparisons)} comparisons: at most {MAX_COMPARISONS} are "
            "allowed ('in' takes many values at once)"
        )
    values = sum(len(each.value) for each in comparisons if isinstance(each.value, tuple))
    if values > MAX_VALUES:
        raise InvalidFilterError(
            f"the filter names {values} values for 'in': at most {MAX_VALUES} are allowed"
        )
    return parsed


def _comparisons(condition: Filter) -> Iterator[Compare]:
    if isinstance(condition, Compare):
        yield condition
    else:
        for part in (condition.part,) if isinstance(condition, Not) else condition.parts:
            yield from _comparisons(part)


def _parse(source: object, depth: int) -> Filter:
    if depth > MAX_DEPTH:
        raise InvalidFilterError(f"the filter nests deeper than {MAX_DEPTH} levels: flatten it")
    if not isinstance(source, Mapping):
        raise InvalidFilterError(
            f"a filter is an object such as {{'type': 'note'}}, not a {type(source).__name__}"
        )
    parts = tuple(_parse_item(key, value, depth) for key, value in source.items())
    return parts[0] if len(parts) == 1 else And(parts)


def _parse_item(key: object, value: object, depth: int) -> Filter:
    if key == "not":
        return Not(_parse(value, depth + 1))
    if key in {"and", "or"}:
        if not isinstance(value, list | tuple):
            raise InvalidFilterError(f"{key!r} takes a list of filters")
        parts = tuple(_parse(part, depth + 1) for part in value)
        return And(parts) if key == "and" else Or(parts)
    name, kind = _parse_field(key)
    if not isinstance(value, Mapping):
        value = {"in" if isinstance(value, list | tuple) else "eq": value}
    comparisons = tuple(_compare(name, kind, op, operand) for op, operand in value.items())
    if not comparisons:
        raise InvalidFilterError(f"the filter on {key!r} is empty: give it one of {_names()}")
    return comparisons[0] if len(comparisons) == 1 else And(comparisons)


def _names() -> str:
    return ", ".join(OPERATORS)


def _parse_field(key: object) -> tuple[str, Kind]:
    if isinstance(key, str):
        if key in FIELDS:
            return key, FIELDS[key]
        path = key.removeprefix("metadata.")
        if path != key and _PATH.fullmatch(path) and _storable(path):
            return path, "metadata"
    close = get_close_matches(key, FIELDS, n=1) if isinstance(key, str) else []
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise InvalidFilterError(
        f"the filter names the field {shown(key, limit=60)}{hint}: allowed are "
        f"{', '.join(FIELDS)}, metadata.<path>, and, or, not"
    )


def _compare(name: str, kind: Kind, op: object, operand: object) -> Compare:
    if op not in _ALLOWED[kind]:
        raise InvalidFilterError(
            f"the filter on {name!r} uses {shown(op)}: allowed are {', '.join(_ALLOWED[kind])}"
        )
    known: Operator = op
    if known == "exists":
        if not isinstance(operand, bool):
            raise InvalidFilterError(f"'exists' on {name!r} takes true or false")
        return Compare(name, kind, known, operand)
    if known == "in":
        if not isinstance(operand, list | tuple):
            raise InvalidFilterError(f"'in' on {name!r} takes a list of at most {MAX_VALUES}")
        return Compare(name, kind, known, tuple(_operand(name, kind, each) for each in operand))
    return Compare(name, kind, known, _operand(name, kind, operand))


def _operand(name: str, kind: Kind, value: object) -> Scalar | datetime:
    if kind == "time":
        try:
            return parse_time(value, field=name)
        except InvalidInputError as error:
            raise InvalidFilterError(f"in the filter, {error}") from None
    fits: dict[Kind, tuple[type, ...]] = {
        "text": (str,),
        "tags": (str,),
        "number": (int, float),
        "flag": (bool,),
        "metadata": (str, int, float, bool),
    }
    wrong_flag = kind == "number" and isinstance(value, bool)
    if not isinstance(value, fits[kind]) or wrong_flag or not _storable(value):
        wanted = {"metadata": "a text, number or boolean", "flag": "true or false"}
        raise InvalidFilterError(
            f"the filter on {name!r} compares with {shown(value)}: "
            f"give {wanted.get(kind, 'a number' if kind == 'number' else 'a text')}, "
            "or use 'exists' to ask for what is missing"
        )
    return value  # type: ignore[return-value]  # one of the types just checked


def _storable(value: object) -> bool:
    if isinstance(value, str):
        return value.isprintable() or not any("\ud800" <= each <= "\udfff" for each in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def matches(condition: Filter, memory: Memory) -> bool:
    """Tell whether the memory passes: the meaning of a filter, which every store must reproduce."""
    match condition:
        case And(parts):
            return all(matches(part, memory) for part in parts)
        case Or(parts):
            return any(matches(part, memory) for part in parts)
        case Not(part):
            return not matches(part, memory)
        case Compare(field, "metadata", op, value):
            found = leaves(memory.metadata)
            single = [each for path, each in found if path == field]
            elements = [each for path, each in found if path == field + "[]"]
            return _holds(op, value, single, elements)
        case Compare(field, "tags", op, value):
            return _holds(op, value, [], list(memory.tags))
        case Compare(field, _, op, value):
            own = getattr(memory, field)
            return _holds(op, value, [] if own is None else [own], [])


def _holds(op: Operator, value: Value, single: list[Any], elements: list[Any]) -> bool:
    if op == "exists":
        return bool(single or elements) is value
    if op in {"ne", "not_contains"}:
        return not _holds("eq" if op == "ne" else "contains", value, single, elements)
    if op == "contains":
        inside = any(isinstance(own, str) and str(value) in own for own in single)
        return (inside and isinstance(value, str)) or any(_equal(own, value) for own in elements)
    if op == "in":
        assert isinstance(value, tuple)  # noqa: S101 - parse_filter made it one
        return any(_equal(own, each) for own in single for each in value)
    if op == "eq":
        return any(_equal(own, value) for own in single)
    return any(_ordered(own, value) and _COMPARISONS[op](own, value) for own in single)


_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "gt": lambda own, value: own > value,
    "gte": lambda own, value: own >= value,
    "lt": lambda own, value: own < value,
    "lte": lambda own, value: own <= value,
}


def _equal(own: object, value: object) -> bool:
    return _class(own) == _class(value) and own == value


def _ordered(own: object, value: object) -> bool:
    return _class(own) == _class(value) != "flag"


def _class(value: object) -> str:
    if isinstance(value, bool):
        return "flag"
    return "number" if isinstance(value, int | float) else type(value).__name__
