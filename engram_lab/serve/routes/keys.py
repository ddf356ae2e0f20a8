"""`/v1/keys`: make, list, rotate and revoke the keys of a tenant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, Field

from engram_lab.serve.answers import answer
from engram_lab.serve.auth import check_scopes_granted
from engram_lab.serve.control.records import Environment, Scope
from engram_lab.serve.observing.kinds import KEY_CREATE, KEY_REVOKE, KEY_ROTATE
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.shapes import REFUSALS, Body, Envelope, Label
from engram_lab.serve.tenants.keys import make_key, replace_key

if TYPE_CHECKING:
    from engram_lab.serve.control.records import ApiKey

__all__ = ["router"]

router = APIRouter(tags=["keys"], route_class=GuardedRoute, responses=REFUSALS)
Id = Annotated[str, Path(min_length=1, max_length=64)]
_ALL: tuple[Scope, ...] = ("memories:read", "memories:write", "search")


class NewKeyBody(Body):
    """A key to make."""

    name: Label = Field(examples=["the agent in production"])
    environment: Environment = "live"
    scopes: list[Scope] = Field(list(_ALL), min_length=1, examples=[["memories:read", "search"]])
    expires_at: AwareDatetime | None = None


class RotateBody(Body):
    """How long the old key goes on beside the new one."""

    overlap_s: float = Field(86_400.0, ge=0, le=2_592_000, examples=[3_600])


class KeyOut(BaseModel):
    """A key, without its secret."""

    id: str
    name: str
    prefix: str
    environment: Environment
    scopes: list[Scope]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewKeyOut(KeyOut):
    """A new key: `secret` is shown this once."""

    secret: str


@router.get("/v1/keys", response_model=Envelope[list[KeyOut]])
@needs("admin")
async def list_keys(request: Request) -> Response:
    """Return all keys, the newest first; those that were revoked stay listed."""
    call, services = of(request)
    keys = await services.control(services.within(call).keys)
    return answer(call, [key_row(each) for each in keys])


@router.post("/v1/keys", status_code=201, response_model=Envelope[NewKeyOut])
@needs("admin", audited=KEY_CREATE)
async def create_key(request: Request, body: NewKeyBody) -> Response:
    """Make a key. Its secret is in this answer, and nowhere else."""
    call, services = of(request)
    check_scopes_granted(services.actor(call), body.scopes)
    made = await services.control(
        make_key,
        services.within(call),
        services.minting,
        tenant_id=call.within.id,
        name=body.name,
        environment=body.environment,
        scopes=tuple(body.scopes),
        created_by=services.author(call),
        expires_at=body.expires_at,
    )
    call.target = made.key.id
    return answer(call, key_row(made.key) | {"secret": made.secret}, status=201)


@router.post("/v1/keys/{id}/rotate", status_code=201, response_model=Envelope[NewKeyOut])
@needs("admin", audited=KEY_ROTATE)
async def rotate(request: Request, id: Id, body: RotateBody) -> Response:  # noqa: A002
    """Make a key that may do the same, and let the old one end after an overlap."""
    call, services = of(request)
    call.target = id
    made = await services.control(
        replace_key,
        services.within(call),
        services.minting,
        key_id=id,
        created_by=services.author(call),
        overlap=timedelta(seconds=body.overlap_s),
        check=lambda old: check_scopes_granted(services.actor(call), old.scopes),
    )
    return answer(call, key_row(made.key) | {"secret": made.secret}, status=201)


@router.delete("/v1/keys/{id}", response_model=Envelope[KeyOut])
@needs("admin", audited=KEY_REVOKE)
async def revoke(request: Request, id: Id) -> Response:  # noqa: A002
    """Revoke a key: the very next request with it is refused."""
    call, services = of(request)
    call.target = id
    key = await services.control(services.within(call).revoke_key, id, at=call.at)
    return answer(call, key_row(key))


def key_row(key: ApiKey) -> dict[str, Any]:
    """Return a key as it is sent: without its hash."""
    return {name: getattr(key, name) for name in KeyOut.model_fields}
