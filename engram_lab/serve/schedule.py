"""What a server does by itself, put together from its parts."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from engram_lab.serve.errors import UnavailableError
from engram_lab.serve.tenants.jobs import jobs_of
from engram_lab.serve.tenants.scheduler import Scheduler

if TYPE_CHECKING:
    from engram_lab.serve.making import Making
    from engram_lab.serve.services import Services

__all__ = ["schedule"]


def schedule(made: Making, services: Services) -> Scheduler:
    """Return what goes on by itself: dreams, cleaning up, measuring, copies, purges."""
    jobs = jobs_of(
        made.config.schedule,
        estate=made.estate,
        clock=made.clock,
        apart=made.apart,
        backups=made.backups,
        backup_settings=made.config.backups,
        measured=lambda tenant_id, _day, memories, size: services.meter.measured(
            tenant_id, memories, size
        ),
        note=services.audit.note,
        timer=made.timer,
    )

    def always() -> None:
        made.pool.close_idle()
        made.apart.rest()
        made.used_keys.flush()
        for tenant in made.plane.as_operator().tenants():
            if tenant.state != "active" and made.pool.is_open(tenant.id):
                with suppress(UnavailableError):  # it is being taken out, or was asked just now
                    # Such as one that another process suspended.
                    made.pool.close_tenant(tenant.id)

    def told(kind: str, well: bool, seconds: float) -> None:  # noqa: FBT001 - as it is called
        if kind == "dream":
            made.metrics.dreamt("ok" if well else "failed", seconds)
        elif kind == "backup":
            made.metrics.backed_up("ok" if well else "failed", seconds, made.clock.now())

    scheduler = Scheduler(
        made.config.schedule,
        jobs=jobs,
        tenants=lambda: made.plane.as_operator().tenants(state="active"),
        folder=made.places.root,
        clock=made.clock,
        always=always,
        told=told,
        timer=made.timer,
    )
    made.closing(scheduler.close)
    return scheduler
