"""The shape of every table that goes in or out, checked at each border.

Times are `timestamp[us, UTC]`, metadata is JSON text, a vector is `float32 [dim]`. In `memories`
and `versions` the columns are those of the `Memory` record, in its order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from engram_lab.core.errors import InvalidInputError, SchemaMismatchError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ENTITIES",
    "EVENTS",
    "GRANTS",
    "IDENTITIES",
    "LINKS",
    "MEMORIES",
    "MENTIONS",
    "SCHEMAS",
    "SESSIONS",
    "TURNS",
    "VECTORS",
    "VERSIONS",
    "WORKSPACES",
    "batch_of",
    "check_batch",
    "check_table_name",
]

TIME: Final = pa.timestamp("us", tz="UTC")
_TEXTS: Final = pa.list_(pa.string())
_HITS: Final = pa.list_(
    pa.struct(
        [
            pa.field("memory_id", pa.string(), nullable=False),
            pa.field("rank", pa.int64(), nullable=False),
            pa.field("score", pa.float64(), nullable=False),
        ]
    )
)


def _schema(**columns: pa.DataType) -> pa.Schema:
    """A trailing underscore marks a column that may be null."""
    return pa.schema(
        [
            pa.field(name.removesuffix("_"), kind, nullable=name.endswith("_"))
            for name, kind in columns.items()
        ]
    )


MEMORIES: Final = _schema(
    id=pa.string(),
    content=pa.string(),
    type=pa.string(),
    tags=_TEXTS,
    metadata=pa.string(),
    importance=pa.float64(),
    workspace=pa.string(),
    scope=pa.string(),
    tier=pa.string(),
    event_at_=TIME,
    valid_from_=TIME,
    valid_to_=TIME,
    created_at=TIME,
    updated_at=TIME,
    last_accessed_at_=TIME,
    access_count=pa.int64(),
    expires_at_=TIME,
    lifecycle=pa.string(),
    pinned=pa.bool_(),
    version=pa.int64(),
    content_hash=pa.string(),
    media_url_=pa.string(),
    session_id_=pa.string(),
    agent_id_=pa.string(),
    source_=pa.string(),
    snapshot_origin_=pa.string(),
    snapshot_loaded_at_=TIME,
    forgotten_at_=TIME,
)

VERSIONS: Final = pa.schema(
    [
        *MEMORIES,
        *_schema(
            action=pa.string(),
            author=pa.string(),
            reason_=pa.string(),
            recorded_at=TIME,
            superseded_at_=TIME,
        ),
    ]
)

LINKS: Final = _schema(
    id=pa.string(),
    from_id=pa.string(),
    to_id=pa.string(),
    type=pa.string(),
    weight=pa.float64(),
    confidence=pa.float64(),
    source=pa.string(),
    context_=pa.string(),
    valid_from_=TIME,
    valid_to_=TIME,
    pinned=pa.bool_(),
    created_at=TIME,
    updated_at=TIME,
)

EVENTS: Final = _schema(
    id=pa.string(),
    at=TIME,
    query=pa.string(),
    workspace_=pa.string(),
    agent_id_=pa.string(),
    session_id_=pa.string(),
    strategy_=pa.string(),
    config_hash_=pa.string(),
    hits=_HITS,
)

VECTORS: Final = _schema(
    memory_id=pa.string(),
    embedder=pa.string(),
    values=pa.list_(pa.float32()),
    created_at=TIME,
)

IDENTITIES: Final = _schema(
    id=pa.string(),
    name=pa.string(),
    kind=pa.string(),
    description_=pa.string(),
    aliases=_TEXTS,
    metadata=pa.string(),
    created_at=TIME,
)

ENTITIES: Final = _schema(
    id=pa.string(),
    name=pa.string(),
    kind=pa.string(),
    workspace=pa.string(),
    identity_id_=pa.string(),
    metadata=pa.string(),
    created_at=TIME,
)

MENTIONS: Final = _schema(
    memory_id=pa.string(),
    entity_id=pa.string(),
    confidence=pa.float64(),
    source=pa.string(),
)

SESSIONS: Final = _schema(
    id=pa.string(),
    workspace=pa.string(),
    scope=pa.string(),
    agent_id_=pa.string(),
    title_=pa.string(),
    started_at=TIME,
    ended_at_=TIME,
    metadata=pa.string(),
)

TURNS: Final = _schema(
    session_id=pa.string(),
    position=pa.int64(),
    speaker=pa.string(),
    memory_id=pa.string(),
    spoken_at_=TIME,
)

WORKSPACES: Final = _schema(
    name=pa.string(),
    scope=pa.string(),
    description_=pa.string(),
    max_age_days_=pa.float64(),
    max_memories_=pa.int64(),
    created_at=TIME,
)

GRANTS: Final = _schema(
    agent_id=pa.string(),
    scope=pa.string(),
    permission=pa.string(),
    granted_by=pa.string(),
    granted_at=TIME,
)

SCHEMAS: Final[Mapping[str, pa.Schema]] = {
    "workspaces": WORKSPACES,
    "memories": MEMORIES,
    "versions": VERSIONS,
    "links": LINKS,
    "vectors": VECTORS,
    "events": EVENTS,
    "identities": IDENTITIES,
    "entities": ENTITIES,
    "mentions": MENTIONS,
    "sessions": SESSIONS,
    "turns": TURNS,
    "grants": GRANTS,
}
"""Every table by name, each after those whose rows it names."""


def check_table_name(name: object) -> str:
    """Return the name of a table.

    Raises:
        InvalidInputError: There is none of this name.
    """
    if not isinstance(name, str) or name not in SCHEMAS:
        raise InvalidInputError(f"table is {shown(name)}: allowed are {', '.join(SCHEMAS)}")
    return name


def check_batch(name: str, batch: pa.RecordBatch, *, first_row: int = 0) -> pa.RecordBatch:
    """Return the batch with the columns of its schema, in its order and exact types.

    Types that hold the same values in another form (large strings, dictionaries, string views) are
    cast; a column that may be null may be missing.

    Raises:
        SchemaMismatchError: A column is missing, unknown, given twice, of another type, or null
            where it must not be; says the table, column and row, and what was expected.
    """
    schema = SCHEMAS[name]
    for column in batch.schema.names:
        if column not in schema.names:
            expected = ", ".join(schema.names)
            raise SchemaMismatchError(
                f"unknown: expected are {expected}", table=name, column=column
            )
        if batch.schema.names.count(column) > 1:
            raise SchemaMismatchError("given twice: expected once", table=name, column=column)
    columns = [_column(name, field, batch, first_row) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _column(name: str, field: pa.Field, batch: pa.RecordBatch, first_row: int) -> pa.Array:
    if field.name not in batch.schema.names:
        if field.nullable:
            return pa.nulls(batch.num_rows, field.type)
        raise SchemaMismatchError(f"missing: expected {field.type}", table=name, column=field.name)
    column = batch.column(field.name)
    if not field.nullable and column.null_count:
        row = first_row + column.is_null().index(pa.scalar(value=True)).as_py()
        raise SchemaMismatchError(
            f"null: expected {field.type}", table=name, column=field.name, row=row
        )
    if column.type == field.type:
        return column
    try:
        return column.cast(field.type)
    except pa.ArrowException:
        raise SchemaMismatchError(
            f"{column.type}: expected {field.type}", table=name, column=field.name
        ) from None


def batch_of(name: str, rows: Sequence[Mapping[str, Any]], *, first_row: int = 0) -> pa.RecordBatch:
    """Return the batch of rows given as mappings; what they leave out is null.

    Raises:
        SchemaMismatchError: A value does not fit its column, or a column is unknown.
    """
    schema = SCHEMAS[name]
    for number, row in enumerate(rows, first_row):
        for column in row:
            if column not in schema.names:
                expected = ", ".join(schema.names)
                raise SchemaMismatchError(
                    f"unknown: expected are {expected}", table=name, column=column, row=number
                )
    columns = [
        _array_of(name, field, [row.get(field.name) for row in rows], first_row) for field in schema
    ]
    relaxed = pa.schema([field.with_nullable(nullable=True) for field in schema])
    batch = pa.RecordBatch.from_arrays(columns, schema=relaxed)
    return check_batch(name, batch, first_row=first_row)


def _array_of(name: str, field: pa.Field, values: list[Any], first_row: int) -> pa.Array:
    try:
        return _exact_array(values, field.type)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        for row, value in enumerate(values, first_row):
            try:
                _exact_array([value], field.type)
            except (pa.ArrowException, TypeError, ValueError, OverflowError):
                raise SchemaMismatchError(
                    f"{shown(value)}: expected {field.type}",
                    table=name,
                    column=field.name,
                    row=row,
                ) from None
        raise


def _exact_array(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Return the array; unlike Arrow alone, take no fraction for a whole number, nor true for 1."""
    array = pa.array(values, kind)
    if pa.types.is_integer(kind) and any(type(v) is float and not v.is_integer() for v in values):
        raise ValueError
    if pa.types.is_floating(kind) and any(type(v) is bool for v in values):
        raise ValueError
    if kind == _HITS:
        hits = [hit for hits in values for hit in hits or () if isinstance(hit, dict)]
        _exact_array([hit.get("rank") for hit in hits], pa.int64())
        _exact_array([hit.get("score") for hit in hits], pa.float64())
    return array
