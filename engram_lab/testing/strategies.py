"""Hypothesis strategies: every draft that a store takes, and filters that find such memories."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.errors import MissingDependencyError
from engram_lab.core.filters import FIELDS, Kind
from engram_lab.core.metadata import escape_key
from engram_lab.core.text import has_private
from engram_lab.core.types import LIFECYCLES, MEMORY_TYPES
from engram_lab.testing.samples import KEYS, LABELS, OPERATORS_OF, SCALARS, SCOPES, WORKSPACES

try:
    from hypothesis import strategies as st
except ImportError:
    raise MissingDependencyError(
        "hypothesis", feature="drawing memories and filters", extra="testing"
    ) from None

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hypothesis.strategies import SearchStrategy

    Fields = dict[str, SearchStrategy[Any]]

__all__ = ["filters", "memory_drafts"]

_MOST_CHARS: Final = 40
_INT64: Final = 2**63
_METADATA: Final[Kind] = "metadata"
_NO_CONTROLS: Final = st.characters(exclude_categories=["Cs", "Cc"])
_NO_NULL: Final = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")


def _labels() -> SearchStrategy[str]:
    """Draw a short text with something in it."""
    free = st.text(_NO_CONTROLS, min_size=1, max_size=_MOST_CHARS).filter(str.strip)
    return st.sampled_from(LABELS) | free


def _contents() -> SearchStrategy[str]:
    """Draw a text of any kind; `<private>` sections are for the test to add."""
    alphabet = _NO_CONTROLS | st.sampled_from("\n\t ")
    free = st.text(alphabet, min_size=1, max_size=10 * _MOST_CHARS)
    return (_labels() | free).filter(lambda text: bool(text.strip()) and not has_private(text))


def _times(first: int = 1, last: int = 9999) -> SearchStrategy[datetime]:
    return st.datetimes(
        datetime(first, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
        datetime(last, 12, 31, 23, 59, 59, 999_999),  # noqa: DTZ001
        timezones=st.just(UTC),
    )


def _scopes() -> SearchStrategy[str]:
    names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,8}", fullmatch=True)
    segments = st.tuples(st.sampled_from(("org", "project", "agent")), names).map(":".join)
    free = st.lists(segments, max_size=4).map(lambda path: "/".join(("global", *path)))
    return st.sampled_from(SCOPES) | free


def _workspaces() -> SearchStrategy[str]:
    free = st.from_regex(r"[a-z0-9-][a-z0-9_-]{0,63}", fullmatch=True)
    return st.sampled_from(WORKSPACES) | free


def _scalars() -> SearchStrategy[Any]:
    return (
        st.sampled_from(SCALARS)
        | st.text(_NO_NULL, max_size=_MOST_CHARS)
        | st.integers(-_INT64, _INT64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.booleans()
    )


def _metadata() -> SearchStrategy[dict[str, Any]]:
    """Draw a JSON object; the private sections that no metadata may hold are left out."""
    keys = st.sampled_from(KEYS) | st.text(_NO_NULL, max_size=8)
    values = st.recursive(
        st.none() | _scalars(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=6,
    )
    objects = st.dictionaries(keys, values, max_size=4)
    return objects.filter(lambda given: not has_private(orjson.dumps(given).decode()))


def _choice(*fields: Fields) -> SearchStrategy[dict[str, Any]]:
    """Draw the fields of one of the groups."""
    return st.one_of(*(st.fixed_dictionaries(each) for each in fields))


def _validities() -> SearchStrategy[dict[str, Any]]:
    pairs = st.tuples(_times(), _times()).map(sorted)
    both = pairs.map(lambda pair: {"valid_from": pair[0], "valid_to": pair[1]})
    return both | _choice({}, {"valid_from": _times()}, {"valid_to": _times()})


def _tiers() -> SearchStrategy[dict[str, Any]]:
    later = _times(first=9000)
    return _choice(
        {},
        {"tier": st.just("permanent")},
        {"tier": st.just("daily")},
        {"expires_at": later},
        {"tier": st.just("daily"), "expires_at": later},
    )


def memory_drafts() -> SearchStrategy[dict[str, Any]]:
    """Draw what `remember` takes: `content`, and any of the other fields.

    Each draft is valid under the default settings of a store, and what is kept of it equals what is
    given (tags as a tuple). It expires from the year 9000 on, if at all. Many values come from a
    small set, so that drafts share tags, scopes and metadata.
    """
    optional: Fields = {
        "id": st.uuids().map(str),
        "type": st.sampled_from(MEMORY_TYPES) | _labels(),
        "tags": st.lists(_labels(), max_size=4, unique=True),
        "metadata": _metadata(),
        "importance": st.floats(0, 1),
        "workspace": _workspaces(),
        "scope": _scopes(),
        "event_at": _times(),
        "lifecycle": st.sampled_from(LIFECYCLES),
        "pinned": st.booleans(),
        "snapshot_loaded_at": _times(),
        **{
            name: _labels()
            for name in ("media_url", "session_id", "agent_id", "source", "snapshot_origin")
        },
    }
    free = st.fixed_dictionaries({"content": _contents()}, optional=optional)
    return st.tuples(free, _validities(), _tiers()).map(_joined)


def _joined(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}


_OPERANDS: Final[dict[Kind, SearchStrategy[Any]]] = {
    "text": st.sampled_from((*SCOPES, *WORKSPACES, *LIFECYCLES, "")) | _labels(),
    "tags": _labels(),
    "metadata": _scalars(),
    "number": st.floats(0, 1) | st.integers(-1, 3),
    "time": _times(),
    "flag": st.booleans(),
}


def filters() -> SearchStrategy[dict[str, Any]]:
    """Draw what `parse_filter` takes: conditions on any field of a memory, or on its metadata."""
    return st.recursive(
        _comparisons(),
        lambda inner: (
            inner.map(lambda part: {"not": part})
            | st.lists(inner, max_size=3).map(lambda parts: {"and": parts})
            | st.lists(inner, max_size=3).map(lambda parts: {"or": parts})
        ),
        max_leaves=5,
    )


def _comparisons() -> SearchStrategy[dict[str, Any]]:
    fields: SearchStrategy[tuple[str, Kind]] = st.sampled_from(list(FIELDS.items()))
    named = fields | st.tuples(_paths(), st.just(_METADATA))
    return st.lists(named, max_size=2).flatmap(
        lambda chosen: st.fixed_dictionaries({name: _condition(kind) for name, kind in chosen})
    )


def _paths() -> SearchStrategy[str]:
    """Draw where metadata has a scalar, or the elements of a list."""
    keys = (st.sampled_from(KEYS) | st.text(_NO_NULL, min_size=1, max_size=8)).map(escape_key)
    joined = st.lists(keys, min_size=1, max_size=3).map(".".join)
    return st.tuples(joined, st.sampled_from(("", "[]"))).map(lambda p: f"metadata.{p[0]}{p[1]}")


def _condition(kind: Kind) -> SearchStrategy[Any]:
    """Draw operators with their operands, or a bare value, which stands for `eq`."""
    value = _OPERANDS[kind]
    many = st.lists(value, max_size=3)
    operands = {"exists": st.booleans(), "in": many}
    operators = st.lists(st.sampled_from(OPERATORS_OF[kind]), min_size=1, max_size=2)
    full = operators.flatmap(
        lambda chosen: st.fixed_dictionaries({op: operands.get(op, value) for op in chosen})
    )
    return full if kind == "tags" else full | value | many
