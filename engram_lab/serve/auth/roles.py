"""What roles may do, and what one may hand on to others."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from engram_lab.serve.control.records import ROLES, SCOPES
from engram_lab.serve.errors import ForbiddenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engram_lab.serve.call import Actor
    from engram_lab.serve.control.records import Role, Scope

__all__ = ["check_role_granted", "check_scopes_granted", "role_of_scopes", "scopes_of_role"]

_READER: Final[frozenset[Scope]] = frozenset({"memories:read", "search"})
_WRITER: Final[frozenset[Scope]] = _READER | {"memories:write"}
_SCOPES: Final[Mapping[Role, frozenset[Scope]]] = MappingProxyType(
    {"viewer": _READER, "member": _WRITER, "admin": _WRITER | {"admin"}, "owner": frozenset(SCOPES)}
)


def scopes_of_role(role: Role) -> frozenset[Scope]:
    """Return what a member with this role may do."""
    return _SCOPES[role]


def role_of_scopes(scopes: Iterable[Scope]) -> Role | None:
    """Return the role that a key counts as: with `admin` an admin, else whose scopes it has.

    None is a key with less than any role has. No key counts as an owner.
    """
    held = frozenset(scopes)
    if "admin" in held:
        return "admin"
    if held >= _WRITER:
        return "member"
    return "viewer" if held >= _READER else None


def check_scopes_granted(actor: Actor, scopes: Iterable[Scope]) -> None:
    """Refuse that somebody makes a key that may do more than they may.

    Raises:
        ForbiddenError: It would have scopes that they do not have.
    """
    if more := sorted(set(scopes) - actor.scopes):
        raise ForbiddenError(
            f"a key may do no more than whoever makes it, who lacks {', '.join(more)}",
            details={"scopes": more},
        )


def check_role_granted(actor: Actor, role: Role) -> None:
    """Refuse that somebody gives, changes or takes a role above their own.

    Whoever runs the server may give any.

    Raises:
        ForbiddenError: The role is above theirs.
    """
    if actor.kind in {"operator", "local"}:
        return
    if actor.role is None or ROLES.index(role) > ROLES.index(actor.role):
        raise ForbiddenError(
            f"the role {role} is above that of whoever would give or take it",
            details={"role": role},
        )
