"""Texts that wait to be put before an agent: for each workspace a queue, first in, first out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.checks import check_label, check_limit, check_workspace
from engram_lab.core.clock import from_us, to_us
from engram_lab.core.dreams import Injection
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.sqlite.dream_locks import ends_after
from engram_lab.core.sqlite.rows import fetch, optional_time, optional_us
from engram_lab.core.text import clean_text

if TYPE_CHECKING:
    from engram_lab.core.sqlite.context import Context

__all__ = ["Injections"]

_INSERT: Final = (
    "INSERT INTO pending_injections (id, workspace, content, source, created_at, expires_at) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
_WAITING: Final = (
    "SELECT number, id, workspace, content, source, created_at, expires_at FROM pending_injections "
    "WHERE workspace = ? AND (expires_at IS NULL OR expires_at > ?) ORDER BY number LIMIT ?"
)
_DROP_EXPIRED: Final = "DELETE FROM pending_injections WHERE expires_at <= ?"


class Injections:
    """The texts that wait; for the owner alone, as they stand in no scope."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def put(
        self,
        content: str,
        *,
        workspace: str = "default",
        source: str | None = None,
        ttl_s: float | None = None,
    ) -> Injection:
        """Add a text at the end of the queue.

        Raises:
            InvalidInputError: No text, a malformed workspace, or a life of 0 seconds or less.
            AccessDeniedError: An agent asks.
        """
        context = self._context
        self._owner()
        at = context.now()
        text = clean_text(content, field="content")
        if not text.strip():
            raise InvalidInputError("content is empty: an injection needs a text")
        if len(text) > context.settings.max_content_chars:
            raise InvalidInputError(
                f"content has {len(text)} characters: at most {context.settings.max_content_chars} "
                "are allowed (store.max_content_chars)"
            )
        with context.database.write() as connection:
            injection = Injection(
                id=context.ids.new(at),
                workspace=check_workspace(workspace),
                content=text,
                source=None if source is None else check_label(source, field="source"),
                created_at=at,
                expires_at=None if ttl_s is None else ends_after(ttl_s, at, field="ttl_s"),
            )
            connection.execute(
                _INSERT,
                (
                    injection.id,
                    injection.workspace,
                    injection.content,
                    injection.source,
                    to_us(at),
                    optional_us(injection.expires_at),
                ),
            )
        return injection

    def take(self, *, workspace: str = "default", limit: int = 100) -> list[Injection]:
        """Return the oldest that have not expired and remove them, in one transaction.

        Raises:
            InvalidInputError: A malformed workspace, or a limit below 1.
            AccessDeniedError: An agent asks.
        """
        self._owner()
        check_workspace(workspace)
        check_limit(limit)
        now = to_us(self._context.now())
        with self._context.database.write() as connection:
            connection.execute(_DROP_EXPIRED, (now,))
            rows = fetch(connection, _WAITING, (workspace, now, limit))
            connection.executemany(
                "DELETE FROM pending_injections WHERE number = ?", ((row[0],) for row in rows)
            )
        return [_injection_of(row) for row in rows]

    def waiting(self, *, workspace: str = "default") -> list[Injection]:
        """Return what waits, oldest first, and leave it there.

        Raises:
            AccessDeniedError: An agent asks.
        """
        self._owner()
        now = to_us(self._context.now())
        with self._context.database.read() as connection:
            rows = fetch(connection, _WAITING, (check_workspace(workspace), now, -1))
        return [_injection_of(row) for row in rows]

    def _owner(self) -> None:
        self._context.access.check_owner("put texts before agents, nor take them")


def _injection_of(row: tuple[Any, ...]) -> Injection:
    return Injection(
        id=row[1],
        workspace=row[2],
        content=row[3],
        source=row[4],
        created_at=from_us(row[5]),
        expires_at=optional_time(row[6]),
    )
