"""The change log: what changed, under numbers without gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.core.checks import check_limit
from engram_lab.core.clock import from_us, to_us
from engram_lab.core.sqlite.rows import fetch
from engram_lab.core.types import LogEntry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import apsw

    from engram_lab.core.sqlite.context import Context

__all__ = ["ChangeLog", "log", "log_many", "next_number"]

_INSERT: Final = "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


def next_number(connection: apsw.Connection) -> int:
    """Return the number of the next change; called within the transaction that writes it."""
    last: int = connection.execute("SELECT coalesce(max(seq), 0) FROM changes").get
    return last + 1


def log(
    connection: apsw.Connection,
    *,
    at: datetime,
    action: str,
    target: str,
    id: str,  # noqa: A002 - as the column is called
    version: int | None = None,
    author: str,
    reason: str | None,
) -> int:
    """Write one change and return its number."""
    number = next_number(connection)
    connection.execute(_INSERT, (number, to_us(at), action, target, id, version, author, reason))
    return number


def log_many(
    connection: apsw.Connection,
    entries: Iterable[tuple[str, str, int | None]],
    *,
    first: int,
    at: datetime,
    action: str,
    author: str,
    reason: str | None,
) -> None:
    """Write one change for each `(target, id, version)`, numbered from `first`."""
    moment = to_us(at)
    connection.executemany(
        _INSERT,
        (
            (number, moment, action, target, id_, version, author, reason)
            for number, (target, id_, version) in enumerate(entries, first)
        ),
    )


class ChangeLog:
    """Read what changed since a number: how a derived index catches up."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def last(self) -> int:
        """Return the number of the newest change, 0 where there is none."""
        with self._context.database.read() as connection:
            return next_number(connection) - 1

    def since(self, number: int, *, limit: int = 1000) -> list[LogEntry]:
        """Return the changes after `number`, oldest first, at most `limit`.

        Raises:
            AccessDeniedError: An agent asks; the log tells of every scope.
            InvalidInputError: A limit below 1.
        """
        self._context.access.check_owner("read the change log")
        check_limit(limit)
        with self._context.database.read() as connection:
            rows = fetch(
                connection,
                "SELECT seq, at, action, target, id, version, author, reason FROM changes "
                "WHERE seq > ? ORDER BY seq LIMIT ?",
                (number, limit),
            )
        return [
            LogEntry(
                number=row[0],
                at=from_us(row[1]),
                action=row[2],
                target=row[3],
                id=row[4],
                version=row[5],
                author=row[6],
                reason=row[7],
            )
            for row in rows
        ]
