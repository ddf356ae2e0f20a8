"""From a row of an exported table to the values that are stored of it, each one checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from engram_lab.core.checks import check_label, check_number, check_workspace
from engram_lab.core.clock import to_us
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.ids import check_id
from engram_lab.core.metadata import check_metadata
from engram_lab.core.scopes import check_permission, check_scope
from engram_lab.core.sqlite.rows import optional_us
from engram_lab.core.sqlite.workspaces import check_policy
from engram_lab.core.text import clean_text, normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engram_lab.core.sqlite.context import Context

    Pk = Callable[[str], int]
    Record = Callable[[Context, Pk, Mapping[str, Any]], tuple[Any, ...]]

__all__ = ["KEYS", "RECORDS", "REFERENCES"]

KEYS: Final[dict[str, tuple[str, ...]]] = {
    "workspaces": ("name",),
    "links": ("id",),
    "vectors": ("pk", "embedder"),
    "recall_events": ("id",),
    "recall_hits": ("event_id", "rank"),
    "identities": ("id",),
    "identity_aliases": ("normalised",),
    "entities": ("id",),
    "mentions": ("pk", "entity_id"),
    "sessions": ("id",),
    "turns": ("session_id", "position"),
    "grants": ("agent_id", "scope"),
}
"""The first columns of each database table: those that name a row."""

REFERENCES: Final[dict[str, tuple[str, str]]] = {
    "entities": ("identity_id", "identities"),
    "mentions": ("entity_id", "entities"),
    "turns": ("session_id", "sessions"),
}
"""The column that names a row of another table, and that table."""


def _label(row: Mapping[str, Any], field: str, limit: int = 256) -> str:
    return check_label(row[field], field=field, limit=limit)


def _optional(row: Mapping[str, Any], field: str, limit: int = 256) -> str | None:
    return None if row[field] is None else _label(row, field, limit)


def _metadata(context: Context, row: Mapping[str, Any]) -> str:
    try:
        value = orjson.loads(row["metadata"])
    except orjson.JSONDecodeError as error:
        raise InvalidInputError(f"metadata is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInputError("metadata is no JSON object")
    return check_metadata(value, limit=context.settings.max_metadata_bytes)


def _workspace(_context: Context, _pk: Pk, row: Mapping[str, Any]) -> tuple[Any, ...]:
    check_policy(row["max_age_days"], row["max_memories"])
    return (
        check_workspace(row["name"]),
        check_scope(row["scope"]),
        _optional(row, "description", 4096),
        row["max_age_days"],
        row["max_memories"],
        to_us(row["created_at"]),
    )


def _link(_context: Context, pk: Pk, row: Mapping[str, Any]) -> tuple[Any, ...]:
    starts, ends = row["valid_from"], row["valid_to"]
    if row["from_id"] == row["to_id"]:
        raise InvalidInputError("a memory is not linked to itself")
    if starts is not None and ends is not None and ends < starts:
        raise InvalidInputError("valid_to is before valid_from")
    return (
        check_id(row["id"]),
        pk(row["from_id"]),
        pk(row["to_id"]),
        _label(row, "type", 64),
        check_number(row["weight"], field="weight"),
        check_number(row["confidence"], field="confidence"),
        _label(row, "source"),
        _optional(row, "context", 4096),
        optional_us(starts),
        optional_us(ends),
        int(row["pinned"]),
        to_us(row["created_at"]),
        to_us(row["updated_at"]),
    )


def _vector(_context: Context, pk: Pk, row: Mapping[str, Any]) -> tuple[Any, ...]:
    values = np.asarray(row["values"], dtype="<f4")
    if not values.size or not np.isfinite(values).all():
        raise InvalidInputError("values is empty, or holds NaN or infinity")
    return (
        pk(row["memory_id"]),
        _label(row, "embedder"),
        values.tobytes(),
        to_us(row["created_at"]),
    )


def _event(_context: Context, _pk: Pk, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        check_id(row["id"]),
        to_us(row["at"]),
        clean_text(row["query"], field="query"),
        *(
            _optional(row, field)
            for field in ("workspace", "agent_id", "session_id", "strategy", "config_hash")
        ),
    )


def _identity(context: Context, _pk: Pk, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        check_id(row["id"]),
        _label(row, "name"),
        _label(row, "kind", 64),
        _optional(row, "description", 4096),
        _metadata(context, row),
        to_us(row["created_at"]),
    )


def _entity(context: Context, _pk: Pk, row: Mapping[str, Any]) -> tuple[Any, ...]:
    name = _label(row, "name")
    return (
        check_id(row["id"]),
        name,
        normalise(name),
        _label(row, "kind", 64),
        check_workspace(row["workspace"]),
        row["identity_id"],
        _metadata(context, row),
        to_us(row["created_at"]),
    )


def _mention(_context: Context, pk: Pk, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        pk(row["memory_id"]),
        row["entity_id"],
        check_number(row["confidence"], field="confidence"),
        _label(row, "source"),
    )


def _session(context: Context, _pk: Pk, row: Mapping[str, Any]) -> tuple[Any, ...]:
    if row["ended_at"] is not None and row["ended_at"] < row["started_at"]:
        raise InvalidInputError("ended_at is before started_at")
    return (
        _label(row, "id"),
        check_workspace(row["workspace"]),
        check_scope(row["scope"]),
        _optional(row, "agent_id"),
        _optional(row, "title", 1024),
        to_us(row["started_at"]),
        optional_us(row["ended_at"]),
        _metadata(context, row),
    )


def _turn(_context: Context, pk: Pk, row: Mapping[str, Any]) -> tuple[Any, ...]:
    if row["position"] < 0:
        raise InvalidInputError(f"position is {row['position']}: give a whole number from 0")
    return (
        row["session_id"],
        row["position"],
        _label(row, "speaker"),
        pk(row["memory_id"]),
        optional_us(row["spoken_at"]),
    )


def _grant(_context: Context, _pk: Pk, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        _label(row, "agent_id"),
        check_scope(row["scope"]),
        check_permission(row["permission"]),
        _label(row, "granted_by"),
        to_us(row["granted_at"]),
    )


RECORDS: Final[dict[str, Record]] = {
    "workspaces": _workspace,
    "links": _link,
    "vectors": _vector,
    "events": _event,
    "identities": _identity,
    "entities": _entity,
    "mentions": _mention,
    "sessions": _session,
    "turns": _turn,
    "grants": _grant,
}
"""How the rows of each table are checked; `memories` and `versions` have laws of their own."""
