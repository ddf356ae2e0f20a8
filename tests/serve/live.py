"""A real server in a thread, and clients of its tenants."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import StringIO
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import httpx2

from engram_lab.config import (
    AuthSettings,
    EmbeddingSettings,
    EngineConfig,
    LimitSettings,
    ScheduleSettings,
    ServerConfig,
    TenancySettings,
)
from engram_lab.serve.app import create_app
from engram_lab.serve.running import Running
from engram_lab.serve.server import uvicorn_server
from engram_lab.serve.tenants.keys import make_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engram_lab.core.clock import Clock
    from engram_lab.engine import Bundle
    from engram_lab.serve.control.records import Plan, Scope, Tenant

ADMIN = "the-token-of-whoever-runs-it-4711"
SECRET = "a-shared-secret-of-32-bytes-or-more"  # noqa: S105 - of the tests
ALL: tuple[Scope, ...] = ("memories:read", "memories:write", "search", "admin")
HASHING = EngineConfig(embedding=EmbeddingSettings(model="hashing", dim=64))


def settings(folder: Path, **sections: Any) -> ServerConfig:
    """Return the settings of a server that asks for keys and does nothing by itself."""
    told = {
        "tenancy": TenancySettings(data=str(folder), domain="engram.test"),
        "auth": AuthSettings(enabled=True, admin_token=ADMIN, jwt_secret=SECRET, jwt_issuer="us"),
        "limits": LimitSettings(per_minute=100_000, burst=100_000),
        "schedule": ScheduleSettings(enabled=False),
    }
    config = ServerConfig(**{**told, **sections})
    return replace(config, serve=replace(config.serve, port=_free_port()))


@dataclass
class Live:
    """A server that answers at `url`."""

    running: Running
    url: str
    log: StringIO
    clients: list[httpx2.Client] = field(default_factory=list)

    def client(self, **headers: str) -> httpx2.Client:
        """Return a client that sends these headers; `_` stands for `-` in their names."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        made = httpx2.Client(base_url=self.url, headers=told, timeout=30)
        self.clients.append(made)
        return made

    @property
    def operator(self) -> httpx2.Client:
        """A client that shows the admin token."""
        return self.client(Authorization=f"Bearer {ADMIN}")

    def tenant(self, slug: str, plan: Plan = "team") -> Tenant:
        """Return a tenant, which is made where it is missing."""
        found = self.running.services.plane.tenant_by_slug(slug)
        return found or self.running.services.estate.provision(slug, plan=plan).tenant

    def key(self, slug: str, scopes: tuple[Scope, ...] = ALL) -> str:
        """Return the secret of a new key of a tenant."""
        services, tenant = self.running.services, self.tenant(slug)
        made = make_key(
            services.plane.within(tenant.id),
            services.minting,
            tenant_id=tenant.id,
            name="of a test",
            environment="test",
            scopes=scopes,
            created_by="operator",
        )
        return made.secret

    def of(self, slug: str, scopes: tuple[Scope, ...] = ALL) -> httpx2.Client:
        """Return a client with a new key of a tenant."""
        secret = self.key(slug, scopes)
        return self.client(Authorization=f"Bearer {secret}", X_Engram_Tenant=slug)

    def audit(self, slug: str) -> list[str]:
        """Return what the audit of a tenant has, the oldest first."""
        services = self.running.services
        services.audit.flush()
        entries = services.plane.as_operator().audit(self.tenant(slug).id, limit=1000)
        return [f"{each.kind} {each.outcome}" for each in reversed(entries)]


@contextmanager
def live(
    config: ServerConfig,
    engine: EngineConfig = HASHING,
    *,
    clock: Clock | None = None,
    own: Bundle | None = None,
    bundles: dict[str, Bundle] | None = None,
) -> Iterator[Live]:
    """Serve until the block ends."""
    log = StringIO()
    running = Running(config, engine, own=own, bundles=bundles or {}, clock=clock, log_to=log)
    server = uvicorn_server(create_app(running), config.serve)
    thread = Thread(target=server.run, name="served", daemon=True)
    thread.start()
    ends = monotonic() + 30
    while not server.started and thread.is_alive() and monotonic() < ends:
        sleep(0.005)
    assert server.started, log.getvalue()
    made = Live(running, f"http://127.0.0.1:{config.serve.port}", log)
    try:
        yield made
    finally:
        for each in made.clients:
            each.close()
        server.should_exit = True
        thread.join(30)
        running.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
