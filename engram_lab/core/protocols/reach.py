"""Who may reach what: workspaces with the scopes they give, and grants beyond an agent's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from engram_lab.core.scopes import GLOBAL_SCOPE

if TYPE_CHECKING:
    from engram_lab.core.scopes import Permission
    from engram_lab.core.types import Grant, Workspace

__all__ = ["Grants", "Workspaces"]


class Workspaces(Protocol):
    """The workspaces of a store. A memory that is put into a new one makes it.

    All may read them. Not guaranteed: that a policy holds before the next `Memories.clean_up`.
    """

    def all(self) -> list[Workspace]:
        """Return all workspaces by name."""
        ...

    def get(self, name: str) -> Workspace:
        """Return a workspace.

        Raises:
            NotFoundError: There is none of this name.
        """
        ...

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
        ...

    def remove(self, name: str) -> None:
        """Remove a workspace that holds nothing.

        Raises:
            NotFoundError: There is none of this name.
            ConflictError: It holds memories, forgotten ones too, or sessions; or is the default.
            AccessDeniedError: An agent without admin access to its scope.
        """
        ...


class Grants(Protocol):
    """The grants of a store. They count from the moment they are made until they are revoked.

    What an agent may do is said by `core.access`; a grant covers its scope and all below it.
    """

    def all(self, agent_id: str | None = None) -> list[Grant]:
        """Return the grants, of one agent where named; an agent sees its own alone."""
        ...

    def allow(self, agent_id: str, scope: str, permission: Permission) -> Grant:
        """Grant, or change what was granted on exactly this scope.

        Raises:
            InvalidInputError: An unknown permission, or a malformed agent or scope.
            AccessDeniedError: An agent without a grant of admin on the scope.
        """
        ...

    def revoke(self, agent_id: str, scope: str) -> None:
        """Take a grant back, at once.

        Raises:
            NotFoundError: There is no such grant.
            InvalidInputError: A malformed scope.
            AccessDeniedError: An agent without a grant of admin on the scope.
        """
        ...

    def may(self, scope: str, permission: Permission) -> bool:
        """Tell whether whoever asks may reach the scope.

        Raises:
            InvalidInputError: A malformed scope.
        """
        ...
