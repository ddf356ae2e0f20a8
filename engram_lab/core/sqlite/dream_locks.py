"""Who dreams of which workspace: one at a time, be it in another process."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from engram_lab.core.checks import check_label, check_workspace
from engram_lab.core.clock import from_us, to_us
from engram_lab.core.dreams import DreamLock
from engram_lab.core.errors import DreamLockedError, InvalidInputError, shown
from engram_lab.core.sqlite.dream_columns import DreamColumns
from engram_lab.core.sqlite.rows import fetch

if TYPE_CHECKING:
    from datetime import datetime

    import apsw

__all__ = ["DreamLocks", "check_lock", "ends_after"]

_SELECT: Final = "SELECT workspace, owner, taken_at, expires_at FROM dream_locks"
_DROP_EXPIRED: Final = "DELETE FROM dream_locks WHERE expires_at <= ?"
_TAKE: Final = (
    "INSERT INTO dream_locks VALUES (?, ?, ?, ?) ON CONFLICT (workspace) "
    "DO UPDATE SET expires_at = max(expires_at, excluded.expires_at) "
    "WHERE owner = excluded.owner"
)
_DROP: Final = "DELETE FROM dream_locks WHERE workspace = ? AND owner = ?"


def check_lock(connection: apsw.Connection, workspace: str, owner: str, *, at: datetime) -> None:
    """Refuse whoever has not got the lock, or no longer.

    Raises:
        DreamLockedError: Somebody else has it, or nobody.
    """
    rows = fetch(connection, f"{_SELECT} WHERE workspace = ?", (workspace,))
    held = [_lock_of(row) for row in rows]
    if held and held[0].expires_at > at:
        if held[0].owner == owner:
            return
        raise DreamLockedError(workspace, owner=held[0].owner, expires_at=held[0].expires_at)
    raise DreamLockedError(workspace, owner=None, expires_at=held[0].expires_at if held else None)


class DreamLocks(DreamColumns):
    """The locks of dreams."""

    def take_lock(self, workspace: str, *, owner: str, ttl_s: float) -> DreamLock:
        """Take the lock of a workspace, or lengthen one's own; one that has expired is nobody's.

        Raises:
            DreamLockedError: Somebody else has it.
            InvalidInputError: A malformed workspace or owner, or a life of 0 seconds or less.
            AccessDeniedError: An agent asks.
        """
        self._owner()
        check_workspace(workspace)
        check_label(owner, field="owner")
        now = self._context.now()
        until = ends_after(ttl_s, now, field="ttl_s")
        with self._context.database.write() as connection:
            connection.execute(_DROP_EXPIRED, (to_us(now),))
            connection.execute(_TAKE, (workspace, owner, to_us(now), to_us(until)))
            lock = _lock_of(fetch(connection, f"{_SELECT} WHERE workspace = ?", (workspace,))[0])
            if lock.owner != owner:
                raise DreamLockedError(workspace, owner=lock.owner, expires_at=lock.expires_at)
        return lock

    def release_lock(self, workspace: str, *, owner: str) -> None:
        """Let go of a lock, if it is still one's own.

        Raises:
            AccessDeniedError: An agent asks.
        """
        self._owner()
        with self._context.database.write() as connection:
            connection.execute(_DROP, (workspace, owner))

    def locks(self) -> list[DreamLock]:
        """Return the locks that have not expired, by workspace.

        Raises:
            AccessDeniedError: An agent asks.
        """
        self._owner()
        now = to_us(self._context.now())
        with self._context.database.read() as connection:
            rows = fetch(connection, f"{_SELECT} WHERE expires_at > ? ORDER BY workspace", (now,))
        return [_lock_of(row) for row in rows]


def ends_after(seconds: object, now: datetime, *, field: str) -> datetime:
    """Return the moment so many seconds from now.

    Raises:
        InvalidInputError: No number of seconds above 0, or beyond the year 9999.
    """
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0:
        with suppress(OverflowError):
            return now + timedelta(seconds=seconds)
    raise InvalidInputError(f"{field} is {shown(seconds)}: give a number of seconds above 0")


def _lock_of(row: tuple[str, str, int, int]) -> DreamLock:
    return DreamLock(
        workspace=row[0], owner=row[1], taken_at=from_us(row[2]), expires_at=from_us(row[3])
    )
