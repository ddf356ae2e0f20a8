"""What the statements of the control plane need of a database, whichever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sqlalchemy import Connection, Row, Table
    from sqlalchemy.dialects.postgresql import Insert

__all__ = ["Database", "Mode"]

Mode = Literal["read", "write"]


class Database(Protocol):
    """Opens transactions. Errors inside one come out as errors of this package."""

    def revision(self) -> int | None:
        """Return what `ControlPlane.revision` does."""
        ...

    def entered(
        self, mode: Mode, *, tenant_id: str | None = None, user_id: str | None = None
    ) -> AbstractContextManager[Connection]:
        """Open a transaction in the name of somebody within a tenant, or of nobody yet."""
        ...

    def operated(self, mode: Mode) -> AbstractContextManager[Connection]:
        """Open a transaction in the name of whoever runs the server; one state while it reads."""
        ...

    def check_operated(self) -> None:
        """Refuse where nobody can act as the operator.

        Raises:
            UnavailableError: The database lets them in by an address that was not given.
        """
        ...

    def enter(self, connection: Connection, tenant_id: str) -> None:
        """Go on within another tenant, in the same transaction."""
        ...

    def lock(self, connection: Connection, what: str, *, shared: bool = False) -> None:
        """Wait until no other transaction holds the lock of this name; held until the end.

        Many may share it, while nobody holds it alone.
        """
        ...

    def lock_sums(self, connection: Connection) -> None:
        """Wait until nobody adds to the sums of days; who wants to, waits until the end."""
        ...

    def ask(
        self, question: str, *, connection: Connection | None = None, **values: str
    ) -> Sequence[Row[Any]]:
        """Answer one of `questions.QUESTIONS`, which nobody in particular asks."""
        ...

    def note_use(self, connection: Connection, last_used: Mapping[str, datetime]) -> None:
        """Note when keys of whichever tenants were used last; never an earlier moment."""
        ...

    def insert(self, table: Table) -> Insert:
        """Begin a statement that may go on with `on_conflict_do_nothing` and such."""
        ...

    def close(self) -> None:
        """Close all connections; a second call does nothing."""
        ...
