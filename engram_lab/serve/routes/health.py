"""`/health`, `/health/ready` and `/metrics`: for whoever watches over the server."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel

from engram_lab.serve.answers import answer
from engram_lab.serve.errors import UnauthorizedError
from engram_lab.serve.hosts import HostRules, is_loopback
from engram_lab.serve.routes.guarded import OpenRoute, of
from engram_lab.serve.routes.shapes import Envelope

__all__ = ["router"]

router = APIRouter(tags=["health"], route_class=OpenRoute)


class Alive(BaseModel):
    """It answers."""

    status: str


class CheckOut(BaseModel):
    """One thing that the server needs."""

    status: str
    ms: float
    note: str | None


class Ready(BaseModel):
    """Whether it can do its work: `ok`, `degraded` (it can, with less) or `down`."""

    status: str
    checks: dict[str, CheckOut]


@router.get("/health", response_model=Envelope[Alive])
async def health(request: Request) -> Response:
    """Tell that the process answers; nothing is looked at."""
    call, _ = of(request)
    return answer(call, {"status": "ok"})


@router.get(
    "/health/ready", response_model=Envelope[Ready], responses={503: {"model": Envelope[Ready]}}
)
async def ready(request: Request) -> Response:
    """Look at what the server needs; 503 where it cannot do its work."""
    call, services = of(request)
    report = await services.health.ready()
    return answer(call, report.as_json(), status=503 if report.status == "down" else 200)


@router.get("/metrics", response_class=Response)
async def metrics(
    request: Request,
    accept: Annotated[str, Header()] = "*/*",
    authorization: Annotated[str, Header()] = "",
) -> Response:
    """Return the metrics, as Prometheus reads them: to this machine, or for the admin token."""
    call, services = of(request)
    config = services.config
    if not config.auth.enabled:  # a page whose name leads to this machine is on it, too
        hosts = HostRules.of(config.serve, config.tenancy)
        hosts.check(call.header("host"), call.header("origin"))
    token = config.auth.admin_token
    told = token is not None and hmac.compare_digest(
        authorization.encode(), f"Bearer {token}".encode()
    )
    if not (is_loopback(call.client) or told):
        raise UnauthorizedError(
            "metrics are for this machine, or for the admin token",
            headers={"WWW-Authenticate": "Bearer"},
        )
    kind, content = await services.files.run(services.metrics.render, accept)
    return Response(content, media_type=kind)
