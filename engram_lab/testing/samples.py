"""Drafts and filters drawn from few values, so that they meet. The same seed gives the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.filters import FIELDS, OPERATORS, Kind, Operator
from engram_lab.core.metadata import escape_key
from engram_lab.core.types import LIFECYCLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from engram_lab.core.types import Memory

__all__ = [
    "KEYS",
    "LABELS",
    "OPERATORS_OF",
    "SCALARS",
    "SCOPES",
    "TIMES",
    "WORKSPACES",
    "draft",
    "filter_of",
]

LABELS: Final = ("a", "ab", "A", "b", "ä", "a\u0308", "a.b", "1", "true", "\uffff", "\U0001f375")
"""Short texts: in UTF-16 the last two sort the other way round."""

SCALARS: Final = (
    *LABELS, "", 0, 1, -1, 1.0, 0.5, -0.0, 2**53, 2**53 + 1, float(2**53), 1e300, True, False,
)  # fmt: skip
"""What metadata may hold: 1, 1.0, True and "1" are to be told apart, or not."""

KEYS: Final = ("a", "b", "a.b", "a[]", "c\\d", "é")
WORKSPACES: Final = ("default", "notes", "notes-2")
SCOPES: Final = (
    "global",
    "global/org:a",
    "global/org:a/agent:x",
    "global/org:a/agent:x/task:1",
    "global/org:a/agent:xy",
    "global/org:a0",
    "global/org:ab",
    "global/org:b/agent:x",
)
TIMES: Final = (
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2024, 2, 29, 12, tzinfo=UTC),
    datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
)

_DEEPEST: Final = 3
_METADATA: Final[Kind] = "metadata"
_ORDERED: Final[tuple[Operator, ...]] = (
    "eq", "ne", "gt", "gte", "lt", "lte", "in", "exists",
)  # fmt: skip
OPERATORS_OF: Final[Mapping[Kind, tuple[Operator, ...]]] = {
    "text": OPERATORS,
    "metadata": OPERATORS,
    "number": _ORDERED,
    "time": _ORDERED,
    "flag": ("eq", "ne", "in", "exists"),
    "tags": ("contains", "not_contains", "exists"),
}

_VALUES: Final[Mapping[Kind, Sequence[Any]]] = {
    "text": (*LABELS, "", *SCOPES, *WORKSPACES, *LIFECYCLES, "note"),
    "metadata": SCALARS,
    "number": (0, 0.0, 0.25, 0.5, 1, 1.0, 2, -1),
    "time": TIMES,
    "flag": (True, False),
    "tags": LABELS,
}


def draft(chance: Random) -> dict[str, Any]:
    """Return a valid draft with `content` and about half of the other fields but `id`."""
    given = {"content": " ".join(chance.choices(LABELS, k=3))}
    return given | {name: make(chance) for name, make in _MAKERS.items() if _coin(chance)}


def _coin(chance: Random) -> bool:
    return chance.choice((True, False))


def _label(chance: Random) -> str:
    return chance.choice(LABELS)


def _time(chance: Random) -> datetime:
    return chance.choice(TIMES)


def _metadata(chance: Random) -> dict[str, Any]:
    return {key: _node(chance, _DEEPEST) for key in chance.sample(KEYS, k=3)}


def _node(chance: Random, depth: int) -> Any:
    shape = chance.choice(("scalar", "scalar", "scalar", "list", "object", "null"))
    if shape == "list" and depth:
        return [_node(chance, depth - 1) for _ in range(chance.randrange(4))]
    if shape == "object" and depth:
        return {key: _node(chance, depth - 1) for key in chance.sample(KEYS, k=2)}
    return None if shape == "null" else chance.choice(SCALARS)


_MAKERS: Final[Mapping[str, Callable[[Random], Any]]] = {
    "type": _label,
    "tags": lambda chance: chance.sample(LABELS, k=chance.randrange(4)),
    "metadata": _metadata,
    "importance": lambda chance: chance.choice((0.0, 0.25, 0.5, 1.0)),
    "workspace": lambda chance: chance.choice(WORKSPACES),
    "scope": lambda chance: chance.choice(SCOPES),
    "event_at": _time,
    "valid_from": lambda chance: chance.choice(TIMES[:3]),
    "valid_to": lambda chance: chance.choice(TIMES[2:]),
    "expires_at": lambda _: TIMES[-1],
    "lifecycle": lambda chance: chance.choice(LIFECYCLES),
    "pinned": lambda chance: chance.choice((True, False)),
    "media_url": _label,
    "session_id": _label,
    "agent_id": _label,
    "source": _label,
    "snapshot_origin": _label,
    "snapshot_loaded_at": _time,
}


def filter_of(
    chance: Random, memories: Sequence[Memory], *, depth: int = _DEEPEST
) -> dict[str, Any]:
    """Return a valid filter, many of whose values are those of one of the memories."""
    shape = chance.choice(("compare", "compare", "compare", "not", "and", "or"))
    if shape == "compare" or not depth:
        return _comparison(chance, chance.choice(memories))
    if shape == "not":
        return {"not": filter_of(chance, memories, depth=depth - 1)}
    parts = [filter_of(chance, memories, depth=depth - 1) for _ in range(chance.randrange(4))]
    return {shape: parts}


def _comparison(chance: Random, memory: Memory) -> dict[str, Any]:
    name, kind = chance.choice([*FIELDS.items(), *[(_path(chance), _METADATA)] * len(FIELDS)])
    values = list(_VALUES[kind])
    if kind != "metadata" and _coin(chance):
        own = getattr(memory, name)
        values = list(own if kind == "tags" else [own] * (own is not None)) or values
    operators = chance.sample(OPERATORS_OF[kind], k=chance.choice((1, 1, 2)))
    return {name: {op: _operand(chance, op, values) for op in operators}}


def _path(chance: Random) -> str:
    keys = chance.choices(KEYS, k=chance.choice((1, 1, 2)))
    ending = chance.choice(("", "", "[]", "[][]"))
    return ".".join(["metadata", *map(escape_key, keys)]) + ending


def _operand(chance: Random, op: Operator, values: Sequence[Any]) -> Any:
    if op == "exists":
        return chance.choice((True, False))
    if op == "in":
        return chance.choices(values, k=chance.randrange(4))
    return chance.choice(values)
