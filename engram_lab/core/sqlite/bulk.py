"""The memories as derived indexes are made from them: texts and vectors in bulk, and what changed.

The numbers of the change log have no gaps, so that a range of them says how many changes it holds.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import orjson

from engram_lab.core.checks import check_label, check_limit
from engram_lab.core.errors import InvalidInputError, StoreCorruptError, shown
from engram_lab.core.protocols import TextChanges, VectorChanges
from engram_lab.core.sqlite.changes import next_number
from engram_lab.core.sqlite.database import MEMORY
from engram_lab.core.sqlite.relations import Relations
from engram_lab.core.sqlite.rows import fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import apsw
    from numpy.typing import NDArray

__all__ = ["Bulk"]

T = TypeVar("T", TextChanges, VectorChanges)

_CHANGE: Final = (
    "SELECT (SELECT hex(mark) FROM store_mark), seq, at, action, target, id, version, author "
    "FROM changes"
)
"""All of a change but its reason, which a purge blanks: what a log keeps for ever."""

_STAMP: Final = f"{_CHANGE} WHERE seq = ?"
_HEAD: Final = f"{_CHANGE} ORDER BY seq DESC LIMIT 1"

_STAMP_CHARS: Final = 32

_TEXTS: Final = "SELECT pk, content, tags FROM searchable ORDER BY pk"
_CHANGED_TEXTS: Final = """
SELECT m.pk, coalesce(m.public_content, m.content), m.tags, m.forgotten_at IS NULL
FROM (SELECT DISTINCT id FROM changes WHERE seq > ? AND seq <= ? AND target = 'memory') AS c
CROSS JOIN memories AS m ON m.id = c.id ORDER BY m.pk
"""
_VECTORS: Final = """
SELECT v.pk, v.data FROM vectors AS v CROSS JOIN memories AS m ON m.pk = v.pk
WHERE v.embedder = ? AND m.forgotten_at IS NULL ORDER BY v.pk
"""
_CHANGED_VECTORS: Final = """
SELECT m.pk, CASE WHEN m.forgotten_at IS NULL THEN v.data END
FROM (SELECT DISTINCT id FROM changes
      WHERE seq > ? AND seq <= ? AND target IN ('memory', 'vector')) AS c
