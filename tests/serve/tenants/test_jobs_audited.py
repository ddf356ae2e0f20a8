"""What a server does by itself stands in the audit, as what people do."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config import BackupSettings, ScheduleSettings
from engram_lab.core.clock import ManualClock
from engram_lab.serve.making import Making
from engram_lab.serve.observing.kinds import KINDS
from engram_lab.serve.schedule import schedule
from tests.serve.live import HASHING, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import StringIO
    from pathlib import Path

    from engram_lab.serve.control.records import AuditEntry
    from engram_lab.serve.services import Services
    from engram_lab.serve.tenants.scheduler import Scheduler

HOUR = 3_600.0


class Working:
    """The parts of a server whose schedule is run by hand."""

    def __init__(self, made: Making, services: Services, scheduler: Scheduler) -> None:
        self.made = made
        self.services = services
        self.scheduler = scheduler

    def run(self) -> None:
        """Do all that is due in the next six hours."""
        for _ in range(6):
            self.made.clock.advance(hours=1)  # type: ignore[attr-defined]  # set by hand
            self.scheduler.run_pending()
        self.services.audit.flush()

    def audit(self, tenant_id: str | None) -> list[AuditEntry]:
        """Return what a chain has, the oldest first."""
        view = self.made.plane.as_operator()
        assert view.broken_chain(tenant_id) is None
        return view.audit(tenant_id)[::-1]


@pytest.fixture
def working(tmp_path: Path, log: StringIO) -> Iterator[Working]:
    kept = BackupSettings(
        place=str(tmp_path / "kept"), key_file=str(tmp_path / "key"), every_s=HOUR, keep=1
    )
    every = ScheduleSettings(clean_up_every_s=HOUR, dream_every_s=HOUR, dream_idle_s=1)
    config = settings(tmp_path / "data", backups=kept, schedule=every)
    ticks = iter(range(10**9))
    with ExitStack() as stack:
        made = Making(
            config, HASHING, clock=ManualClock(), timer=lambda: 10.0 * next(ticks), stack=stack
        )
        services = made.services(log)
        yield Working(made, services, schedule(made, services))


@pytest.fixture
def log() -> StringIO:
    from io import StringIO

    return StringIO()


def told(entries: list[AuditEntry], kind: str) -> list[dict[str, Any]]:
    found = [each for each in entries if each.kind == kind]
    assert all(each.actor == "schedule" and each.outcome == "ok" for each in found)
    return [dict(each.details) for each in found]


def test_what_the_schedule_changed_is_in_the_chain_of_its_tenant(working: Working) -> None:
    made = working.made
    tenant = made.estate.provision("acme").tenant
    quiet = made.estate.provision("quiet").tenant
    with made.pool.lease(tenant) as engine:
        for _ in range(2):
            engine.remember("the key is under the mat")
        soon = made.clock.now() + timedelta(minutes=1)
        engine.remember("only for a minute", expires_at=soon)
    working.run()
    entries = working.audit(tenant.id)
    assert told(entries, "memory.expire") == [{"expired": 1, "aged_out": 0, "over_limit": 0}]
    (dreamt,) = told(entries, "dream.run")
    assert dreamt["changes"] == sum(dreamt["workspaces"].values()) >= 1
    copies = [each for each in entries if each.kind == "backup.make"]
    assert copies
    assert all(each.target and each.details["size_bytes"] > 0 for each in copies)
    pruned = told(entries, "backup.prune")
    assert sum(each["removed"] for each in pruned) == len(copies) - 1 >= 1
    assert {each.kind for each in entries} <= KINDS.keys()
    assert "memory.expire" not in {each.kind for each in working.audit(quiet.id)}
    assert "dream.run" not in {each.kind for each in working.audit(quiet.id)}


def test_a_purge_is_in_the_chain_of_its_tenant_and_in_that_of_the_server(
    working: Working,
) -> None:
    made = working.made
    gone = made.estate.provision("gone").tenant
    made.estate.delete(gone.id)
    made.clock.advance(days=31)  # type: ignore[attr-defined]  # set by hand
    working.run()
    assert made.plane.tenant(gone.id) is None
    for chain in (gone.id, None):
        (entry,) = [each for each in working.audit(chain) if each.kind == "tenant.purge"]
        assert (entry.target, entry.actor, entry.details) == (gone.id, "schedule", {"slug": "gone"})


def test_with_the_audit_off_work_is_done_all_the_same(tmp_path: Path, log: StringIO) -> None:
    config = settings(tmp_path / "data", schedule=ScheduleSettings(clean_up_every_s=HOUR))
    config = replace(config, audit=replace(config.audit, enabled=False))
    with ExitStack() as stack:
        made = Making(config, HASHING, clock=ManualClock(), timer=lambda: 0.0, stack=stack)
        services = made.services(log)
        working = Working(made, services, schedule(made, services))
        tenant = made.estate.provision("acme").tenant
        with made.pool.lease(tenant) as engine:
            engine.remember("soon gone", expires_at=made.clock.now() + timedelta(minutes=1))
        working.run()
        with made.pool.lease(tenant) as engine:
            assert engine.count() == 0
        assert working.audit(tenant.id) == []
