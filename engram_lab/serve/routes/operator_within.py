"""`/v1/admin`, within a tenant: its keys, its people, its audit, all that it holds.

What is done here stands in the audit of the tenant, with the operator's name to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from engram_lab.serve.answers import answer
from engram_lab.serve.control.records import Environment, Scope
from engram_lab.serve.control.whose import whose_chain
from engram_lab.serve.errors import AbsentError
from engram_lab.serve.observing.kinds import KEY_CREATE, MEMBER_PUT, MEMBER_REMOVE, TENANT_EXPORT
from engram_lab.serve.routes import transfer
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.keys import NewKeyOut, key_row
from engram_lab.serve.routes.members import MemberBody, MemberOut, Removed, UserId, member_row
from engram_lab.serve.routes.operator import Slug, known, of_tenant
from engram_lab.serve.routes.shapes import REFUSALS, Body, Envelope, Label
from engram_lab.serve.routes.upkeep import AuditOut, audit_row
from engram_lab.serve.tenants.keys import make_key

if TYPE_CHECKING:
    from engram_lab.serve.services import Services

__all__ = ["router"]

router = APIRouter(
    prefix="/v1/admin", tags=["operator"], route_class=GuardedRoute, responses=REFUSALS
)
Limit = Annotated[int, Query(ge=1, le=1000)]
Before = Annotated[int | None, Query(ge=1)]


class OperatorKey(Body):
    """A key to make for a tenant."""

    name: Label = Field("first", examples=["the agent in production"])
    environment: Environment = "live"
    scopes: list[Scope] = Field(
        ["memories:read", "memories:write", "search", "admin"], min_length=1
    )


class ChainOut(BaseModel):
    """A part of the audit, and whether its whole chain holds."""

    broken_at: int | None
    entries: list[AuditOut]


@router.post("/tenants/{slug}/keys", status_code=201, response_model=Envelope[NewKeyOut])
@needs(None, tenant=False, audited=KEY_CREATE)
async def create_key(request: Request, slug: Slug, body: OperatorKey) -> Response:
    """Make a key for a tenant, such as its first one."""
    call, services = of(request)
    tenant = await services.control(known, services, slug)
    of_tenant(call, tenant, told={"name": body.name, "scopes": body.scopes})
    made = await services.control(
        make_key,
        services.plane.within(tenant.id),
        services.minting,
        tenant_id=tenant.id,
        name=body.name,
        environment=body.environment,
        scopes=tuple(body.scopes),
        created_by=services.author(call),
    )
    call.target = made.key.id
    return answer(call, key_row(made.key) | {"secret": made.secret}, status=201)


@router.get("/tenants/{slug}/members", response_model=Envelope[list[MemberOut]])
@needs(None, tenant=False)
async def tenant_members(request: Request, slug: Slug) -> Response:
    """Return the members of a tenant by when they joined."""
    call, services = of(request)
    tenant = await services.control(known, services, slug)
    found = await services.control(services.plane.within(tenant.id).members)
    return answer(call, [member_row(each) for each in found])


@router.put("/tenants/{slug}/members/{user_id}", response_model=Envelope[MemberOut])
@needs(None, tenant=False, audited=MEMBER_PUT)
async def put_tenant_member(
    request: Request, slug: Slug, user_id: UserId, body: MemberBody
) -> Response:
    """Add a member to a tenant, or change the role of one: the way to an owner where none is left.

    How many its plan allows is asked of its own people alone.
    """
    call, services = of(request)
    tenant = await services.control(known, services, slug)
    of_tenant(call, tenant, told={"role": body.role})
    call.target = user_id
    put = services.plane.within(tenant.id).put_member
    member = await services.control(put, user_id, body.role, email=body.email, at=call.at)
    return answer(call, member_row(member))


@router.delete("/tenants/{slug}/members/{user_id}", response_model=Envelope[Removed])
@needs(None, tenant=False, audited=MEMBER_REMOVE)
async def remove_tenant_member(request: Request, slug: Slug, user_id: UserId) -> Response:
    """Remove a member of a tenant; the last owner stays."""
    call, services = of(request)
    tenant = await services.control(known, services, slug)
    of_tenant(call, tenant)
    call.target = user_id
    await services.control(services.plane.within(tenant.id).remove_member, user_id)
    return answer(call, {"id": user_id})


@router.get(
    "/tenants/{slug}/export",
    responses={
        200: {
            "description": "as `/v1/export` answers",
            "content": {kind: {} for kind in transfer.KINDS},
        }
    },
    response_class=StreamingResponse,
)
@needs(None, tenant=False, audited=TENANT_EXPORT)
async def export_tenant(
    request: Request,
    slug: Slug,
    table: Annotated[
        str, Query(max_length=64, description="which table, as Parquet or Arrow")
    ] = "memories",
    accept: Annotated[str, Header()] = "",
) -> Response:
    """Stream everything that a tenant has, as `/v1/export` does for its own people."""
    call, services = of(request)
    tenant = await services.control(known, services, slug)
    of_tenant(call, tenant)
    call.tenant = tenant
    try:
        return await transfer.export(request, table, accept)
    finally:
        call.tenant = None  # who is not asked for it, and has not used it either


@router.get("/audit", response_model=Envelope[ChainOut])
@needs(None, tenant=False)
async def own_audit(request: Request, limit: Limit = 100, before: Before = None) -> Response:
    """Return the audit of the server itself, and where its chain is broken if it is.

    It has what belongs to no tenant: starts and configurations, those who named no known tenant,
    and which tenants were purged.
    """
    call, services = of(request)
    await services.files.run(services.audit.flush)
    return answer(call, await _chain(services, None, limit, before))


@router.get("/tenants/{slug}/audit", response_model=Envelope[ChainOut])
@needs(None, tenant=False)
async def tenant_audit(
    request: Request, slug: Slug, limit: Limit = 100, before: Before = None
) -> Response:
    """Return the audit of a tenant, and where its chain is broken if it is.

    That of a purged tenant is kept: it is had by the tenant's id.
    """
    call, services = of(request)
    await services.files.run(services.audit.flush)
    whose = await services.control(whose_chain, services.plane, slug)
    if whose is None:
        raise AbsentError(
            "there is no tenant of this name, and no audit of this id: list tenants to see which "
            "there are, and see tenant.purge in /v1/admin/audit for those that were"
        )
    return answer(call, await _chain(services, whose, limit, before))


async def _chain(
    services: Services, whose: str | None, limit: int, before: int | None
) -> dict[str, Any]:
    view = services.plane.as_operator()
    entries = await services.control(view.audit, whose, limit=limit, before=before)
    broken = await services.control(view.broken_chain, whose)
    return {"broken_at": broken, "entries": [audit_row(each) for each in entries]}
