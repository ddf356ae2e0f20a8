"""A stand-in for the pipeline: two tenants with an engine each, keys, scopes, and an account."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from threading import Thread
from time import sleep
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import httpx2
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from starlette.applications import Starlette

from engram_lab.config import EngineConfig
from engram_lab.core.clock import SystemClock
from engram_lab.serve.call import Actor, Call
from engram_lab.serve.control.records import SCOPES, Tenant
from engram_lab.serve.errors import (
    ForbiddenError,
    InvalidRequestError,
    ServeError,
    TenantNotFoundError,
    UnauthorizedError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from engram_lab.engine import Engine
    from engram_lab.serve.call import Needs
    from engram_lab.serve.control.records import Scope
    from engram_lab.serve.mcp.http import McpEndpoint

HASHING = EngineConfig.from_dict({"embedding": {"model": "hashing", "dim": 64}})
ALL = frozenset(SCOPES)


@dataclass
class StandIn:
    """Admits by `Authorization: Bearer {tenant}` and `X-Engram-Tenant`, and keeps account."""

    engines: dict[str, Engine]
    scopes: frozenset[Scope] = ALL
    refuse: Callable[[Needs, int | None], ServeError | None] | None = None
    before: Callable[[], None] | None = None
    admitted: list[tuple[Needs, int | None]] = field(default_factory=list)
    over: list[Call] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    async def admit(self, scope: Any, needs: Needs, *, part: int | None = None) -> Call:
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode(), []).append(value.decode())
        call = Call(
            request_id=f"r{len(self.admitted)}", method=scope["method"], path=scope["path"],
            headers=headers, client="127.0.0.1", secure=False, at=SystemClock().now(), began=0.0,
            needs=needs,
        )  # fmt: skip
        slug = call.header("x-engram-tenant")
        if slug is None:
            raise InvalidRequestError("no tenant was named: give X-Engram-Tenant")
        key = call.header("authorization")
        if key is None:
            raise UnauthorizedError(
                "a key is missing", headers={"WWW-Authenticate": 'Bearer realm="engram"'}
            )
        if slug not in self.engines or key != f"Bearer {slug}":
            raise TenantNotFoundError("there is no such tenant")
        call.tenant = Tenant(id=slug, slug=slug, name=slug, created_at=call.at)
        call.actor = Actor(kind="key", id=f"k-{slug}", scopes=self.scopes, tenant_id=slug)
        if needs.scope is not None and needs.scope not in self.scopes:
            raise ForbiddenError(f"the key lacks the scope {needs.scope}")
        if self.refuse is not None and (error := self.refuse(needs, part)) is not None:
            raise error
        self.admitted.append((needs, part))
        return call

    async def use(self, call: Call, work: Callable[[Engine], Any]) -> Any:
        def leased() -> Any:
            if self.before is not None:
                self.before()
            return work(self.engines[call.within.slug])

        return await anyio.to_thread.run_sync(leased)

    def refused(self, scope: Any, code: str) -> None:
        self.codes.append(code)

    def failed(self, call: Call | None, error: Exception) -> None:
        self.failures.append(error)

    async def done(self, call: Call) -> None:
        self.over.append(call)


def app_of(endpoint: McpEndpoint) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with endpoint.running():
            yield

    return Starlette(routes=list(endpoint.routes()), lifespan=lifespan)


@contextmanager
def listening(app: Starlette) -> Iterator[str]:
    """Serve an application on a port of this machine, in a thread."""
    # asyncio sends small answers at once only where the protocol is named
    with socket.socket(proto=socket.IPPROTO_TCP) as held:
        held.bind(("127.0.0.1", 0))
        held.listen(128)
        config = uvicorn.Config(app, log_level="warning", lifespan="on", loop="asyncio")
        server = uvicorn.Server(config)
        thread = Thread(target=lambda: asyncio.run(server.serve(sockets=[held])), daemon=True)
        thread.start()
        for _ in range(500):
            if server.started:
                break
            sleep(0.01)
        try:
            yield f"http://127.0.0.1:{held.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


def as_tenant(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}", "X-Engram-Tenant": name}


@asynccontextmanager
async def speaking(
    site: str, tenant: str, *, mode: str, path: str = "/v1/mcp"
) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers=as_tenant(tenant)) as http,
        Client(streamable_http_client(site + path, http_client=http), mode=mode) as client,
    ):
        yield client


def asked(method: str, params: Any = None, **more: Any) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "method": method, **more}
    return message if params is None else {**message, "params": params}


def tool(name: str, **arguments: Any) -> dict[str, Any]:
    return asked("tools/call", {"name": name, "arguments": arguments})
