"""`/v1/admin`: what whoever runs the server does; the admin token opens it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from engram_lab.core.errors import EngramError, shown
from engram_lab.serve.answers import answer
from engram_lab.serve.control.records import Plan, TenantState, changes
from engram_lab.serve.errors import AbsentError, InvalidRequestError
from engram_lab.serve.observing.kinds import TENANT_CREATE, TENANT_DELETE, TENANT_UPDATE
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.shapes import REFUSALS, Body, Envelope, Label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.serve.call import Call
    from engram_lab.serve.control.records import Tenant
    from engram_lab.serve.services import Services

__all__ = ["Slug", "known", "of_tenant", "router", "tenant_row"]

router = APIRouter(
    prefix="/v1/admin", tags=["operator"], route_class=GuardedRoute, responses=REFUSALS
)
OWN: Final = "-"
Slug = Annotated[str, Path(min_length=1, max_length=63)]


class NewTenant(Body):
    """A tenant to make."""

    slug: str = Field(min_length=1, max_length=63, examples=["acme"])
    name: Label | None = None
    plan: Plan = Field("free", examples=["team"])
    owner: Label | None = None
    """The `sub` of the tokens of its first owner."""


class TenantChange(Body):
    """What to change of a tenant."""

    name: Label | None = None
    plan: Plan | None = Field(None, examples=["team"])
    state: Literal["active", "suspended"] | None = None
    bundle: Label | None = None
    """Which of the served bundles answers it; `-` is the server's own configuration."""


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
    of_tenant(call, made.tenant, told={"plan": body.plan, "owner": body.owner})
    return answer(call, tenant_row(made.tenant), status=201)


@router.get("/tenants/{slug}", response_model=Envelope[TenantOut])
@needs(None, tenant=False)
async def get_tenant(request: Request, slug: Slug) -> Response:
    """Return a tenant."""
    call, services = of(request)
    return answer(call, tenant_row(await services.control(known, services, slug)))


@router.patch("/tenants/{slug}", response_model=Envelope[TenantOut])
@needs(None, tenant=False, audited=TENANT_UPDATE)
async def change_tenant(request: Request, slug: Slug, body: TenantChange) -> Response:
    """Rename, suspend, resume, change the plan, or choose the bundle that answers."""
    call, services = of(request)
    former = await services.control(known, services, slug)
    of_tenant(call, former)
    try:
        tenant = await services.control(_changed, services, former, body)
    except EngramError:  # what came before it is changed all the same
        now = await services.control(services.plane.tenant, former.id)
        of_tenant(call, former, told=changes(former, now or former))
        raise
    of_tenant(call, tenant, told=changes(former, tenant))
    return answer(call, tenant_row(tenant))


@router.delete("/tenants/{slug}", response_model=Envelope[TenantOut])
@needs(None, tenant=False, audited=TENANT_DELETE)
async def delete_tenant(request: Request, slug: Slug) -> Response:
    """Delete a tenant: nobody gets in any more, and it is purged after a while."""
    call, services = of(request)
    found = await services.control(known, services, slug)
    of_tenant(call, found)
    return answer(call, tenant_row(await services.control(services.estate.delete, found.id)))


def known(services: Services, slug: str) -> Tenant:
    """Return the tenant of a name, whatever its state. Asks the control plane.

    Raises:
        AbsentError: There is none.
    """
    tenant = services.plane.tenant_by_slug(slug)
    if tenant is None:
        raise AbsentError("there is no tenant of this name: list them to see which there are")
    return tenant


def of_tenant(call: Call, tenant: Tenant, *, told: Mapping[str, Any] | None = None) -> None:
    """Have what the operator does to a tenant stand in the audit of that tenant."""
    call.chain, call.told = tenant.id, told
    call.target = tenant.id


def _changed(services: Services, tenant: Tenant, body: TenantChange) -> Tenant:
    """Carry out what is to change; a state last, as it may end what is going on."""
    estate = services.estate
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
