"""The application: routes behind the pipeline, and one shape for whatever goes wrong."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Match

from engram_lab.core.errors import EngramError
from engram_lab.serve.answers import refusal
from engram_lab.serve.errors import (
    AbsentError,
    InternalError,
    InvalidRequestError,
    MethodNotAllowedError,
    ServeError,
    TooLargeError,
    UnsupportedTypeError,
    malformed,
    refusal_of,
)
from engram_lab.serve.openapi import completed
from engram_lab.serve.pipeline.bounds import Bounds
from engram_lab.serve.pipeline.edge import Edge, call_of
from engram_lab.serve.pipeline.proxies import Proxies
from engram_lab.serve.routes import (
    batch,
    dreams,
    feedback,
    health,
    imports,
    keys,
    links,
    members,
    memories,
    operator,
    operator_within,
    search,
    stats,
    transfer,
    upkeep,
    workspaces,
)
from engram_lab.serve.routes.direct import DirectRoute
from engram_lab.serve.tenants.about import versions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from engram_lab.serve.running import Running

__all__ = ["ROUTERS", "create_app"]

ROUTERS: Final = (
    search,
    batch,
    memories,
    links,
    feedback,
    dreams,
    stats,
    transfer,
    imports,
    keys,
    members,
    workspaces,
    upkeep,
    operator,
    operator_within,
    health,
)
_PLAIN: Final = (b"content-type", b"application/json")
_ABOUT: Final = """Memory for agents, hosted: one database a tenant.

Name the tenant by the host, or in the header `X-Engram-Tenant`; show a key or a token as
`Authorization: Bearer …`. Each answer has the shape `{data, meta, error?}`."""


def create_app(running: Running) -> FastAPI:
    """Return the application over a running server's parts, which it starts and stops."""
    services = running.services

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running:
            yield

    app = _Application(
        asks=services.config.auth.enabled,
        title="Engram Lab",
        version=versions()["engram_lab"],
        description=_ABOUT,
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,  # it would believe the host, and leave TLS
    )
    app.state.services = services
    for each in ROUTERS:  # not included, as finding a route among routers takes longer
        app.router.routes.extend(each.router.routes)
    app.router.routes.extend(running.mcp.routes())
    for kind in (EngramError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _refused)
    around = _around(running)
    for layer in reversed(around):  # the last one added is the outermost
        app.add_middleware(layer)
    for route in app.router.routes:
        if isinstance(route, DirectRoute):
            way = _within(around, route.direct())
            app.direct |= {(method, route.path): way for method in route.methods or ()}
    return app


class _Application(FastAPI):
    """Takes what is asked most past the framework, whose own steps take a good part of its time.

    Only where a request is as plain as can be: all others go the long way, to the same answer.
    """

    def __init__(self, *, asks: bool, **settings: Any) -> None:
        super().__init__(**settings)
        self.direct: dict[tuple[str, str], ASGIApp] = {}
        self._asks = asks

    def openapi(self) -> dict[str, Any]:
        """Return what is told of all routes."""
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi(), self.routes, asks=self._asks)
        return self.openapi_schema

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http":
            way = self.direct.get((scope["method"], scope["path"]))
            if way is not None and _PLAIN in scope["headers"]:
                scope["app"] = self
                await way(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


def _around(running: Running) -> tuple[Callable[[ASGIApp], ASGIApp], ...]:
    """Return what stands around every answer, the outermost first."""
    services = running.services
    settings, ending = services.config.serve, running.ending
    edge = partial(
        Edge,
        new_id=services.minting.new_id,
        clock=services.clock,
        timer=services.timer,
        bounds=Bounds(settings),
        proxies=Proxies(settings.trusted_proxies),
        counted=ending.count,
        ended=ending.tell,
        failed=ending.failed,
        span=services.tracing.span,
        hsts=settings.hsts,
    )
    if not settings.cors_origins:
        return (edge,)
    cors = partial(
        CORSMiddleware,
        allow_origins=[each.strip() for each in settings.cors_origins.split(",")],
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["*"],
        expose_headers=["ETag", "Location", "Retry-After", "X-Request-ID"],
    )
    return edge, cors


def _within(around: tuple[Callable[[ASGIApp], ASGIApp], ...], app: ASGIApp) -> ASGIApp:
    for layer in reversed(around):
        app = layer(app)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    call = call_of(request.scope)
    told = _refusal(error)
    if isinstance(told, MethodNotAllowedError):
        told.headers["Allow"] = ", ".join(sorted(_methods(request)))
    if isinstance(told, InternalError):
        request.app.state.services.log.log_error(error, call)
    return refusal(call, told)


def _refusal(error: Exception) -> ServeError:
    """Return what a client is told of what the framework refused."""
    if isinstance(error, RequestValidationError):
        return malformed(error.errors())
    if isinstance(error, HTTPException):
        if isinstance(error.__cause__, ServeError):  # while the framework read the body
            return error.__cause__
        kinds: dict[int, Callable[[str], ServeError]] = {
            404: lambda _: AbsentError("there is nothing at this address: see /docs"),
            405: lambda _: MethodNotAllowedError("this is not asked with that method: see /docs"),
            413: TooLargeError,
            415: UnsupportedTypeError,
        }
        told = kinds.get(error.status_code)
        return InvalidRequestError(str(error.detail)) if told is None else told(str(error.detail))
    return refusal_of(error)


def _methods(request: Request) -> set[str]:
    """Return with which methods an address is asked; each has a route of its own."""
    routes = [each for each in request.app.routes if isinstance(each, APIRoute)]
    found = (each for each in routes if each.matches(request.scope)[0] is not Match.NONE)
    return {method for each in found for method in each.methods or ()}
