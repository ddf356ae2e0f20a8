"""Between a row of `memories` and a `Memory`, and what is derived from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.clock import from_us, to_us
from engram_lab.core.types import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import apsw

    from engram_lab.core.drafts import Prepared
    from engram_lab.core.metadata import Scalar

__all__ = [
    "INSERT_MEMORY",
    "MEMORY_COLUMNS",
    "STATE_COLUMNS",
    "fetch",
    "index_rows",
    "memory_of",
    "metadata_value",
    "optional_time",
    "optional_us",
    "select_columns",
    "to_row",
    "unindex",
]

MEMORY_COLUMNS: Final = (
    "id", "content", "type", "tags", "metadata", "importance", "workspace", "scope", "tier",
    "event_at", "valid_from", "valid_to", "created_at", "updated_at", "last_accessed_at",
    "access_count", "expires_at", "lifecycle", "pinned", "version", "content_hash", "media_url",
    "session_id", "agent_id", "source", "snapshot_origin", "snapshot_loaded_at", "forgotten_at",
)  # fmt: skip
"""The columns that make a `Memory`, in the order `memory_of` reads them."""

STATE_COLUMNS: Final = (*MEMORY_COLUMNS, "public_content", "seq")
"""What `memories` and `versions` both hold of one state."""

INSERT_MEMORY: Final = (
    f"INSERT INTO memories (pk, {', '.join(STATE_COLUMNS)}) "
    f"VALUES ({', '.join('?' * (1 + len(STATE_COLUMNS)))})"
)


def fetch(connection: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> list[Any]:
    """Return all rows of a query, as tuples."""
    return connection.execute(sql, values).fetchall()


def select_columns(alias: str, *, private: bool) -> str:
    """Return the column list of a SELECT that `memory_of` can read."""
    columns = [f"{alias}.{name}" for name in MEMORY_COLUMNS]
    if not private:
        columns[1] = f"coalesce({alias}.public_content, {alias}.content)"
    return ", ".join(columns)


def optional_time(microseconds: int | None) -> datetime | None:
    """Return the datetime, or None for NULL."""
    return None if microseconds is None else from_us(microseconds)


def optional_us(moment: datetime | None) -> int | None:
    """Return the microseconds, or None."""
    return None if moment is None else to_us(moment)


def memory_of(row: tuple[Any, ...]) -> Memory:
    """Return the memory of a row selected with `select_columns`."""
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
        event_at=optional_time(row[9]),
        valid_from=optional_time(row[10]),
        valid_to=optional_time(row[11]),
        created_at=from_us(row[12]),
        updated_at=from_us(row[13]),
        last_accessed_at=optional_time(row[14]),
        access_count=row[15],
        expires_at=optional_time(row[16]),
        lifecycle=row[17],
        pinned=row[18] == 1,
        version=row[19],
        content_hash=row[20],
        media_url=row[21],
        session_id=row[22],
        agent_id=row[23],
        source=row[24],
        snapshot_origin=row[25],
        snapshot_loaded_at=optional_time(row[26]),
        forgotten_at=optional_time(row[27]),
    )


def to_row(pk: int, prepared: Prepared, seq: int) -> tuple[Any, ...]:
    """Return the values of `INSERT_MEMORY`."""
    memory = prepared.memory
    return (
        pk,
        memory.id,
        memory.content,
        memory.type,
        prepared.tags_json,
        prepared.metadata_json,
        memory.importance,
        memory.workspace,
        memory.scope,
        memory.tier,
        optional_us(memory.event_at),
        optional_us(memory.valid_from),
        optional_us(memory.valid_to),
        to_us(memory.created_at),
        to_us(memory.updated_at),
        optional_us(memory.last_accessed_at),
        memory.access_count,
        optional_us(memory.expires_at),
        memory.lifecycle,
        int(memory.pinned),
        memory.version,
        memory.content_hash,
        memory.media_url,
        memory.session_id,
        memory.agent_id,
        memory.source,
        memory.snapshot_origin,
        optional_us(memory.snapshot_loaded_at),
        optional_us(memory.forgotten_at),
        prepared.public_content,
        seq,
    )


def metadata_value(value: Scalar) -> str | int | float | bytes:
    """Return the scalar as `memory_metadata.value` holds it: booleans are blobs."""
    if isinstance(value, bool):
        return b"\x01" if value else b"\x00"
    return value


def index_rows(
    connection: apsw.Connection, rows: list[tuple[int, Prepared]], *, searchable: bool = True
) -> None:
    """Write the index entries of new states: tags, metadata, and the text unless forgotten."""
    connection.executemany(
        "INSERT INTO memory_tags VALUES (?, ?)",
        ((tag, pk) for pk, prepared in rows for tag in prepared.memory.tags),
    )
    connection.executemany("INSERT OR IGNORE INTO memory_metadata VALUES (?, ?, ?)", _paths(rows))
    if searchable:
        connection.executemany(
            "INSERT INTO memories_fts (rowid, content, tags) VALUES (?, ?, ?)",
            ((pk, _searchable(each), each.tags_json) for pk, each in rows),
        )


def unindex(connection: apsw.Connection, pk: int, prepared: Prepared, *, searchable: bool) -> None:
    """Remove what `index_rows` wrote of the state that `prepared` describes."""
    connection.executemany(
        "DELETE FROM memory_tags WHERE tag = ? AND pk = ?",
        ((tag, pk) for tag in prepared.memory.tags),
    )
    connection.executemany(
        "DELETE FROM memory_metadata WHERE path = ? AND value = ? AND pk = ?",
        _paths([(pk, prepared)]),
    )
    if searchable:
        connection.execute(
            "INSERT INTO memories_fts (memories_fts, rowid, content, tags) "
            "VALUES ('delete', ?, ?, ?)",
            (pk, _searchable(prepared), prepared.tags_json),
        )


def _paths(
    rows: list[tuple[int, Prepared]],
) -> Iterator[tuple[str, str | int | float | bytes, int]]:
    return (
        (path, metadata_value(value), pk)
        for pk, prepared in rows
        for path, value in prepared.leaves
    )


def _searchable(prepared: Prepared) -> str:
    if prepared.public_content is None:
        return prepared.memory.content
    return prepared.public_content
