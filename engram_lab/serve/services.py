"""What answers requests: the parts of a running server, and what several routes do with them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, TypeVarTuple

from engram_lab.core.errors import ConflictError
from engram_lab.serve.control.records import UsageDay
from engram_lab.serve.control.records import Workspace as Recorded
from engram_lab.serve.errors import UnauthorizedError
from engram_lab.serve.limits import limits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import date
    from pathlib import Path

    from engram_lab.config import ServerConfig
    from engram_lab.core.clock import Clock
    from engram_lab.core.types import Workspace
    from engram_lab.engine import Engine
    from engram_lab.serve.backups import TenantBackups
    from engram_lab.serve.call import Actor, Call
    from engram_lab.serve.control import ControlPlane, Lookups, TenantView
    from engram_lab.serve.control.records import Tenant
    from engram_lab.serve.idempotency import Answered
    from engram_lab.serve.limits import Limiter, Quotas, Rooms
    from engram_lab.serve.metering import Meter
    from engram_lab.serve.observing import Audit, Health, Logger, Metrics, Tracing
    from engram_lab.serve.pipeline.stage import Admission
    from engram_lab.serve.tenants.apart import Apart
    from engram_lab.serve.tenants.configurations import Configurations
    from engram_lab.serve.tenants.express import Express
    from engram_lab.serve.tenants.keys import Minting
    from engram_lab.serve.tenants.places import Places
    from engram_lab.serve.tenants.pool import EnginePool
    from engram_lab.serve.tenants.provisioning import Estate
    from engram_lab.serve.tenants.reports import ImportReports
    from engram_lab.serve.turns import Turns
    from engram_lab.serve.workers import Workers

__all__ = ["Services"]

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, kw_only=True)
class Services:
    """The parts of a running server.

    Attributes:
        engines: Threads in which engines answer.
        files: Threads for slower work on files, so that no search waits behind it.
        copies: Threads for backups, which take as long as the database is large.
        aparts: Threads that wait for work in processes of its own, and do nothing else.
        turns: How much of that each tenant has going on.
        controls: Threads in which the control plane is asked, and keys are verified.
        scratch: A folder for what is on its way in or out.
    """

    config: ServerConfig
    clock: Clock
    timer: Callable[[], float]
    plane: ControlPlane
    lookups: Lookups
    places: Places
    pool: EnginePool
    express: Express
    configurations: Configurations
    estate: Estate
    apart: Apart
    engines: Workers
    files: Workers
    copies: Workers
    aparts: Workers
    turns: Turns
    controls: Workers
    admission: Admission
    answered: Answered
    limiter: Limiter
    quotas: Quotas
    rooms: Rooms
    minting: Minting
    meter: Meter
    audit: Audit
    metrics: Metrics
    tracing: Tracing
    log: Logger
    health: Health
    backups: TenantBackups | None
    reports: ImportReports
    scratch: Path

    async def use(
        self, call: Call, work: Callable[[Engine], T], *, makes: Collection[str] = ()
    ) -> T:
        """Return what `work` returns, given the engine of the tenant, in a thread.

        It `makes` the workspaces of these names where they are missing, for which the tenant's
        plan must have room.
        """
        tenant = call.within
        if makes:
            work = partial(self.rooms.within, tenant, names=makes, work=work)
        return await self.engines.run_for(tenant.id, self._used, call, tenant, work)

    async def ask(self, call: Call, work: Callable[[Engine], T]) -> T:
        """Return what `work` returns, which asks one short question; see `Express`."""
        tenant = call.within

        def traced(engine: Engine) -> T:
            with self.tracing.part(call, "engine"):
                return work(engine)

        found = self.express.answer(tenant, traced)
        if found is not None:
            return found[0]
        return await self.engines.run_for(
            tenant.id, self._used, call, tenant, partial(self.express.timed, work), brief=True
        )

    async def copying(self, call: Call, work: Callable[[Engine], T]) -> T:
        """Return what `work` returns, which copies the database the engine has, in a thread."""
        tenant = call.within
        return await self.copies.run_for(tenant.id, self._used, call, tenant, work)

    def _used(
        self, call: Call, tenant: Tenant, work: Callable[[Engine], T], *, brief: bool = False
    ) -> T:
        with self.tracing.part(call, "engine"), self.pool.lease(tenant, brief=brief) as engine:
            return work(engine)

    async def control(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `work` returns, which asks the control plane, in a thread."""
        return await self.controls.run(work, *args, **kwargs)

    def within(self, call: Call) -> TenantView:
        """Return the tenant's part of the control plane, as whoever asks sees it."""
        actor = self.actor(call)
        return self.plane.within(call.within.id, user_id=actor.id if actor.kind == "user" else None)

    def actor(self, call: Call) -> Actor:
        """Return who asks."""
        if call.actor is None:
            raise UnauthorizedError("nobody is known to ask")
        return call.actor

    def author(self, call: Call) -> str:
        """Return who is recorded as the author of a change."""
        return self.actor(call).name

    async def elsewhere(
        self, call: Call, work: Callable[[str, Mapping[str, Any], *Ts], T], *args: *Ts
    ) -> T:
        """Return what `work` returns, in a process of its own, so that no request waits for it.

        It is given the path of the tenant's database and the configuration of its engine.
        """
        tenant = call.within
        return await self.aparts.run_for(tenant.id, self._apart, call, tenant, work, args)

    def _apart(self, call: Call, tenant: Tenant, work: Callable[..., T], args: Any) -> T:
        config = self.configurations.of(tenant).config
        with self.tracing.part(call, "apart"), self.pool.lease(tenant) as engine:
            engine.flush()  # what was asked is what is learnt from, and goes out with the rest
            path = str(self.places.database(tenant.id))
            return self.apart.run(work, path, config.to_dict(), *args)

    def record_workspace(self, call: Call, workspace: Workspace) -> None:
        """Record a workspace that was made by name, once. Asks the control plane."""
        tenant, view = call.within, self.within(call)
        if workspace.name not in {each.name for each in view.workspaces()}:
            with suppress(ConflictError):  # somebody else was quicker
                view.add_workspace(
                    Recorded(
                        tenant_id=tenant.id,
                        name=workspace.name,
                        db_path=str(self.places.database(tenant.id)),
                        created_at=workspace.created_at,
                    )
                )

    def usage(self, call: Call, first: date, last: date) -> dict[str, Any]:
        """Return what a tenant used, and what its plan allows. Asks the control plane."""
        tenant = call.within
        if not self.meter.knows(tenant.id):
            self.meter.hydrate(tenant.id)
        month, stored = self.meter.month(tenant.id), self.meter.stored(tenant.id)
        used = {
            **asdict(month),
            "memories_stored": stored.memories + stored.created_since,
            "storage_bytes": stored.storage_bytes,
        }
        allowed = asdict(limits_of(tenant.plan))
        days = self.within(call).usage(first, last)
        names = [each.name for each in fields(UsageDay) if each.name != "tenant_id"]
        return {
            "plan": tenant.plan,
            "limits": {name: most for name, most in allowed.items() if name != "plan"},
            "used": used,
            "days": [{name: getattr(day, name) for name in names} for day in days],
        }
