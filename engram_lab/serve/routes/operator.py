"""`/v1/admin`: what whoever runs the server does; the admin token opens it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from engram_lab.core.errors import shown
from engram_lab.serve.answers import answer
from engram_lab.serve.control.records import Environment, Plan, Scope, TenantState
from engram_lab.serve.errors import AbsentError, InvalidRequestError
from engram_lab.serve.observing.kinds import KEY_CREATE, TENANT_CREATE, TENANT_DELETE, TENANT_UPDATE
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.keys import NewKeyOut, key_row
from engram_lab.serve.routes.shapes import REFUSALS, Body, Envelope, Label
from engram_lab.serve.routes.upkeep import AuditOut, audit_row
from engram_lab.serve.tenants.keys import make_key

if TYPE_CHECKING:
    from engram_lab.serve.control.records import Tenant
    from engram_lab.serve.services import Services

__all__ = ["router", "tenant_row"]

router = APIRouter(
    prefix="/v1/admin", tags=["operator"], route_class=GuardedRoute, responses=REFUSALS
)
OWN: Final = "-"
Slug = Annotated[str, Path(min_length=1, max_length=63)]


class NewTenant(Body):
    """A tenant to make."""

    slug: str = Field(min_length=1, max_length=63, examples=["acme"])
    name: Label | None = None
    plan: Plan = "free"
    owner: Label | None = None
    """The `sub` of the tokens of its first owner."""


class TenantChange(Body):
    """What to change of a tenant."""

    name: Label | None = None
    plan: Plan | None = None
    state: Literal["active", "suspended"] | None = None
    bundle: Label | None = None
    """Which of the served bundles answers it; `-` is the server's own configuration."""


class OperatorKey(Body):
    """A key to make for a tenant."""

    name: Label = "first"
    environment: Environment = "live"
    scopes: list[Scope] = Field(
        ["memories:read", "memories:write", "search", "admin"], min_length=1
    )


class TenantOut(BaseModel):
    """A tenant."""

    id: str
    slug: str
    name: str
    state: TenantState
    plan: Plan
    bundle: str | None
    created_at: datetime
    deleted_at: datetime | None


class ChainOut(BaseModel):
    """The audit of a tenant, and whether its chain is whole."""

    broken_at: int | None
    entries: list[AuditOut]


@router.get("/tenants", response_model=Envelope[list[TenantOut]])
@needs(None, tenant=False)
async def list_tenants(request: Request, state: TenantState | None = None) -> Response:
    """Return all tenants by name."""
    call, services = of(request)
    found = await services.control(services.plane.as_operator().tenants, state=state)
    return answer(call, [tenant_row(each) for each in found])


@router.post("/tenants", status_code=201, response_model=Envelope[TenantOut])
@needs(None, tenant=False, audited=TENANT_CREATE)
async def create_tenant(request: Request, body: NewTenant) -> Response:
    """Make a tenant, with its database."""
    call, services = of(request)
    made = await services.control(
        services.estate.provision, body.slug, name=body.name, plan=body.plan, owner=body.owner
    )
    call.target = made.tenant.id
    return answer(call, tenant_row(made.tenant), status=201)


@router.get("/tenants/{slug}", response_model=Envelope[TenantOut])
@needs(None, tenant=False)
async def get_tenant(request: Request, slug: Slug) -> Response:
    """Return a tenant."""
    call, services = of(request)
    return answer(call, tenant_row(await services.control(_known, services, slug)))


@router.patch("/tenants/{slug}", response_model=Envelope[TenantOut])
@needs(None, tenant=False, audited=TENANT_UPDATE)
async def change_tenant(request: Request, slug: Slug, body: TenantChange) -> Response:
    """Rename, suspend, resume, change the plan, or choose the bundle that answers."""
    call, services = of(request)
    tenant = await services.control(_changed, services, slug, body)
    call.target = tenant.id
    return answer(call, tenant_row(tenant))


@router.delete("/tenants/{slug}", response_model=Envelope[TenantOut])
@needs(None, tenant=False, audited=TENANT_DELETE)
async def delete_tenant(request: Request, slug: Slug) -> Response:
    """Delete a tenant: nobody gets in any more, and it is purged after a while."""
    call, services = of(request)
    tenant = await services.control(lambda: services.estate.delete(_known(services, slug).id))
    call.target = tenant.id
    return answer(call, tenant_row(tenant))


@router.post("/tenants/{slug}/keys", status_code=201, response_model=Envelope[NewKeyOut])
@needs(None, tenant=False, audited=KEY_CREATE)
async def create_key(request: Request, slug: Slug, body: OperatorKey) -> Response:
    """Make a key for a tenant, such as its first one."""
    call, services = of(request)
    tenant = await services.control(_known, services, slug)
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


@router.get("/tenants/{slug}/audit", response_model=Envelope[ChainOut])
@needs(None, tenant=False)
async def tenant_audit(
    request: Request,
    slug: Slug,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Return the audit of a tenant, and where its chain is broken if it is."""
    call, services = of(request)
    tenant = await services.control(_known, services, slug)
    await services.files.run(services.audit.flush)
    view = services.plane.as_operator()
    entries = await services.control(view.audit, tenant.id, limit=limit, before=before)
    broken = await services.control(view.broken_chain, tenant.id)
    return answer(call, {"broken_at": broken, "entries": [audit_row(each) for each in entries]})


def _known(services: Services, slug: str) -> Tenant:
    tenant = services.plane.tenant_by_slug(slug)
    if tenant is None:
        raise AbsentError("there is no tenant of this name: list them to see which there are")
    return tenant


def _changed(services: Services, slug: str, body: TenantChange) -> Tenant:
    """Carry out what is to change; a state last, as it may end what is going on."""
    tenant, estate = _known(services, slug), services.estate
    if body.bundle is not None:
        name = None if body.bundle == OWN else body.bundle
        if name is not None and name not in services.configurations.names:
            served = ", ".join(services.configurations.names) or "none"
            raise InvalidRequestError(
                f"no bundle {shown(name)} is served here: served are {served}"
            )
        tenant = services.plane.as_operator().assign_bundle(tenant.id, name)
    if body.name is not None or body.plan is not None:
        view = services.plane.as_operator()
        tenant = view.update_tenant(tenant.id, name=body.name, plan=body.plan)
    if body.state is not None:
        tenant = (estate.resume if body.state == "active" else estate.suspend)(tenant.id)
    return tenant


def tenant_row(tenant: Tenant) -> dict[str, Any]:
    """Return a tenant as it is sent."""
    return {name: getattr(tenant, name) for name in TenantOut.model_fields}
