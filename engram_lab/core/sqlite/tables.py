"""The tables as Arrow, in streaming batches: what leaves the store for frames and files."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import pyarrow as pa

from engram_lab.core.checks import check_limit
from engram_lab.core.errors import InvalidInputError, StoreCorruptError
from engram_lab.core.filters import ALWAYS
from engram_lab.core.schemas import SCHEMAS, TIME, check_table_name
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite.conditions import (
    Where,
    of_past,
    of_place,
    of_selection,
    of_state,
    readable,
)
from engram_lab.core.sqlite.reading import STATES
from engram_lab.core.sqlite.rows import select_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import apsw

    from engram_lab.core.sqlite.context import Context

    Maker = Callable[[Any, pa.DataType], pa.Array]

__all__ = ["Tables"]

_EVENT_HITS: Final = (
    "(SELECT json_group_array(json_object("
    "'memory_id', m.id, 'rank', h.rank, 'score', h.score) ORDER BY h.rank) "
    "FROM recall_hits AS h JOIN memories AS m ON m.pk = h.pk WHERE h.event_id = e.id AND {hits})"
)
_ALIASES: Final = (
    "(SELECT json_group_array(alias ORDER BY normalised) FROM identity_aliases AS a "
    "WHERE a.identity_id = i.id)"
)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a table's rows come from. Each of `memories` is the alias of a memory they hang on."""

    columns: str
    tables: str
    order: str
    memories: tuple[str, ...] = ()


_SOURCES: Final[dict[str, _Source]] = {
    "links": _Source(
        "l.id, a.id, b.id, l.type, l.weight, l.confidence, l.source, l.context, l.valid_from, "
        "l.valid_to, l.pinned, l.created_at, l.updated_at",
        "links AS l JOIN memories AS a ON a.pk = l.from_pk JOIN memories AS b ON b.pk = l.to_pk",
        "l.id",
        ("a", "b"),
    ),
    "vectors": _Source(
        "m.id, e.fingerprint, v.data, v.created_at",
        # CROSS JOIN keeps SQLite to this order, which needs no sorting of long rows.
        "memories AS m CROSS JOIN vectors AS v ON v.pk = m.pk "
        "JOIN embedders AS e ON e.number = v.embedder",
        "m.id, e.fingerprint",
        ("m",),
    ),
    "events": _Source(
        "e.id, e.at, e.query, e.workspace, e.agent_id, e.session_id, e.strategy, e.config_hash, "
        "{hits}",
        "recall_events AS e",
        "e.id",
    ),
    "identities": _Source(
        f"i.id, i.name, i.kind, i.description, {_ALIASES}, i.metadata, i.created_at",
        "identities AS i",
        "i.id",
    ),
    "entities": _Source(
        "e.id, e.name, e.kind, e.workspace, e.identity_id, e.metadata, e.created_at",
        "entities AS e",
        "e.id",
    ),
    "mentions": _Source(
        "m.id, n.entity_id, n.confidence, n.source",
        "memories AS m CROSS JOIN mentions AS n ON n.pk = m.pk",
        "m.id, n.entity_id",
        ("m",),
    ),
    "sessions": _Source(
        "s.id, s.workspace, s.scope, s.agent_id, s.title, s.started_at, s.ended_at, s.metadata",
        "sessions AS s",
        "s.id",
    ),
    "turns": _Source(
        "t.session_id, t.position, t.speaker, m.id, t.spoken_at",
        "turns AS t JOIN memories AS m ON m.pk = t.pk",
        "t.session_id, t.position",
        ("m",),
    ),
    "workspaces": _Source(
        "w.name, w.scope, w.description, w.max_age_days, w.max_memories, w.created_at",
        "workspaces AS w",
        "w.name",
    ),
    "grants": _Source(
        "g.agent_id, g.scope, g.permission, g.granted_by, g.granted_at",
        "grants AS g",
        "g.agent_id, g.scope",
    ),
}


