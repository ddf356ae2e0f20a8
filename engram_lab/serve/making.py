"""Making the parts of a server from its configuration, each with what closes it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, Final

from engram_lab.core.ids import IdSource
from engram_lab.serve.auth import Authenticator
from engram_lab.serve.backups import TenantBackups
from engram_lab.serve.control import Lookups, open_control_plane
from engram_lab.serve.control.records import AuditEntry
from engram_lab.serve.health import health
from engram_lab.serve.hosts import HostRules
from engram_lab.serve.idempotency import Answered
from engram_lab.serve.limits import Limiter, Quotas, Rooms
from engram_lab.serve.metering import Meter, Spool
from engram_lab.serve.observing import (
    Audit,
    Logger,
    LoopWatch,
    Metrics,
    Tracing,
    configure_logs,
    open_audit,
)
from engram_lab.serve.pipeline.authentication import AuthenticationStage
from engram_lab.serve.pipeline.hosts import HostStage
from engram_lab.serve.pipeline.membership import MembershipStage
from engram_lab.serve.pipeline.quota import QuotaStage
from engram_lab.serve.pipeline.rate import RateStage
from engram_lab.serve.pipeline.stage import Admission
from engram_lab.serve.pipeline.tenant import TenantStage
from engram_lab.serve.scratch import scratch_of_run
from engram_lab.serve.services import Services
from engram_lab.serve.tenants.about import versions
from engram_lab.serve.tenants.apart import Apart
from engram_lab.serve.tenants.configurations import Configurations
from engram_lab.serve.tenants.express import Express
from engram_lab.serve.tenants.keys import Minting
from engram_lab.serve.tenants.places import Places
from engram_lab.serve.tenants.pool import EnginePool
from engram_lab.serve.tenants.provisioning import Estate
from engram_lab.serve.tenants.reports import ImportReports
from engram_lab.serve.tenants.used_keys import UsedKeys
from engram_lab.serve.tenants.writing import Writing
from engram_lab.serve.turns import Turns
from engram_lab.serve.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import ExitStack

    from engram_lab.config import EngineConfig, ServerConfig
    from engram_lab.core.clock import Clock
    from engram_lab.engine import Bundle
    from engram_lab.serve.control import ControlPlane
    from engram_lab.serve.control.records import Tenant

__all__ = ["Making"]

_CONTROLS: Final = 4
_FILES: Final = 2
_WAITING: Final = 256


class Making:
    """Makes each part when it is first asked for, and has the stack close it.

    Args:
        config: How the server behaves.
        engine: What its engines do.
        clock: Tells the time.
        timer: Measures, in seconds.
        stack: Closes what was made, the last first.
        own: A bundle that answers instead of `engine`, of which what belongs to the place stays.
        bundles: More, by name, for the tenants that are assigned one.
    """

    def __init__(
        self,
        config: ServerConfig,
        engine: EngineConfig,
        *,
        clock: Clock,
        timer: Callable[[], float],
        stack: ExitStack,
        own: Bundle | None = None,
        bundles: Mapping[str, Bundle] = MappingProxyType({}),
    ) -> None:
        self.config = config
        self._engine = engine
        self._own = own
        self._bundles = bundles
        self.clock = clock
        self.timer = timer
        self._stack = stack

    @cached_property
    def places(self) -> Places:
        """Where databases lie."""
        return Places(Path(self.config.tenancy.data))

    @cached_property
    def plane(self) -> ControlPlane:
        """Where tenants are recorded."""
        plane = open_control_plane(self.config.control, self.places.root, clock=self.clock)
        self._stack.callback(plane.close)
        return plane

    @cached_property
    def minting(self) -> Minting:
        """What makes ids and keys."""
        ids, drawing = IdSource(), Lock()

        def new_id() -> str:
            with drawing:
                return ids.new(self.clock.now())

        return Minting(clock=self.clock, new_id=new_id, word=self.config.auth.key_prefix)

    @cached_property
    def configurations(self) -> Configurations:
        """What opens engines."""
        return Configurations(
            self._engine,
            places=self.places,
            clock=self.clock,
            own=self._own,
            bundles=self._bundles,
            aside=self._writing.later,
        )

    @cached_property
    def _writing(self) -> Writing:
        """What writes for recalls, so that none waits for the disk."""
        writing = Writing()
        self._stack.callback(writing.close)
        return writing

    @cached_property
    def metrics(self) -> Metrics:
        """What is counted."""
        return Metrics(
            clock=self.clock,
            version=versions()["engram_lab"],
            configuration=self.configurations.own_hash,
        )

    @cached_property
    def pool(self) -> EnginePool:
        """The open engines."""
        evictions = {"evicted": "room", "idle": "idle", "closed": "asked"}

        def told(event: str, _open: int) -> None:
            if event in evictions:
                self.metrics.evicted(evictions[event])  # type: ignore[arg-type]

        pool = EnginePool(
            self.configurations.open,
            places=self.places,
            max_open=self.config.tenancy.max_open,
            idle_close_s=self.config.tenancy.idle_close_s,
            timer=self.timer,
            version=self.configurations.version,
            told=told,
        )
        self._stack.callback(pool.close)
        return pool

    @cached_property
    def backups(self) -> TenantBackups | None:
        """What keeps copies, where a place for them is set."""
        if self.config.backups.place is None:
            return None
        return TenantBackups(
            self.config.backups,
            clock=self.clock,
            scratch=self.places.root / "scratch" / "backups",
            timer=self.timer,
        )

    @cached_property
    def estate(self) -> Estate:
        """How tenants come and go."""
        return Estate(
            plane=self.plane,
            places=self.places,
            configurations=self.configurations,
            clock=self.clock,
            pool=self.pool,
            purged=lambda tenant_id: self.backups and self.backups.erase(tenant_id),
        )

    @cached_property
    def apart(self) -> Apart:
        """Processes for what would hold up requests."""
        apart = Apart(most=self.config.schedule.concurrency)
        self._stack.callback(apart.close)
        return apart

    @cached_property
    def used_keys(self) -> UsedKeys:
        """When keys were used last."""
        used = UsedKeys(self.plane)
        self._stack.callback(used.flush)
        return used

    @cached_property
    def watch(self) -> LoopWatch:
        """How late the event loop is."""
        return LoopWatch(self.timer)

    def closing(self, close: Callable[[], object]) -> None:
        """Have something closed before all that was made by now."""
        self._stack.callback(close)

    def note(
        self, kind: str, tenant: Tenant | None, *, target: str | None = None, **told: Any
    ) -> None:
        """Write down what the operator did without a server; None is the server's own chain."""
        entry = AuditEntry(
            id=self.minting.new_id(),
            tenant_id=None if tenant is None else tenant.id,
            at=self.clock.now(),
            kind=kind,
            actor="operator",
            target=target or (None if tenant is None else tenant.id),
            details=told,
        )
        self.plane.record_audit([entry])

    def services(self, log_to: IO[str]) -> Services:
        """Return all that answers requests."""
        log = configure_logs(self.config.telemetry, log_to, clock=self.clock)
        self._stack.callback(log.close)
        tracing = Tracing(self.config.telemetry, version=versions()["engram_lab"])
        self._stack.callback(tracing.close)
        _ = self.plane, self.used_keys, self.pool  # closed after what uses them
        meter, audit = self._meter(), self._audit(log)
        serve = self.config.serve
        engines = self._workers(serve.threads, serve.waiting, "engine")
        aparts = self._workers(1 + self.config.schedule.concurrency, _WAITING, "apart")
        controls = self._workers(_CONTROLS, _WAITING, "control")
        lookups = Lookups(self.plane, controls.run)

        async def measure(tenant: Tenant) -> tuple[int, int]:
            return await engines.run(self._measured, tenant)

        quotas = Quotas(meter, self.config.limits, run=controls.run, measure=measure)
        limiter = Limiter(self.config.limits, self.timer)
        return Services(
            config=self.config,
            clock=self.clock,
            timer=self.timer,
            plane=self.plane,
            lookups=lookups,
            places=self.places,
            pool=self.pool,
            express=Express(self.pool, self.timer),
            configurations=self.configurations,
            estate=self.estate,
            apart=self.apart,
            engines=engines,
            files=self._workers(_FILES, _WAITING, "files"),
            copies=self._workers(_FILES, _WAITING, "copies"),
            aparts=aparts,
            turns=Turns(),
            controls=controls,
            admission=self._admission(lookups, limiter, quotas, controls),
            answered=Answered(self.timer),
            limiter=limiter,
            quotas=quotas,
            rooms=Rooms(self.config.limits),
            minting=self.minting,
            meter=meter,
            audit=audit,
            metrics=self.metrics,
            tracing=tracing,
            log=log,
            health=health(self, limiter),
            backups=self.backups,
            reports=ImportReports(self.places),
            scratch=self._stack.enter_context(scratch_of_run(self.places.root / "scratch")),
        )

    def _meter(self) -> Meter:
        meter = Meter(
            self.plane,
            Spool(self._spools, "usage"),
            self.config.usage,
            self.clock,
            timer=self.timer,
            failed=self.metrics.usage_flush_failed,
        )
        self._stack.callback(meter.close)
        return meter

    def _audit(self, log: Logger) -> Audit:
        def failed(error: Exception) -> None:
            self.metrics.audit_flush_failed()
            log.log_error(error)

        audit = open_audit(
            self.plane,
            self._spools,
            self.config.audit,
            self.clock,
            failed=failed,
            lost=self.metrics.audit_lost,
        )
        self._stack.callback(audit.close)
        return audit

    @property
    def _spools(self) -> Path:
        folder = self.places.root / "spool"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def _workers(self, threads: int, waiting: int, name: str) -> Workers:
        made = Workers(threads, waiting=waiting, name=f"engram-{name}")
        self._stack.callback(made.close)
        return made

    def _measured(self, tenant: Tenant) -> tuple[int, int]:
        with self.pool.lease(tenant, quiet=True) as engine:
            return engine.count(), self.places.size(tenant.id)

    def _admission(
        self, lookups: Lookups, limiter: Limiter, quotas: Quotas, controls: Workers
    ) -> Admission:
        auth = self.config.auth
        hosts = None if auth.enabled else HostRules.of(self.config.serve, self.config.tenancy)
        authentication = AuthenticationStage(
            Authenticator(
                auth, lookups, self.clock, controls.run, self.used_keys.note, timer=self.timer
            )
        )
        membership = MembershipStage(lookups)
        names, tenant = HostStage(hosts), TenantStage(self.config.tenancy, lookups)
        known = (names, tenant, authentication, membership)
        return Admission(
            (*known, RateStage(limiter), QuotaStage(quotas)),
            operators=(names, authentication, membership),
            entering=known,
        )
