"""What a scheduler has to do for each tenant, and for the server."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from engram_lab.serve.observing.kinds import (
    BACKUP_MAKE,
    BACKUP_PRUNE,
    DREAM_RUN,
    MEMORY_EXPIRE,
    TENANT_PURGE,
)
from engram_lab.serve.tenants.dreaming import dream_all
from engram_lab.serve.tenants.scheduler import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from engram_lab.config.serving import BackupSettings, ScheduleSettings
    from engram_lab.core.clock import Clock
    from engram_lab.engine import Engine
    from engram_lab.serve.backups import Made
    from engram_lab.serve.control.records import Tenant
    from engram_lab.serve.tenants.apart import Apart
    from engram_lab.serve.tenants.provisioning import Estate

__all__ = ["MakesBackups", "TakesNotes", "jobs_of"]

_log = logging.getLogger(__name__)

_HOUR_S: Final = 3_600.0
_ACTOR: Final = "schedule"
_CLEANED: Final = ("expired", "aged_out", "over_limit")


class MakesBackups(Protocol):
    """What copies the database of a tenant, and lets old copies go."""

    def make(self, tenant_id: str, engine: Engine) -> Made:
        """Make a copy."""
        ...

    def prune(self, tenant_id: str) -> Sequence[str]:
        """Remove the copies beyond those that are kept; return their names."""
        ...


class TakesNotes(Protocol):
    """What writes down who did what; see `Audit.note`."""

    def __call__(
        self,
        kind: str,
        *,
        actor: str,
        tenant_id: str | None,
        target: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> object:
        """Write an entry."""
        ...


def _unnoted(
    kind: str,
    *,
    actor: str,
    tenant_id: str | None,
    target: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write nothing."""


def jobs_of(
    settings: ScheduleSettings,
    *,
    estate: Estate,
    clock: Clock,
    apart: Apart | None = None,
    backups: MakesBackups | None = None,
    backup_settings: BackupSettings | None = None,
    measured: Callable[[str, date, int, int], object] | None = None,
    note: TakesNotes = _unnoted,
    timer: Callable[[], float] = time.perf_counter,
) -> Sequence[Job]:
    """Return what there is to do.

    Args:
        settings: How often.
        estate: Whose; it has a pool.
        clock: Tells the day.
        apart: Where dreams are dreamt; without it none are.
        backups: Who copies; without them nobody does.
        backup_settings: How often they do.
        measured: Told the memories and the bytes of a tenant; else the control plane is.
        note: Told of each piece of work that changed something, once, with what came of it.
        timer: Of the pool: tells seconds.
    """
    own = _Work(estate, clock=clock, settings=settings, measured=measured, note=note, timer=timer)
    jobs = [
        Job(kind="clean_up", every_s=settings.clean_up_every_s, work=own.clean_up),
        Job(kind="measure", every_s=_HOUR_S, work=own.measure),
        Job(kind="roll_up", every_s=_HOUR_S, work=own.roll_up, of_tenants=False),
        Job(kind="purge", every_s=_HOUR_S, work=own.purge, of_tenants=False),
    ]
    if apart is not None:
        jobs.append(
            Job(
                kind="dream",
                every_s=settings.dream_every_s,
                work=lambda tenant: own.dream(tenant, apart),
                may=own.is_quiet,
            )
        )
    if backups is not None and backup_settings is not None and backup_settings.place is not None:
        jobs.append(
            Job(
                kind="backup",
                every_s=backup_settings.every_s,
                work=lambda tenant: own.back_up(tenant, backups),
            )
        )
    return jobs