class Tables:
    """The tables of the store, to be read whole."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def scan(
        self, name: str, selection: Selection | None = None, *, batch_rows: int = 16_384
    ) -> pa.RecordBatchReader:
        """Return a table as a stream of record batches, in the order of its key.

        The stream sees one state of the store and holds one reader until it ends or is closed;
        never more than a batch is in memory, but for a store in memory and inside a transaction.

        Raises:
            InvalidInputError: An unknown table, or a selection that this table cannot follow.
            AccessDeniedError: An agent asks for private sections.
        """
        check_limit(batch_rows, field="batch_rows")
        query = self.query(check_table_name(name), selection or Selection())
        schema = SCHEMAS[name]

        def batches() -> Iterator[pa.RecordBatch]:
            with self._context.database.read() as connection:
                found = _batches(connection, query, schema, batch_rows)
                if connection.readonly("main"):
                    yield from found
                    return
                held = list(found)  # what it wrote meanwhile would be among rows left unread
            yield from held

        return pa.RecordBatchReader.from_batches(schema, batches())

    @contextmanager
    def snapshot(self) -> Iterator[Callable[..., Iterator[pa.RecordBatch]]]:
        """Lend a `scan(name, selection, batch_rows=…)` whose every call sees the same state."""
        with self._context.database.snapshot() as connection:

            def scan(
                name: str, selection: Selection, *, batch_rows: int
            ) -> Iterator[pa.RecordBatch]:
                check_limit(batch_rows, field="batch_rows")
                query = self.query(check_table_name(name), selection)
                return _batches(connection, query, SCHEMAS[name], batch_rows)

            yield scan

    def counts(self, selection: Selection | None = None) -> dict[str, int]:
        """Return how many rows of each table are to be seen."""
        found = {}
        with self._context.database.snapshot() as connection:
            for name in SCHEMAS:
                sql, values = self.query(name, selection or Selection())
                found[name] = connection.execute(f"SELECT count(*) FROM ({sql})", values).get
        return found

    def query(self, name: str, selection: Selection) -> tuple[str, Sequence[Any]]:
        """Return the SQL of a table and the values bound in it, for who measures or explains it."""
        if selection.private:
            self._context.access.check_owner("read private sections")
        if name == "memories":
            return self._memories_query(selection)
        if selection.filter != ALWAYS or selection.as_of is not None:
            raise InvalidInputError(
                f"a filter and as_of choose among memories, not {name}: leave them out"
            )
        if name == "versions":
            return self._versions_query(selection)
        source = _SOURCES[name]
        context, where, now = self._context, Where(), self._context.now()
        columns, hits = source.columns, Where()
        of_state(hits, selection, context.access, now)
        if name == "events":
            columns = columns.format(hits=_EVENT_HITS.format(hits=hits.sql))
            where.values += hits.values  # its marks stand before those of WHERE
        for alias in source.memories:
            of_state(where, selection, context.access, now, alias)
        self._keep_to_own(name, where, selection)
        return (
            f"SELECT {columns} FROM {source.tables} WHERE {where.sql} ORDER BY {source.order}",
            where.values,
        )

    def _memories_query(self, selection: Selection) -> tuple[str, Sequence[Any]]:
        context, now = self._context, self._context.now()
        columns = select_columns("m", private=selection.private)
        if selection.as_of is None:
            where = of_selection(selection, context.access, now)
            source = "memories"
        elif selection.filter != ALWAYS:
            raise InvalidInputError("a table as of a moment takes no filter: filter the frame")
        else:
            source, where = STATES, of_past(selection, context.access, now)
        sql = f"SELECT {columns} FROM {source} AS m WHERE {where.sql} ORDER BY m.id"
        return sql, where.values

    def _versions_query(self, selection: Selection) -> tuple[str, Sequence[Any]]:
        """Return present and past states in one order, each arm by its own index: nothing sorts."""
        context, now = self._context, self._context.now()
        where = Where()
        of_state(where, selection, context.access, now)
        past = Where(list(where.parts), list(where.values))
        readable(past, context.access, "s")
        columns = select_columns("{alias}", private=selection.private)
        signed = "c.action, c.author, c.reason, c.at"
        sql = (
            f"SELECT {columns.format(alias='m')}, {signed}, NULL FROM memories AS m "
            f"JOIN changes AS c ON c.seq = m.seq WHERE {where.sql} "
            f"UNION ALL SELECT {columns.format(alias='s')}, {signed}, s.superseded_at "
            "FROM versions AS s JOIN memories AS m ON m.pk = s.pk "
            f"JOIN changes AS c ON c.seq = s.seq WHERE {past.sql} ORDER BY 1, 20"
        )
        return sql, [*where.values, *past.values]

    def _keep_to_own(self, name: str, where: Where, selection: Selection) -> None:
        """Keep to the workspace and scope, and to what an agent may see without memories.

        Mentions and turns go with their entities and sessions, which a memory may have left.
        """
        if name in {"events", "entities"} and selection.workspace is not None:
            where.add("e.workspace = ?", selection.workspace)
        elif name == "sessions":
            of_place(where, selection, "s")
        elif name == "mentions" and selection.workspace is not None:
            where.add(
                "n.entity_id IN (SELECT id FROM entities WHERE workspace = ?)", selection.workspace
            )
        elif name == "turns":
            whole = Where()
            of_place(whole, selection, "s")
            readable(whole, self._context.access, "s")
            where.add(
                f"t.session_id IN (SELECT s.id FROM sessions AS s WHERE {whole.sql})", *whole.values
            )
        access = self._context.access
        if access.principal is None:
            return
        if name in {"events", "grants"}:
            alias = "e" if name == "events" else "g"
            where.add(f"{alias}.agent_id = ?", access.principal.agent_id)
        elif name == "sessions":
            readable(where, access, "s")
        elif name == "entities":
            seen = Where()
            of_state(seen, selection, access, self._context.now())
            where.add(
                "EXISTS (SELECT 1 FROM mentions AS n JOIN memories AS m ON m.pk = n.pk "
                f"WHERE n.entity_id = e.id AND {seen.sql})",
                *seen.values,
            )


def _batches(
    connection: apsw.Connection,
    query: tuple[str, Sequence[Any]],
    schema: pa.Schema,
    batch_rows: int,
) -> Iterator[pa.RecordBatch]:
    makers: list[Maker] = [_MAKERS.get(field.type, _plain) for field in schema]
    rows = connection.execute(*query)
    while chunk := list(islice(rows, batch_rows)):
        columns = zip(*chunk, strict=True)
        try:
            arrays = [
                make(values, field.type)
                for make, values, field in zip(makers, columns, schema, strict=True)
            ]
        except (ValueError, TypeError) as error:
            raise StoreCorruptError(f"a row is damaged: run `engram doctor` ({error})") from error
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _plain(values: tuple[Any, ...], kind: pa.DataType) -> pa.Array:
    return pa.array(values, kind)


def _flags(values: tuple[int, ...], kind: pa.DataType) -> pa.Array:
    return pa.array(values, pa.int8()).cast(kind)


def _json_lists(values: tuple[str, ...], kind: pa.DataType) -> pa.Array:
    return pa.array(orjson.loads(f"[{','.join(values)}]"), kind)


def _float_lists(values: tuple[bytes, ...], _kind: pa.DataType) -> pa.Array:
    lengths = np.fromiter(chain((0,), (len(each) // 4 for each in values)), dtype=np.int32)
    flat = np.frombuffer(b"".join(values), dtype="<f4")
    return pa.ListArray.from_arrays(np.cumsum(lengths, dtype=np.int32), pa.array(flat))


_MAKERS: Final[dict[pa.DataType, Maker]] = {
    pa.bool_(): _flags,
    TIME: _plain,
    pa.list_(pa.string()): _json_lists,
    SCHEMAS["events"].field("hits").type: _json_lists,
    pa.list_(pa.float32()): _float_lists,
}
