"""Grants: leave for an agent to reach a scope and all below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.core.checks import check_label
from engram_lab.core.clock import to_us
from engram_lab.core.errors import AccessDeniedError, NotFoundError
from engram_lab.core.scopes import Permission, check_permission, check_scope
from engram_lab.core.sqlite.context import grant_of
from engram_lab.core.sqlite.rows import fetch

if TYPE_CHECKING:
    import apsw

    from engram_lab.core.sqlite.context import Context
    from engram_lab.core.types import Grant

__all__ = ["Grants"]


class Grants:
    """The grants of the store. They count from the moment they are made until they are revoked."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def all(self, agent_id: str | None = None) -> list[Grant]:
        """Return the grants, of one agent where named; an agent sees its own alone."""
        principal = self._context.access.principal
        agent = agent_id if principal is None else principal.agent_id
        with self._context.database.read() as connection:
            rows = fetch(
                connection,
                "SELECT agent_id, scope, permission, granted_by, granted_at FROM grants "
                "WHERE ?1 IS NULL OR agent_id = ?1 ORDER BY agent_id, scope",
                (agent,),
            )
        return [grant_of(row) for row in rows]

    def allow(self, agent_id: str, scope: str, permission: Permission) -> Grant:
        """Grant, or change what was granted on exactly this scope.

        Raises:
            InvalidInputError: An unknown permission, or a malformed agent or scope.
            AccessDeniedError: An agent without a grant of admin on the scope.
        """
        check_label(agent_id, field="agent_id")
        check_scope(scope)
        check_permission(permission)
        context = self._context
        now = to_us(context.now())
        row = (agent_id, scope, permission, context.access.name, now)
        with context.database.write() as connection:
            self._check_administers(connection, scope)
            connection.execute("INSERT OR REPLACE INTO grants VALUES (?, ?, ?, ?, ?)", row)
        return grant_of(row)

    def revoke(self, agent_id: str, scope: str) -> None:
        """Take a grant back, at once.

        Raises:
            NotFoundError: There is no such grant.
            AccessDeniedError: An agent without a grant of admin on the scope.
        """
        context = self._context
        with context.database.write() as connection:
            self._check_administers(connection, check_scope(scope))
            connection.execute(
                "DELETE FROM grants WHERE agent_id = ? AND scope = ?", (agent_id, scope)
            )
            if not connection.changes():
                raise NotFoundError(f"agent {agent_id!r} has no grant on {scope!r}")

    def _check_administers(self, connection: apsw.Connection, scope: str) -> None:
        access = self._context.access
        if not access.administers(scope, self._context.grants(connection)):
            raise AccessDeniedError(
                f"agent {access.name!r} has no grant of admin on {scope!r}: its owner may give one"
            )

    def may(self, scope: str, permission: Permission) -> bool:
        """Tell whether whoever asks may reach the scope.

        Raises:
            InvalidInputError: An unknown permission, or a malformed scope.
        """
        check_scope(scope)
        check_permission(permission)
        context = self._context
        with context.database.read() as connection:
            grants = context.grants(connection)
        return context.access.allows(scope, permission, grants)
