"""What waits to be embedded, by each embedder: a queue that follows the change log.

Nothing is written for it when a memory is: a claim first takes into account what changed since the
last one, which costs as much as there were changes. The queue of a new embedder is filled from all
memories. Both go on in steps, none of which bars other writers for long.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.checks import check_label, check_limit
from engram_lab.core.clock import parse_time, to_us
from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.protocols import QueueCounts, Waiting
from engram_lab.core.sqlite.changes import next_number
from engram_lab.core.sqlite.following import (
    CONTENT,
    DROP,
    HAS_VECTOR,
    IS_OTHER,
    QUEUE,
    follow,
    numbers,
)
from engram_lab.core.sqlite.rows import fetch
from engram_lab.core.sqlite.vectors import check_values, write_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import apsw
    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.core.sqlite.context import Context

__all__ = ["EmbeddingQueue"]

_MOST_ERROR_CHARS: Final = 1_000
_LIVES: Final = "m.forgotten_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > :now)"
_STATE: Final = (
    f"CASE WHEN {HAS_VECTOR} THEN 'complete' "
    f"WHEN q.pk IS NULL OR coalesce({IS_OTHER}, 0) THEN 'pending' "
    "WHEN q.due_at IS NULL THEN 'failed' "
    "WHEN q.ticket IS NOT NULL AND q.due_at > :now THEN 'processing' ELSE 'pending' END"
)
_IS_IDLE: Final = (
    "SELECT s.filled IS NULL AND s.seq = (SELECT coalesce(max(seq), 0) FROM changes) "
    "AND NOT EXISTS (SELECT 1 FROM embedding_queue WHERE queue = s.number AND due_at <= ?) "
    "FROM embedding_queues AS s WHERE s.fingerprint = ?"
)
_DUE: Final = (
    f"SELECT q.pk, m.version, m.id, {CONTENT}, q.attempts "
    "FROM embedding_queue AS q CROSS JOIN memories AS m ON m.pk = q.pk "
    f"WHERE q.queue = :queue AND q.due_at <= :now AND {_LIVES} AND NOT {HAS_VECTOR} "
    "ORDER BY q.since, q.pk LIMIT :limit"
)
_TAKE: Final = (
    "UPDATE embedding_queue SET ticket = ?, due_at = ?, version = ?, attempts = attempts + 1 "
    "WHERE pk = ? AND queue = ?"
)
_NEXT_STEP: Final = "UPDATE embedding_queues SET steps = steps + 1 WHERE number = ? RETURNING steps"
_SKIP: Final = "UPDATE embedding_queues SET seq = ? WHERE number = ? AND seq = ?"
_HELD: Final = (
    "SELECT q.pk FROM memories AS m CROSS JOIN embedding_queue AS q ON q.pk = m.pk "
    f"WHERE m.id = ? AND q.queue = ? AND q.ticket = ? AND {CONTENT} = ? "
    "AND m.forgotten_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > ?)"
)
_UNDER: Final = "WHERE queue = ? AND ticket = ? AND pk = (SELECT pk FROM memories WHERE id = ?)"
_FAIL: Final = (
    f"UPDATE embedding_queue SET ticket = NULL, due_at = ?, failure = ?, error = ? {_UNDER}"
)
_RELEASE: Final = (
    f"UPDATE embedding_queue SET ticket = NULL, due_at = 0, attempts = attempts - 1 {_UNDER}"
)
_RETRY: Final = (
    "UPDATE embedding_queue SET due_at = 0, attempts = 0, failure = NULL, error = NULL "
    "WHERE queue = ? AND failure IS NOT NULL AND due_at IS NULL"
)
_COUNT: Final = (
    f"SELECT {_STATE}, count(*) FROM memories AS m "
    f"LEFT JOIN embedding_queue AS q ON q.pk = m.pk AND q.queue = :queue WHERE {_LIVES} GROUP BY 1"
)
_COUNT_QUEUED: Final = (
    f"SELECT {_STATE}, count(*) FROM embedding_queue AS q CROSS JOIN memories AS m ON m.pk = q.pk "
    f"WHERE q.queue = :queue AND {_LIVES} GROUP BY 1"
)
_COUNT_NEW: Final = (
    "SELECT count(*) FROM (SELECT DISTINCT id FROM changes WHERE seq > :seq "
    "AND target IN ('memory', 'vector')) AS c CROSS JOIN memories AS m ON m.id = c.id "
    f"WHERE {_LIVES} AND NOT {HAS_VECTOR} "
    "AND NOT EXISTS (SELECT 1 FROM embedding_queue AS q WHERE q.pk = m.pk AND q.queue = :queue)"
)
_COUNT_LIVING: Final = (
    "SELECT (SELECT count(*) FROM memories_fts_docsize) - (SELECT count(*) FROM memories "
    "WHERE expires_at <= :now AND forgotten_at IS NULL)"
)
"""The text index has a row for each memory that is not forgotten, and a short one."""

_FAILURES: Final = (
    "FROM embedding_queue AS q CROSS JOIN memories AS m ON m.pk = q.pk "
    f"WHERE q.queue = :queue AND q.failure IS NOT NULL AND {_LIVES} AND NOT {HAS_VECTOR} "
    f"AND NOT coalesce({IS_OTHER}, 0)"
)


class EmbeddingQueue:
    """The memories that lack a vector; see `core.protocols.EmbeddingQueue`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def claim(self, embedder: str, *, limit: int, lease_s: float = 600.0) -> list[Waiting]:
        """Take up to `limit` pending memories whose time has come, longest waiting first.

        Raises:
            InvalidInputError: A limit below 1, or a lease that is no number of seconds above 0.
            StoreReadOnlyError, AccessDeniedError: Only the owner may, in a store that is written.
        """
        self._check(embedder)
        check_limit(limit)
        now = self._context.now()
        until = to_us(_end_of(lease_s, now))
        if self._is_idle(embedder, to_us(now)):
            return []
        while True:
            # A claim that is lost with the power of the machine was made by a process that is, too.
            with self._context.database.write_unsynced() as connection:
                is_level = follow(connection, embedder)
                values = {**numbers(connection, embedder), "now": to_us(now), "limit": limit}
                if due := fetch(connection, _DUE, values):
                    return _take(connection, values["queue"], due, until)
            if is_level:
                return []

    def _is_idle(self, embedder: str, now: int) -> bool:
        """Tell whether a claim would find nothing, so that who asks again and again never writes.

        A store that may not be written says so at the first claim, not at the first that finds.
        """
        database = self._context.database
        if database.read_only:
            return False
        with database.read() as connection:
            return bool(connection.execute(_IS_IDLE, (now, embedder)).get)

    def complete(
        self, embedder: str, claimed: Sequence[Waiting], values: NDArray[np.float32]
    ) -> int:
        """Store the vectors of claimed memories, float32 [n, dim], in one transaction.

        Those that changed, were forgotten or purged since, or whose claim ran out and was taken by
        another, are passed over; they stay pending where they still lack a vector.

        Returns:
            How many were stored.

        Raises:
            InvalidInputError: See `Vectors.put`.
        """
        self._check(embedder)
        table = check_values(values, len(claimed))
        context = self._context
        at = context.now()
        with context.database.write() as connection:
            queue = numbers(connection, embedder)["queue"]
            held: dict[int, int] = {}
            for place, (id_, content, _, ticket) in enumerate(claimed):
                pk = connection.execute(_HELD, (id_, queue, ticket, content, to_us(at))).get
                if pk is not None:
                    held[pk] = place
            if held:
                last = next_number(connection) - 1
                rows = [(pk, claimed[place].memory_id) for pk, place in held.items()]
                kept = table[list(held.values())]
                write_vectors(context, connection, embedder, rows, kept, at=at)
                connection.executemany(DROP, ((pk, queue) for pk in held))
                # What this wrote to the log needs no second look.
                connection.execute(_SKIP, (last + len(held), queue, last))
        return len(held)

    def fail(
        self,
        embedder: str,
        claimed: Sequence[Waiting],
        error: str,
        *,
        retry_at: datetime | None,
    ) -> None:
        """Record that claimed memories could not be embedded: tried again at a moment, or never.

        Raises:
            InvalidInputError: A time that is none.
        """
        self._check(embedder)
        due = None if retry_at is None else to_us(parse_time(retry_at, field="retry_at"))
        said = str(error)[:_MOST_ERROR_CHARS].encode("utf-8", "backslashreplace").decode()
        with self._context.database.write_unsynced() as connection:
            queue = numbers(connection, embedder)["queue"]
            step = connection.execute(_NEXT_STEP, (queue,)).get
            connection.executemany(
                _FAIL, ((due, step, said, queue, each.ticket, each.memory_id) for each in claimed)
            )

    def release(self, embedder: str, claimed: Sequence[Waiting]) -> None:
        """Give claimed memories back untried."""
        self._check(embedder)
        with self._context.database.write_unsynced() as connection:
            queue = numbers(connection, embedder)["queue"]
            connection.executemany(
                _RELEASE, ((queue, each.ticket, each.memory_id) for each in claimed)
            )

    def retry_failed(self, embedder: str) -> int:
        """Make all failed memories pending again and return how many they were."""
        self._check(embedder)
        now = to_us(self._context.now())
        with self._context.database.write() as connection:
            values = {**numbers(connection, embedder), "now": now}
            failed: int = connection.execute(
                f"SELECT count(*) {_FAILURES} AND q.due_at IS NULL", values
            ).get
            connection.execute(_RETRY, (values["queue"],))
        return failed

    def counts(self, embedder: str) -> QueueCounts:
        """Return how many memories are in which state, and write nothing.

        Reads what waits and what changed since the last claim; only of an embedder whose queue is
        not yet filled, all memories.
        """
        self._check(embedder)
        now = to_us(self._context.now())
        with self._context.database.snapshot() as connection:
            values = {**numbers(connection, embedder), "now": now}
            found = fetch(connection, QUEUE, (embedder,))
            if not found or found[0][1] is not None:
                counted = dict(fetch(connection, _COUNT, values))
            else:
                counted = dict(fetch(connection, _COUNT_QUEUED, values))
                new = connection.execute(_COUNT_NEW, {**values, "seq": found[0][2]}).get
                counted["pending"] = counted.get("pending", 0) + new
                living = connection.execute(_COUNT_LIVING, values).get
                lacking = (counted.get(name, 0) for name in ("pending", "processing", "failed"))
                counted["complete"] = living - sum(lacking)
        return QueueCounts(*(counted.get(name, 0) for name in QueueCounts._fields))

    def last_error(self, embedder: str) -> str | None:
        """Return what the newest failure that still stands said, None where there is none."""
        self._check(embedder)
        now = to_us(self._context.now())
        with self._context.database.snapshot() as connection:
            values = {**numbers(connection, embedder), "now": now}
            said: str | None = connection.execute(
                f"SELECT q.error {_FAILURES} AND q.error IS NOT NULL "
                "ORDER BY q.failure DESC LIMIT 1",
                values,
            ).get
        return said

    def _check(self, embedder: str) -> None:
        self._context.access.check_owner("see to what waits to be embedded")
        check_label(embedder, field="embedder")


def _end_of(lease_s: object, now: datetime) -> datetime:
    if isinstance(lease_s, int | float) and lease_s > 0:
        with suppress(OverflowError):
            return now + timedelta(seconds=lease_s)
    raise InvalidInputError(f"lease_s is {shown(lease_s)}: give a number of seconds above 0")


def _take(connection: apsw.Connection, queue: int, due: Sequence[Any], until: int) -> list[Waiting]:
    ticket = f"{queue}:{connection.execute(_NEXT_STEP, (queue,)).get}"
    connection.executemany(_TAKE, ((ticket, until, version, pk, queue) for pk, version, *_ in due))
    return [Waiting(id_, content, attempts, ticket) for _, _, id_, content, attempts in due]
