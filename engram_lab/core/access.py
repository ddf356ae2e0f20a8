"""Who may reach which scope.

The owner reaches everything. An agent reads its own scope and those above it, writes and purges in
its own scope alone, and needs a grant for anything else. A grant covers its scope and all below it;
admin includes write, write includes read. To give grants on a scope takes a grant of admin on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engram_lab.core.errors import AccessDeniedError
from engram_lab.core.scopes import Permission, ancestors, is_within, permits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engram_lab.core.types import Grant, Principal

__all__ = ["OWNER", "Access"]


@dataclass(frozen=True, slots=True)
class Access:
    """The reach of whoever asks; `principal` None is the owner."""

    principal: Principal | None = None

    @property
    def name(self) -> str:
        """The author that changes are recorded under unless another is named."""
        return "owner" if self.principal is None else self.principal.agent_id

    def allows(self, scope: str, needed: Permission, grants: Iterable[Grant]) -> bool:
        """Tell whether the scope may be reached; `grants` are those of this principal."""
        if self.principal is None:
            return True
        own = self.principal.scope
        if scope == own or (needed == "read" and scope in ancestors(own)):
            return True
        return any(
            is_within(scope, grant.scope) and permits(grant.permission, needed) for grant in grants
        )

    def administers(self, scope: str, grants: Iterable[Grant]) -> bool:
        """Tell whether grants on the scope may be given and taken back.

        Its own scope does not give an agent that right: a grant reaches further down than it does.
        """
        return self.principal is None or any(
            is_within(scope, grant.scope) and grant.permission == "admin" for grant in grants
        )

    def check(self, scope: str, needed: Permission, grants: Iterable[Grant]) -> None:
        """Refuse a scope out of reach.

        Raises:
            AccessDeniedError: Neither its own scope nor a grant allows it.
        """
        if not self.allows(scope, needed, grants):
            raise AccessDeniedError(
                f"agent {self.name!r} has no {needed} access to {scope!r}: "
                f"its owner may grant it with `grants.allow({self.name!r}, {scope!r}, {needed!r})`"
            )

    def check_owner(self, deed: str) -> None:
        """Refuse what is the owner's alone.

        Raises:
            AccessDeniedError: An agent asks.
        """
        if self.principal is not None:
            raise AccessDeniedError(
                f"agent {self.name!r} may not {deed}: this is for the owner of the store"
            )


OWNER = Access()
