"""Keeping the queue of an embedder level with the memories and the change log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.sqlite.changes import next_number
from engram_lab.core.sqlite.rows import fetch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

__all__ = ["CONTENT", "DROP", "HAS_VECTOR", "IS_OTHER", "QUEUE", "follow", "numbers"]

_AT_ONCE: Final = 20_000
CONTENT: Final = "coalesce(m.public_content, m.content)"
HAS_VECTOR: Final = (
    "EXISTS (SELECT 1 FROM vectors AS v WHERE v.pk = m.pk AND v.embedder = :embedder)"
)
IS_OTHER: Final = (
    "(q.version <> m.version AND (SELECT coalesce(old.public_content, old.content) "
    f"FROM versions AS old WHERE old.id = m.id AND old.version = q.version) IS NOT {CONTENT})"
)
"""Whether the content is another than the one that was claimed last; NULL before any claim."""

QUEUE: Final = "SELECT number, filled, seq FROM embedding_queues WHERE fingerprint = ?"
_NEW_QUEUE: Final = (
    "INSERT INTO embedding_queues (fingerprint, filled, seq, steps) "
    "SELECT ?, 0, coalesce(max(seq), 0), 0 FROM changes"
)
_FILL: Final = (
    "INSERT OR IGNORE INTO embedding_queue (pk, queue, since, due_at, attempts) "
    "SELECT m.pk, :queue, m.pk, 0, 0 FROM memories AS m WHERE m.pk > :first AND m.pk <= :last "
    f"AND m.forgotten_at IS NULL AND NOT {HAS_VECTOR} ORDER BY m.pk"
)
_CONCERNED: Final = (
    f"SELECT m.pk, c.seq, {HAS_VECTOR}, m.forgotten_at, q.pk, q.due_at, {IS_OTHER} "
    "FROM (SELECT id, max(seq) AS seq FROM changes WHERE seq > :first AND seq <= :last "
    "AND target IN ('memory', 'vector') GROUP BY id) AS c CROSS JOIN memories AS m ON m.id = c.id "
    "LEFT JOIN embedding_queue AS q ON q.pk = m.pk AND q.queue = :queue ORDER BY c.seq"
)
_ADD: Final = (
    "INSERT OR REPLACE INTO embedding_queue (pk, queue, since, due_at, attempts) "
    "VALUES (?, ?, ?, 0, 0)"
)
_NEXT_MEMORIES: Final = (
    "SELECT max(pk), count(*) FROM (SELECT pk FROM memories WHERE pk > ? ORDER BY pk LIMIT ?)"
)
DROP: Final = "DELETE FROM embedding_queue WHERE pk = ? AND queue = ?"


def numbers(connection: apsw.Connection, embedder: str) -> dict[str, Any]:
    """Return the numbers of a queue and of its embedder: None for what is not known."""
    find = "SELECT number FROM {} WHERE fingerprint = ?"
    return {
        "queue": connection.execute(find.format("embedding_queues"), (embedder,)).get,
        "embedder": connection.execute(find.format("embedders"), (embedder,)).get,
    }


def follow(connection: apsw.Connection, embedder: str) -> bool:
    """Go on filling the queue, then taking in what changed, one step; True where nothing is left.

    Both come to the same: a memory waits as it is now, whatever led there.
    """
    found = fetch(connection, QUEUE, (embedder,))
    if not found:
        connection.execute(_NEW_QUEUE, (embedder,))
        found = fetch(connection, QUEUE, (embedder,))
    queue, filled, seq = found[0]
    values = numbers(connection, embedder)
    if filled is not None:
        until, count = fetch(connection, _NEXT_MEMORIES, (filled, _AT_ONCE))[0]
        connection.execute(_FILL, {**values, "first": filled, "last": until})
        filled = until if count == _AT_ONCE else None
        connection.execute(
            "UPDATE embedding_queues SET filled = ? WHERE number = ?", (filled, queue)
        )
        if filled is not None:
            return False
    last = next_number(connection) - 1
    until = min(seq + _AT_ONCE, last)
    if until > seq:
        rows = fetch(connection, _CONCERNED, {**values, "first": seq, "last": until})
        _take_in(connection, queue, rows)
        connection.execute("UPDATE embedding_queues SET seq = ? WHERE number = ?", (until, queue))
    return bool(until == last)


def _take_in(connection: apsw.Connection, queue: int, rows: Sequence[Any]) -> None:
    dropped, added = [], []
    for pk, seq, has_vector, forgotten, queued, due, is_other in rows:
        if has_vector or forgotten is not None:
            # A failure outlives being forgotten, as nobody asked to try again.
            if queued is not None and (has_vector or due is not None):
                dropped.append((pk, queue))
        elif queued is None or is_other:
            added.append((pk, queue, seq))
    connection.executemany(DROP, dropped)
    connection.executemany(_ADD, added)