class _Work:
    """The work itself. A tenant whose database is not in this place is passed over."""

    def __init__(
        self,
        estate: Estate,
        *,
        clock: Clock,
        settings: ScheduleSettings,
        measured: Callable[[str, date, int, int], object] | None,
        note: TakesNotes,
        timer: Callable[[], float],
    ) -> None:
        if estate.pool is None:
            raise ValueError("a schedule works on the engines of a pool: give one to the estate")
        self._estate = estate
        self._pool = estate.pool
        self._clock = clock
        self._settings = settings
        self._measured = measured or self._told
        self._note = note
        self._timer = timer

    def is_quiet(self, tenant: Tenant | None) -> bool:
        """Tell whether nobody asked for a while."""
        if tenant is None:
            return False
        asked = self._pool.asked_at(tenant.id)
        return asked is None or self._timer() - asked >= self._settings.dream_idle_s

    def dream(self, tenant: Tenant | None, apart: Apart) -> None:
        """Let all workspaces of a tenant dream; the engine is kept, so that nothing moves it."""
        if tenant is None:
            return
        served = self._estate.configurations.of(tenant)
        with self._pool.lease(tenant, quiet=True) as engine:
            engine.flush()  # what was asked is what is learnt from
            path = str(self._estate.places.database(tenant.id))
            options = {"author": _ACTOR}
            dreamt = apart.run(dream_all, path, served.config.to_dict(), options)
        for each in dreamt:
            if each.fault is not None:
                _log.warning(
                    "the workspace %s of tenant %s did not dream: %s",
                    each.workspace,
                    tenant.id,
                    each.fault,
                )
        if changes := {each.workspace: each.changes for each in dreamt if each.changes}:
            told = {"changes": sum(changes.values()), "workspaces": changes}
            self._note(DREAM_RUN, actor=_ACTOR, tenant_id=tenant.id, details=told)

    def clean_up(self, tenant: Tenant | None) -> None:
        """Remove what has expired."""
        if tenant is not None:
            with self._pool.lease(tenant, quiet=True) as engine:
                report = engine.clean_up()
            counts = {name: getattr(report, name) for name in _CLEANED}
            if any(counts.values()):
                self._note(MEMORY_EXPIRE, actor=_ACTOR, tenant_id=tenant.id, details=counts)

    def measure(self, tenant: Tenant | None) -> None:
        """Count memories and bytes."""
        if tenant is not None:
            with self._pool.lease(tenant, quiet=True) as engine:
                count = engine.count()
            size = self._estate.places.size(tenant.id)
            self._measured(tenant.id, self._clock.now().date(), count, size)

    def back_up(self, tenant: Tenant | None, backups: MakesBackups) -> None:
        """Copy the database, and let the oldest copies go."""
        if tenant is not None:
            with self._pool.lease(tenant, quiet=True) as engine:
                made = backups.make(tenant.id, engine).backup
            told = {"size_bytes": made.size_bytes}
            self._note(
                BACKUP_MAKE, actor=_ACTOR, tenant_id=tenant.id, target=made.name, details=told
            )
            if gone := backups.prune(tenant.id):
                told = {"removed": len(gone)}
                self._note(BACKUP_PRUNE, actor=_ACTOR, tenant_id=tenant.id, details=told)

    def roll_up(self, _: Tenant | None = None) -> None:
        """Sum up yesterday, which late events may still have come to, and today."""
        operator = self._estate.plane.as_operator()
        today = self._clock.now().date()
        for day in (today - timedelta(days=1), today):
            operator.roll_up(day)

    def purge(self, _: Tenant | None = None) -> None:
        """Remove for good the deleted tenants whose time is over, and what was left behind."""
        self._estate.sweep()
        for tenant in self._estate.due_for_purge():
            self._estate.purge(tenant.id)
            _log.info("tenant %s was purged", tenant.id)
            told = {"slug": tenant.slug}
            for chain in (tenant.id, None):  # whoever looks for it later asks the server's own
                self._note(
                    TENANT_PURGE, actor=_ACTOR, tenant_id=chain, target=tenant.id, details=told
                )

    def _told(self, tenant_id: str, day: date, memories: int, size: int) -> None:
        self._estate.plane.as_operator().measured(
            tenant_id, day, memories_stored=memories, storage_bytes=size
        )
