"""Workspaces: named parts of the store, the scope their memories inherit, their policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.checks import check_label, check_workspace
from engram_lab.core.clock import from_us, to_us
from engram_lab.core.drafts import DEFAULT_WORKSPACE
from engram_lab.core.errors import ConflictError, InvalidInputError, NotFoundError, shown
from engram_lab.core.scopes import GLOBAL_SCOPE, check_scope, is_within
from engram_lab.core.sqlite.rows import fetch
from engram_lab.core.types import Workspace

if TYPE_CHECKING:
    from datetime import datetime

    import apsw

    from engram_lab.core.sqlite.context import Context

__all__ = ["Workspaces", "check_policy", "default_scope", "inherited_scope", "make_if_new"]

_MAX_DAYS: Final = 36_500
_COLUMNS: Final = "name, scope, description, max_age_days, max_memories, created_at"


def inherited_scope(context: Context, connection: apsw.Connection, name: str) -> str:
    """Return the scope of a memory that names none.

    It is the workspace's; for an agent whose own scope lies within that, the agent's own.
    """
    row = connection.execute("SELECT scope FROM workspaces WHERE name = ?", (name,)).fetchone()
    principal = context.access.principal
    own = GLOBAL_SCOPE if principal is None else principal.scope
    if row is None:
        return own
    return own if principal is not None and is_within(own, row[0]) else str(row[0])


def default_scope(context: Context, connection: apsw.Connection, name: str, *, at: datetime) -> str:
    """Return `inherited_scope`, and make the workspace where it is new."""
    scope = inherited_scope(context, connection, name)
    make_if_new(connection, name, scope=scope, at=at)
    return scope


def make_if_new(connection: apsw.Connection, name: str, *, scope: str, at: datetime) -> None:
    """Make a workspace with this scope, unless there is one of this name."""
    connection.execute(
        "INSERT OR IGNORE INTO workspaces (name, scope, created_at) VALUES (?, ?, ?)",
        (name, scope, to_us(at)),
    )


class Workspaces:
    """The workspaces of the store. Remembering into a new one makes it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def all(self) -> list[Workspace]:
        """Return all workspaces by name."""
        with self._context.database.read() as connection:
            rows = fetch(connection, f"SELECT {_COLUMNS} FROM workspaces ORDER BY name")
        return [_workspace_of(row) for row in rows]

    def get(self, name: str) -> Workspace:
        """Return a workspace.

        Raises:
            NotFoundError: There is none of this name.
        """
        with self._context.database.read() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM workspaces WHERE name = ?", (name,)
            ).fetchone()
        if row is None:
            raise NotFoundError(f"there is no workspace {name!r}")
        return _workspace_of(row)

    def put(
        self,
        name: str,
        *,
        scope: str = GLOBAL_SCOPE,
        description: str | None = None,
        max_age_days: float | None = None,
        max_memories: int | None = None,
    ) -> Workspace:
        """Make a workspace, or replace the settings of one. Memories it holds keep their scope.

        Raises:
            InvalidInputError: A name, scope or policy that is not allowed.
            AccessDeniedError: An agent without admin access to the scope, old or new.
        """
        check_workspace(name)
        check_scope(scope)
        if description is not None:
            check_label(description, field="description", limit=4096)
        check_policy(max_age_days, max_memories)
        context = self._context
        now = context.now()
        with context.database.write() as connection:
            context.check_scope(connection, scope, "admin")
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM workspaces WHERE name = ?", (name,)
            ).fetchone()
            if row is not None:
                context.check_scope(connection, row[1], "admin")
            created = now if row is None else from_us(row[5])
            connection.execute(
                f"INSERT OR REPLACE INTO workspaces ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
                (name, scope, description, max_age_days, max_memories, to_us(created)),
            )
        return self.get(name)

    def remove(self, name: str) -> None:
        """Remove a workspace that holds nothing; what was once recalled in it stays on record.

        Raises:
            NotFoundError: There is none of this name.
            ConflictError: It holds memories, forgotten ones too, or sessions; or is the default.
            AccessDeniedError: An agent without admin access to its scope.
        """
        context = self._context
        with context.database.write() as connection:
            row = connection.execute(
                "SELECT scope, (SELECT count(*) FROM memories WHERE workspace = ?1), "
                "(SELECT count(*) FROM sessions WHERE workspace = ?1) "
                "FROM workspaces WHERE name = ?1",
                (name,),
            ).fetchone()
            if row is None:
                raise NotFoundError(f"there is no workspace {name!r}")
            scope, memories, sessions = row
            context.check_scope(connection, scope, "admin")
            if name == DEFAULT_WORKSPACE:
                raise ConflictError(f"the workspace {name!r} is always there: remove another one")
            if memories or sessions:
                raise ConflictError(
                    f"the workspace {name!r} holds {memories:,} memories (forgotten ones are "
                    f"counted) and {sessions:,} sessions: purge them or move them elsewhere first"
                )
            connection.execute("DELETE FROM workspaces WHERE name = ?", (name,))


def check_policy(max_age_days: object, max_memories: object) -> None:
    """Refuse a policy that cannot be carried out; None is no bound.

    Raises:
        InvalidInputError: Days outside 0 to 36500, or no whole number of memories from 1.
    """
    days = max_age_days
    if days is not None and (type(days) not in {int, float} or not 0 < days <= _MAX_DAYS):  # type: ignore[operator]
        raise InvalidInputError(f"max_age_days is {shown(days)}: allowed is up to {_MAX_DAYS}")
    if max_memories is not None and (type(max_memories) is not int or max_memories < 1):
        raise InvalidInputError(
            f"max_memories is {shown(max_memories)}: give a whole number from 1"
        )


def _workspace_of(row: tuple[Any, ...]) -> Workspace:
    return Workspace(
        name=row[0],
        scope=row[1],
        description=row[2],
        max_age_days=row[3],
        max_memories=row[4],
        created_at=from_us(row[5]),
    )