CROSS JOIN memories AS m ON m.id = c.id
LEFT JOIN vectors AS v ON v.pk = m.pk AND v.embedder = ? ORDER BY m.pk
"""
_PURGED: Final = (
    "SELECT EXISTS (SELECT 1 FROM changes "
    "WHERE seq > ? AND seq <= ? AND target = 'memory' AND action = 'purge')"
)
_NONE: Final = np.empty(0, np.int64)
_NONE.flags.writeable = False


class Bulk(Relations):
    """The log, texts and vectors of the store; for its owner alone."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take first what reads may have to wait for, before any lock of one's own.

        A database in memory has one connection, which a transaction keeps from other threads.
        """
        database = self._context.database
        with database.read() if database.path == MEMORY else nullcontext():
            yield

    def last(self) -> int:
        """Return the number of the newest change, 0 where there is none."""
        with self._context.database.read() as connection:
            return next_number(connection) - 1

    def head(self) -> tuple[int, str]:
        """Return the number of the newest change and its stamp.

        Raises:
            AccessDeniedError: An agent asks.
        """
        self._owner()
        with self._context.database.read() as connection:
            found = connection.execute(_HEAD).fetchone()
        return (0, "") if found is None else (found[1], self._stamp_of(found))

    def stamp(self, number: int) -> str | None:
        """Return what tells the history up to a change from that of any other store.

        Made of the store's own mark, which its copies share, and of the change itself, by which a
        copy differs that went another way. A change that got the number of one that was undone
        after somebody had looked, here within its transaction, has another stamp too.

        Raises:
            AccessDeniedError: An agent asks.
        """
        self._owner()
        if number == 0:
            return ""
        database = self._context.database
        with database.read() as connection:
            found = connection.execute(_STAMP, (number,)).fetchone()
            if connection.in_transaction:
                database.undone.look(number)
        return None if found is None else self._stamp_of(found)

    def _stamp_of(self, change: tuple[Any, ...]) -> str:
        if times := self._context.database.undone.times(change[1]):
            change = (*change, times)
        return sha256(orjson.dumps(change)).hexdigest()[:_STAMP_CHARS]

    def text_changes(self, after: int, *, limit: int = 10_000) -> TextChanges:
        """Return the texts of memories that changes after a number concern, all of one state.

        Raises:
            InvalidInputError: A number below 0, or a limit below 1.
            AccessDeniedError: An agent asks.
        """
        self._owner()
        with self._context.database.snapshot() as connection:
            number = _reach(connection, after, limit)
            rows = fetch(connection, _CHANGED_TEXTS, (after, number))
            purged = bool(connection.execute(_PURGED, (after, number)).get)
        gone = [row[0] for row in rows if not row[3]]
        return _texts([row for row in rows if row[3]], number)._replace(
            gone=np.array(gone, np.int64), purged=purged
        )

    def all_texts(self, *, batch_rows: int = 16_384) -> Iterator[TextChanges]:
        """Yield all texts that may be searched, by rising key, all of one state.

        At least one batch, be it empty, so that its number is known. It holds one reader until it
        ends or is closed, and never more than a batch; but of a store in memory, and inside a
        transaction, it holds all.

        Raises:
            InvalidInputError: Batches of less than 1 row.
            AccessDeniedError: An agent asks.
        """
        self._owner()
        check_limit(batch_rows, field="batch_rows")

        def batches(connection: apsw.Connection) -> Iterator[TextChanges]:
            number = next_number(connection) - 1
            for rows in _chunks(connection.execute(_TEXTS), batch_rows):
                yield _texts(rows, number)

        return self._streamed(batches)

    def vector_changes(self, embedder: str, after: int, *, limit: int = 10_000) -> VectorChanges:
        """Return the vectors of memories that changes after a number concern, all of one state.

        Raises:
            InvalidInputError: A number below 0, or a limit below 1.
            AccessDeniedError: An agent asks.
        """
        self._owner()
        check_label(embedder, field="embedder")
        with self._context.database.snapshot() as connection:
            number = _reach(connection, after, limit)
            known, dim = _embedder(connection, embedder)
            rows = fetch(connection, _CHANGED_VECTORS, (after, number, known))
            purged = bool(connection.execute(_PURGED, (after, number)).get)
        gone = [row[0] for row in rows if row[1] is None]
        return _vectors([row for row in rows if row[1] is not None], dim, number)._replace(
            gone=np.array(gone, np.int64), purged=purged
        )

    def all_vectors(self, embedder: str, *, batch_rows: int = 16_384) -> Iterator[VectorChanges]:
        """Yield all vectors of an embedder that may be searched, by rising key, of one state.

        At least one batch; see `all_texts`. One of an embedder without vectors is float32 [0, 0].

        Raises:
            InvalidInputError: Batches of less than 1 row.
            AccessDeniedError: An agent asks.
        """
        self._owner()
        check_label(embedder, field="embedder")
        check_limit(batch_rows, field="batch_rows")

        def batches(connection: apsw.Connection) -> Iterator[VectorChanges]:
            number = next_number(connection) - 1
            known, dim = _embedder(connection, embedder)
            for rows in _chunks(connection.execute(_VECTORS, (known,)), batch_rows):
                yield _vectors(rows, dim, number)

        return self._streamed(batches)

    def _streamed(self, batches: Callable[[apsw.Connection], Iterator[T]]) -> Iterator[T]:
        with self._context.database.snapshot() as connection:
            if connection.readonly("main"):
                yield from batches(connection)
                return
            held = list(batches(connection))  # what it wrote meanwhile would be among rows unread
        yield from held

    def alive(self) -> NDArray[np.int64]:
        """Return the keys of all memories that may be searched: int64 [n], rising.

        Raises:
            AccessDeniedError: An agent asks.
        """
        self._owner()
        with self._context.database.read() as connection:
            # No name holds the cursor: it must be gone before another thread has the connection.
            return np.fromiter(
                (pk for (pk,) in connection.execute("SELECT pk FROM searchable ORDER BY pk")),
                np.int64,
            )

    def _owner(self) -> None:
        self._context.access.check_owner("read the change log, nor texts and vectors in bulk")


def _reach(connection: apsw.Connection, after: int, limit: int) -> int:
    """Return the number up to which changes are taken."""
    given: Any = after
    if not isinstance(given, int | np.integer) or given < 0:
        raise InvalidInputError(f"after is {shown(after)}: give the number of a change, or 0")
    return min(int(after) + check_limit(limit), next_number(connection) - 1)


def _embedder(connection: apsw.Connection, fingerprint: str) -> tuple[int | None, int]:
    """Return the number and the dimension of an embedder; None and 0 where it has no vectors."""
    found = fetch(
        connection, "SELECT number, dim FROM embedders WHERE fingerprint = ?", (fingerprint,)
    )
    return found[0] if found else (None, 0)


def _chunks(rows: Iterable[Any], most: int) -> Iterator[list[Any]]:
    """Yield rows in lists of at most so many; where there is no row, one empty list."""
    remaining = iter(rows)
    chunk = list(islice(remaining, most))
    yield chunk
    while chunk := list(islice(remaining, most)):
        yield chunk


def _texts(rows: Sequence[Any], number: int) -> TextChanges:
    return TextChanges(
        number=number,
        keys=np.fromiter((row[0] for row in rows), np.int64, len(rows)),
        contents=[row[1] for row in rows],
        tags=[() if row[2] == "[]" else tuple(orjson.loads(row[2])) for row in rows],
        gone=_NONE,
        purged=False,
    )


def _vectors(rows: Sequence[Any], dim: int, number: int) -> VectorChanges:
    if any(len(row[1]) != 4 * dim for row in rows):
        raise StoreCorruptError("a vector is damaged: restore one with `engram backup restore`")
    joined = bytearray().join(row[1] for row in rows)
    return VectorChanges(
        number=number,
        keys=np.fromiter((row[0] for row in rows), np.int64, len(rows)),
        values=np.frombuffer(joined, dtype="<f4").reshape(len(rows), dim),
        gone=_NONE,
        purged=False,
    )
