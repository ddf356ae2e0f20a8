"""What every room of the store is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engram_lab.core.checks import check_label
from engram_lab.core.clock import from_us
from engram_lab.core.types import Grant

if TYPE_CHECKING:
    from datetime import datetime

    import apsw

    from engram_lab.core.access import Access
    from engram_lab.core.clock import Clock
    from engram_lab.core.drafts import Drafter
    from engram_lab.core.ids import IdSource
    from engram_lab.core.scopes import Permission
    from engram_lab.core.settings import StoreSettings
    from engram_lab.core.sqlite.database import Database

__all__ = ["Context", "grant_of"]


@dataclass(frozen=True, slots=True)
class Context:
    """The file, the time, the ids, the limits, and who asks."""

    database: Database
    clock: Clock
    ids: IdSource
    settings: StoreSettings
    drafter: Drafter
    access: Access

    def signature(self, author: str | None, reason: str | None) -> tuple[str, str | None]:
        """Return the author and reason to record; an agent writes under its own name alone.

        Raises:
            InvalidInputError: One is empty, too long or holds control characters.
        """
        if author is None or self.access.principal is not None:
            author = self.access.name
        if reason is not None:
            reason = check_label(reason, field="reason", limit=4096)
        return check_label(author, field="author"), reason

    def grants(self, connection: apsw.Connection) -> list[Grant]:
        """Return the grants of whoever asks."""
        principal = self.access.principal
        if principal is None:
            return []
        rows = connection.execute(
            "SELECT agent_id, scope, permission, granted_by, granted_at FROM grants "
            "WHERE agent_id = ?",
            (principal.agent_id,),
        )
        return [grant_of(row) for row in rows]

    def check_scope(self, connection: apsw.Connection, scope: str, needed: Permission) -> None:
        """Refuse a scope out of reach; called within the transaction that relies on it."""
        if self.access.principal is not None:
            self.access.check(scope, needed, self.grants(connection))

    def now(self) -> datetime:
        """Return the present moment."""
        return self.clock.now()


def grant_of(row: tuple[Any, ...]) -> Grant:
    """Return the grant of a row, its columns in the order of the record's fields."""
    return Grant(
        agent_id=row[0],
        scope=row[1],
        permission=row[2],
        granted_by=row[3],
        granted_at=from_us(row[4]),
    )
