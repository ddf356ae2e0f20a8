"""Whether whoever asks belongs to the tenant that they ask for, and may do what they ask."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engram_lab.serve.auth.roles import role_of_scopes, scopes_of_role
from engram_lab.serve.errors import (
    ForbiddenError,
    TenantNotFoundError,
    TenantSuspendedError,
    UnauthorizedError,
)

if TYPE_CHECKING:
    from engram_lab.serve.call import Actor, Call
    from engram_lab.serve.control.records import Member, Scope, Tenant

__all__ = ["check_entry"]


def check_entry(call: Call, member: Member | None) -> Actor:
    """Return who asks, with the role and the scopes that they have in the tenant.

    To whoever does not belong to a tenant, it looks as if there were none, suspended or not.

    Args:
        call: With its tenant, actor and needs.
        member: The membership of a user in that tenant, None where there is none.

    Raises:
        UnauthorizedError: Nobody was recognised.
        TenantNotFoundError: There is no such tenant, it was deleted, or it is none of theirs.
        TenantSuspendedError: Nobody gets in.
        ForbiddenError: The scope is missing, or it is the operator's route, or the operator.
    """
    actor = call.actor
    if actor is None:
        raise UnauthorizedError("nobody is known to ask", headers={"WWW-Authenticate": "Bearer"})
    if call.needs is not None and not call.needs.tenant:
        return _operator(actor)
    if actor.kind == "operator":
        raise ForbiddenError(
            "the admin token opens the operator's routes alone: give a key of the tenant"
        )
    tenant = call.tenant
    if tenant is None or tenant.state == "deleted":
        raise _no_tenant()
    actor = _belonging(actor, tenant, member)
    if tenant.state != "active":
        raise TenantSuspendedError("this tenant is suspended: ask whoever runs the server")
    if call.needs is not None:
        for scope in (call.needs.scope, call.needs.also):
            if scope is not None:
                _check_scope(actor, scope)
    return actor


def _operator(actor: Actor) -> Actor:
    if actor.kind not in {"operator", "local"}:
        raise ForbiddenError("this is for whoever runs the server: give the admin token")
    return actor


def _belonging(actor: Actor, tenant: Tenant, member: Member | None) -> Actor:
    """Return the actor with what they may do here, if they belong here."""
    if actor.kind == "local":
        return actor
    if actor.kind == "key":
        if actor.tenant_id != tenant.id:
            raise _no_tenant()
        return replace(actor, role=role_of_scopes(actor.scopes))
    if member is None or member.tenant_id != tenant.id or member.user_id != actor.id:
        raise _no_tenant()
    return replace(actor, role=member.role, scopes=scopes_of_role(member.role), tenant_id=tenant.id)


def _check_scope(actor: Actor, scope: Scope) -> None:
    """Refuse who lacks a scope. Source: RFC 6750, section 3.1, of `insufficient_scope`."""
    if scope not in actor.scopes:
        raise ForbiddenError(
            f"this takes the scope {scope}, which the key or role does not have",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
            details={"scope": scope},
        )


def _no_tenant() -> TenantNotFoundError:
    return TenantNotFoundError("there is no such tenant, or none that this credential belongs to")
