"""Between a row of `memories` and a `Memory`, and what is derived from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.clock import from_us, to_us
from engram_lab.core.drafts import BLANK
from engram_lab.core.errors import StoreCorruptError
from engram_lab.core.types import Memory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import apsw

    from engram_lab.core.drafts import Prepared

__all__ = [
    "INSERT_MEMORY",
    "MEMORY_COLUMNS",
    "PUBLIC",
    "STATE_COLUMNS",
    "fetch",
    "memory_of",
    "optional_time",
    "optional_us",
    "select_columns",
    "to_row",
]

MEMORY_COLUMNS: Final = (
    "id", "content", "type", "tags", "metadata", "importance", "workspace", "scope", "tier",
    "event_at", "valid_from", "valid_to", "created_at", "updated_at", "last_accessed_at",
    "access_count", "expires_at", "lifecycle", "pinned", "version", "content_hash", "media_url",
    "session_id", "agent_id", "source", "snapshot_origin", "snapshot_loaded_at", "forgotten_at",
)  # fmt: skip
"""The columns that make a `Memory`, in the order `memory_of` reads them."""

STATE_COLUMNS: Final = (*MEMORY_COLUMNS, "public_content", "public_hash", "seq")
"""What `memories` and `versions` both hold of one state."""

PUBLIC: Final = {
    "content": "coalesce({m}.public_content, {m}.content)",
    "content_hash": "coalesce({m}.public_hash, {m}.content_hash)",
}
"""What may be shown of a memory with private sections. Their hash would betray short ones."""

INSERT_MEMORY: Final = (
    f"INSERT INTO memories (pk, {', '.join(STATE_COLUMNS)}) "
    f"VALUES ({', '.join('?' * (1 + len(STATE_COLUMNS)))})"
)


def fetch(
    connection: apsw.Connection, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()
) -> list[Any]:
    """Return all rows of a query, as tuples."""
    return connection.execute(sql, values).fetchall()


def select_columns(alias: str, *, private: bool) -> str:
    """Return the column list of a SELECT that `memory_of` can read."""
    columns = {name: f"{alias}.{name}" for name in MEMORY_COLUMNS}
    if not private:
        columns |= {name: sql.format(m=alias) for name, sql in PUBLIC.items()}
    return ", ".join(columns.values())


def optional_time(microseconds: int | None) -> datetime | None:
    """Return the datetime, or None for NULL."""
    return None if microseconds is None else from_us(microseconds)


def optional_us(moment: datetime | None) -> int | None:
    """Return the microseconds, or None."""
    return None if moment is None else to_us(moment)


def memory_of(row: tuple[Any, ...]) -> Memory:
    """Return the memory of a row selected with `select_columns`.

    Raises:
        StoreCorruptError: Its tags, metadata or times are none.
    """
    try:
        created = from_us(row[12])
        return Memory(
            id=row[0],
            content=row[1],
            type=row[2],
            tags=tuple(orjson.loads(row[3])) if row[3] != "[]" else (),
            metadata=orjson.loads(row[4]) if row[4] != "{}" else {},
            importance=row[5],
            workspace=row[6],
            scope=row[7],
            tier=row[8],
            event_at=None if row[9] is None else from_us(row[9]),
            valid_from=None if row[10] is None else from_us(row[10]),
            valid_to=None if row[11] is None else from_us(row[11]),
            created_at=created,
            updated_at=created if row[13] == row[12] else from_us(row[13]),
            last_accessed_at=None if row[14] is None else from_us(row[14]),
            access_count=row[15],
            expires_at=None if row[16] is None else from_us(row[16]),
            lifecycle=row[17],
            pinned=row[18] == 1,
            version=row[19],
            content_hash=row[20],
            media_url=row[21],
            session_id=row[22],
            agent_id=row[23],
            source=row[24],
            snapshot_origin=row[25],
            snapshot_loaded_at=None if row[26] is None else from_us(row[26]),
            forgotten_at=None if row[27] is None else from_us(row[27]),
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise StoreCorruptError(
            f"memory {row[0]} cannot be read, as its row is damaged ({error}): "
            "restore a backup with `engram backup restore`"
        ) from error


_PLACES: Final = {name: place for place, name in enumerate(STATE_COLUMNS, 1)}
_TIMES: Final = frozenset(
    name for name in MEMORY_COLUMNS if name.endswith("_at") or name.startswith("valid_")
)
_BLANK_ROW: Final = [None, *({**BLANK, "pinned": 0}.get(name) for name in STATE_COLUMNS)]
_TAGS, _METADATA, _PINNED, _CONTENT, _HASH, _SEQ = (
    _PLACES[name] for name in ("tags", "metadata", "pinned", "public_content", "public_hash", "seq")
)


def to_row(pk: int, prepared: Prepared, seq: int) -> tuple[Any, ...]:
    """Return the row number and the values of `STATE_COLUMNS`; what is not said is blank."""
    row: list[Any] = _BLANK_ROW.copy()
    row[0] = pk
    for name, value in prepared.fields.items():
        row[_PLACES[name]] = to_us(value) if name in _TIMES and value is not None else value
    row[_TAGS] = prepared.tags_json
    row[_METADATA] = prepared.metadata_json
    row[_PINNED] = int(row[_PINNED])
    row[_CONTENT] = prepared.public_content
    row[_HASH] = prepared.public_hash
    row[_SEQ] = seq
    return tuple(row)
