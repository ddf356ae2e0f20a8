"""Vectors: the embedding of each memory by each embedder, told apart by its fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engram_lab.core.checks import check_label, check_limit
from engram_lab.core.clock import from_us, to_us
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.sqlite.changes import log_many, next_number
from engram_lab.core.sqlite.conditions import Where, readable
from engram_lab.core.sqlite.rows import fetch
from engram_lab.core.types import Vector

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import apsw
    from numpy.typing import NDArray

    from engram_lab.core.sqlite.context import Context
    from engram_lab.core.sqlite.erasing import ErasableMemories

__all__ = ["Vectors", "check_values", "embedder_number", "write_vectors"]


def embedder_number(connection: apsw.Connection, fingerprint: str, dim: int) -> int:
    """Return the number of an embedder, which is made where it is new.

    Raises:
        InvalidInputError: Its vectors have another dimension.
    """
    connection.execute(
        "INSERT INTO embedders (fingerprint, dim) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (fingerprint, dim),
    )
    number, known = fetch(
        connection, "SELECT number, dim FROM embedders WHERE fingerprint = ?", (fingerprint,)
    )[0]
    if known != dim:
        raise InvalidInputError(
            f"embedder {fingerprint!r} has vectors of {known} dimensions, and these have {dim}: "
            "another model needs another fingerprint"
        )
    return int(number)


def check_values(values: Any, count: int) -> NDArray[np.float32]:
    """Return the vectors of so many memories as float32 [count, dim], little-endian.

    Raises:
        InvalidInputError: Another shape, no numbers, or a value that is not finite.
    """
    try:
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
            table = np.ascontiguousarray(values, dtype="<f4")
    except (TypeError, ValueError):
        raise InvalidInputError("values is no table of numbers: give float32 [n, dim]") from None
    if table.ndim != 2 or table.shape[0] != count or table.shape[1] == 0:  # noqa: PLR2004
        raise InvalidInputError(f"values has the shape {list(table.shape)}: give [{count}, dim]")
    if not np.isfinite(table).all():
        raise InvalidInputError("values holds NaN or infinity: no distance can be told to it")
    return table


def write_vectors(
    context: Context,
    connection: apsw.Connection,
    embedder: str,
    rows: Sequence[tuple[int, str]],
    table: NDArray[np.float32],
    *,
    at: datetime,
) -> None:
    """Store one vector for each memory, given by row and id, and log it.

    Raises:
        InvalidInputError: The embedder has vectors of another dimension.
    """
    number = embedder_number(connection, embedder, table.shape[1])
    connection.executemany(
        "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)",
        (
            (pk, number, values.tobytes(), to_us(at))
            for (pk, _), values in zip(rows, table, strict=True)
        ),
    )
    log_many(
        connection,
        (("vector", id_, None) for _, id_ in rows),
        first=next_number(connection),
        at=at,
        action="embed",
        author=context.access.name,
        reason=None,
    )


class Vectors:
    """The vectors of the store. Changing a memory's content removes its vectors."""

    def __init__(self, context: Context, memories: ErasableMemories) -> None:
        self._context = context
        self._memories = memories

    def put(self, embedder: str, ids: Sequence[str], values: NDArray[np.float32]) -> None:
        """Store one vector for each id, in place of any former one, in one transaction.

        Args:
            embedder: Its fingerprint.
            ids: The memories, n of them.
            values: float32 [n, dim], finite.

        Raises:
            InvalidInputError: Another shape, a value that is not finite, or another dimension than
                this embedder's.
            NotFoundError: A memory is not to be seen.
            AccessDeniedError: A memory may not be written.
        """
        check_label(embedder, field="embedder")
        table = check_values(values, len(ids))
        if not ids:
            return
        context = self._context
        at = context.now()
        with context.database.write() as connection:
            rows = [(self._writable(connection, id_), id_) for id_ in ids]
            write_vectors(context, connection, embedder, rows, table, at=at)

    def _writable(self, connection: apsw.Connection, id_: str) -> int:
        pk, memory = self._memories.find(connection, id_)
        self._context.check_scope(connection, memory.scope, "write")
        return pk

    def get(self, embedder: str, ids: Sequence[str]) -> list[Vector | None]:
        """Return the vectors in the order of `ids`; None where there is none to be seen."""
        found: list[Vector | None] = []
        with self._context.database.snapshot() as connection:
            for id_ in ids:
                rows = self._select(connection, embedder, "m.id = ?", id_)
                found.append(rows[0] if rows else None)
        return found

    def missing(self, embedder: str, *, limit: int = 1000) -> list[str]:
        """Return ids of present memories without a vector of this embedder, oldest first.

        Raises:
            InvalidInputError: A limit below 1.
        """
        check_limit(limit)
        where = Where()
        where.add(
            "m.forgotten_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > ?)",
            to_us(self._context.now()),
        )
        where.add(
            "NOT EXISTS (SELECT 1 FROM vectors AS v JOIN embedders AS e ON e.number = v.embedder "
            "WHERE v.pk = m.pk AND e.fingerprint = ?)",
            embedder,
        )
        readable(where, self._context.access)
        with self._context.database.read() as connection:
            rows = fetch(
                connection,
                f"SELECT m.id FROM memories AS m WHERE {where.sql} ORDER BY m.pk LIMIT ?",
                (*where.values, limit),
            )
        return [row[0] for row in rows]

    def embedders(self) -> dict[str, int]:
        """Return the dimension of each embedder that vectors were stored of."""
        with self._context.database.read() as connection:
            return dict(fetch(connection, "SELECT fingerprint, dim FROM embedders ORDER BY 1"))

    def _select(
        self, connection: apsw.Connection, embedder: str, sql: str, *values: Any
    ) -> list[Vector]:
        where = Where()
        where.add(sql, *values)
        where.add("e.fingerprint = ?", embedder)
        where.add(
            "m.forgotten_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > ?)",
            to_us(self._context.now()),
        )
        readable(where, self._context.access)
        rows = fetch(
            connection,
            "SELECT m.id, e.fingerprint, v.data, v.created_at FROM vectors AS v "
            "JOIN memories AS m ON m.pk = v.pk JOIN embedders AS e ON e.number = v.embedder "
            f"WHERE {where.sql}",
            where.values,
        )
        return [
            Vector(
                memory_id=row[0],
                embedder=row[1],
                values=np.frombuffer(row[2], dtype="<f4"),
                created_at=from_us(row[3]),
            )
            for row in rows
        ]
