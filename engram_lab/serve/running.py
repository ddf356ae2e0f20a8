"""A server from its configuration: every part made once, started in order, stopped the other way.

app = create_app(Running(loaded.server, loaded.config))
"""

from __future__ import annotations

import asyncio
import gc
import sys
from contextlib import AsyncExitStack, ExitStack
from time import perf_counter
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Self

from engram_lab.core.clock import SystemClock
from engram_lab.serve.auth import check_exposure, check_tenancy
from engram_lab.serve.health import follow
from engram_lab.serve.hosts import HostRules
from engram_lab.serve.making import Making
from engram_lab.serve.mcp.http import McpEndpoint
from engram_lab.serve.observing.kinds import CONFIG_LOAD, SERVER_START, SERVER_STOP
from engram_lab.serve.pipeline.ending import Ending
from engram_lab.serve.pipeline.gate import McpGate
from engram_lab.serve.schedule import schedule
from engram_lab.serve.tenants.about import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engram_lab.config import EngineConfig, ServerConfig
    from engram_lab.core.clock import Clock
    from engram_lab.engine import Bundle

__all__ = ["Running"]


class Running:
    """The parts of a server, and what goes on in it by itself.

    An asynchronous context manager: within it requests can be answered. Closing drains what is
    going on and hands on what waits; a second time it cannot be entered.

    Args:
        server: How it behaves.
        engine: What its engines do.
        own: A bundle that answers instead of `engine`, of which what belongs to the place stays.
        bundles: More, by name, for the tenants that are assigned one.
        clock: Tells the time.
        timer: Measures, in seconds.
        log_to: Where lines are written.

    Attributes:
        services: What answers requests.
        mcp: What speaks the Model Context Protocol.
        ending: Told of each request at its end.
        watch: Notes how late the event loop is.
        scheduler: Does what nobody has to ask for.

    Raises:
        ConfigError: The settings cannot be used together, such as a public address without keys.
        EngramError: A part cannot be made; what was made before is closed again.
    """

    def __init__(
        self,
        server: ServerConfig,
        engine: EngineConfig,
        *,
        own: Bundle | None = None,
        bundles: Mapping[str, Bundle] = MappingProxyType({}),
        clock: Clock | None = None,
        timer: Callable[[], float] = perf_counter,
        log_to: IO[str] | None = None,
    ) -> None:
        check_exposure(server.serve, server.auth)
        check_tenancy(server.tenancy)
        with ExitStack() as stack:
            made = Making(
                server,
                engine,
                clock=clock or SystemClock(),
                timer=timer,
                stack=stack,
                own=own,
                bundles=bundles,
            )
            self.services = made.services(log_to or sys.stderr)
            self.watch = made.watch
            self.scheduler = schedule(made, self.services)
            follow(made, self.services)
            self._closing = stack.pop_all()
        services = self.services
        self.ending = Ending(
            meter=services.meter, audit=services.audit, metrics=services.metrics, log=services.log
        )
        gate = McpGate(services, self.ending)
        self.mcp = McpEndpoint(
            gate,
            enter=gate.enter,
            hosts=HostRules.of(server.serve, server.tenancy, server.auth),
            body_limit=server.serve.body_limit_bytes,
            version=versions()["engram_lab"],
            timeout_s=server.serve.timeout_s,
        )
        self._config_hash = services.configurations.own_hash
        self._within = AsyncExitStack()

    async def __aenter__(self) -> Self:
        services = self.services
        await asyncio.to_thread(services.configurations.warm_up)
        await asyncio.to_thread(self._look_for_the_default)
        await self._within.enter_async_context(self.mcp.running())
        gc.freeze()  # what is there now stays: to look through it would hold up every thread
        self._within.callback(gc.unfreeze)
        self.watch.start()
        self._within.callback(self.watch.close)
        services.meter.start()
        services.audit.start()
        self.scheduler.start()
        for kind in (CONFIG_LOAD, SERVER_START):
            services.audit.note(kind, actor="system", tenant_id=None, target=self._config_hash)
        return self

    def _look_for_the_default(self) -> None:
        name = self.services.config.tenancy.default
        if name is not None and self.services.plane.tenant_by_slug(name) is None:
            self.services.log.warning(
                "default_tenant_missing",
                setting="tenancy.default",
                tenant=name,
                told="requests that name no tenant are refused until `engram tenant create` makes "
                "this one",
            )

    async def __aexit__(self, *exception: object) -> None:
        """Let what was begun end, then close every part."""
        await self._within.aclose()
        await self.services.limiter.close()
        self.services.audit.note(SERVER_STOP, actor="system", tenant_id=None)
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Close every part; a second call does nothing."""
        self._closing.close()
