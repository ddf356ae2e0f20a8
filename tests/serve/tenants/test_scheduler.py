from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config.serving import BackupSettings, ScheduleSettings
from engram_lab.core.clock import ManualClock
from engram_lab.serve.backups import Backup
from engram_lab.serve.backups import Made as Copied
from engram_lab.serve.control.records import UsageEvent
from engram_lab.serve.errors import UnavailableError
from engram_lab.serve.tenants.apart import Apart
from engram_lab.serve.tenants.jobs import jobs_of
from engram_lab.serve.tenants.scheduler import Job, Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engram_lab.core.ids import IdSource
    from engram_lab.engine import Engine
    from engram_lab.serve.control import ControlPlane
    from engram_lab.serve.control.records import Tenant
    from engram_lab.serve.tenants.pool import EnginePool
    from engram_lab.serve.tenants.provisioning import Estate

    Made = Callable[..., Scheduler]

HOUR = 3_600.0


@pytest.fixture
def made(tmp_path: Path, clock: ManualClock) -> Iterator[Made]:
    schedules: list[Scheduler] = []

    def make(*jobs: Job, tenants: tuple[Tenant, ...] = (), **settings: Any) -> Scheduler:
        schedule = Scheduler(
            ScheduleSettings(**settings),
            jobs=jobs,
            tenants=lambda: tenants,
            folder=tmp_path / "schedule",
            clock=clock,
        )
        schedules.append(schedule)
        return schedule

    yield make
    for each in schedules:
        assert each.close()


def tenants_of(ids: IdSource, clock: ManualClock, *slugs: str) -> tuple[Tenant, ...]:
    from engram_lab.serve.control.records import Tenant

    now = clock.now()
    return tuple(Tenant(id=ids.new(now), slug=each, name=each, created_at=now) for each in slugs)


def test_each_kind_is_done_for_each_tenant_when_it_is_due(
    made: Made, clock: ManualClock, ids: IdSource
) -> None:
    done: Counter[tuple[str, str | None]] = Counter()

    def job(kind: str, every_s: float, **more: Any) -> Job:
        def work(tenant: Tenant | None) -> None:
            done[kind, None if tenant is None else tenant.slug] += 1

        return Job(kind=kind, every_s=every_s, work=work, **more)

    schedule = made(
        job("hourly", HOUR),
        job("daily", 24 * HOUR),
        job("never", 0),
        job("all", HOUR, of_tenants=False),
        tenants=tenants_of(ids, clock, "one", "two"),
    )
    for _ in range(24 * 12):
        schedule.run_pending()
        clock.advance(minutes=5)
    assert done.keys() == {
        *(("hourly", "one"), ("hourly", "two"), ("daily", "one"), ("daily", "two"), ("all", None))
    }
    assert all(done["hourly", each] in range(20, 25) for each in ("one", "two"))
    assert done["all", None] in range(20, 25)
    assert done["daily", "one"] == done["daily", "two"] == 1


def test_due_times_survive_a_restart(made: Made, clock: ManualClock, ids: IdSource) -> None:
    done: list[str] = []
    job = Job(kind="daily", every_s=24 * HOUR, work=lambda _: done.append("done"))
    tenants = tenants_of(ids, clock, "one")
    first = made(job, tenants=tenants)
    first.run_pending()
    clock.advance(minutes=10)
    assert first.run_pending() == 1
    assert first.close()
    again = made(job, tenants=tenants)
    clock.advance(hours=20)
    assert again.run_pending() == 0
    clock.advance(hours=7)
    assert again.run_pending() == 1


def test_what_fails_is_put_off_and_stops_nobody(
    made: Made, clock: ManualClock, ids: IdSource, caplog: pytest.LogCaptureFixture
) -> None:
    done: Counter[str] = Counter()

    def work(tenant: Tenant | None) -> None:
        assert tenant is not None
        done[tenant.slug] += 1
        if tenant.slug == "broken":
            raise RuntimeError("it cannot be")
        if tenant.slug == "busy":
            raise UnavailableError("not now")

    schedule = made(
        Job(kind="work", every_s=60.0, work=work),
        tenants=tenants_of(ids, clock, "broken", "sound", "busy"),
    )
    for _ in range(60):
        clock.advance(minutes=1)
        schedule.run_pending()
    assert done["sound"] >= 28
    assert done["broken"] == done["busy"] <= 8
    assert "it cannot be" in caplog.text
    assert caplog.text.count("Traceback") == done["broken"]


def test_nothing_is_done_twice_at_once_and_not_too_much_either(
    made: Made, clock: ManualClock, ids: IdSource
) -> None:
    lock, now, most, faults = Lock(), Counter[tuple[str, str]](), [0], []

    def job(kind: str) -> Job:
        def work(tenant: Tenant | None) -> None:
            assert tenant is not None
            key = kind, tenant.slug
            with lock:
                now[key] += 1
                most[0] = max(most[0], now.total())
                if now[key] > 1:
                    faults.append(key)
            time.sleep(0.002)
            with lock:
                now[key] -= 1

        return Job(kind=kind, every_s=0.001, work=work)

    schedule = made(
        job("one"), job("two"), tenants=tenants_of(ids, clock, "a", "b", "c"), concurrency=3
    )
    stop = Event()

    def push() -> None:
        while not stop.is_set():
            clock.advance(seconds=1)
            schedule.run_pending()

    threads = [threading.Thread(target=push) for _ in range(3)]
    for each in threads:
        each.start()
    time.sleep(0.4)
    stop.set()
    for each in threads:
        each.join()
    assert faults == []
    assert 1 < most[0] <= 3


def test_what_may_not_be_done_now_waits(made: Made, clock: ManualClock, ids: IdSource) -> None:
    may = [False]
    done: list[Any] = []
    schedule = made(
        Job(kind="dream", every_s=60.0, work=done.append, may=lambda _: may[0]),
        tenants=tenants_of(ids, clock, "one"),
    )
    clock.advance(hours=1)
    schedule.run_pending()
    clock.advance(hours=1)
    schedule.run_pending()
    assert done == []
    may[0] = True
    schedule.run_pending()
    assert len(done) == 1


def test_a_schedule_that_is_off_does_only_what_is_always_done(
    tmp_path: Path, clock: ManualClock, ids: IdSource
) -> None:
    looked = Event()
    done: list[Any] = []
    schedule = Scheduler(
        ScheduleSettings(enabled=False, tick_s=0.05),
        jobs=[Job(kind="work", every_s=0.001, work=done.append)],
        tenants=lambda: tenants_of(ids, clock, "one"),
        folder=tmp_path,
        clock=clock,
        always=looked.set,
    )
    schedule.start()
    assert looked.wait(5)
    clock.advance(days=1)
    assert schedule.run_pending() == 0
    assert schedule.close()
    assert done == []


def test_it_looks_by_itself_goes_on_after_an_error_and_stops(
    tmp_path: Path, clock: ManualClock, ids: IdSource, caplog: pytest.LogCaptureFixture
) -> None:
    done, looks = Event(), []

    def always() -> None:
        looks.append(1)
        if len(looks) == 1:
            raise RuntimeError("the first look fails")

    clock = ManualClock(tick=timedelta(hours=1))
    tenants = tenants_of(ids, clock, "one")
    schedule = Scheduler(
        ScheduleSettings(tick_s=0.05),
        jobs=[Job(kind="work", every_s=1.0, work=lambda _: done.set())],
        tenants=lambda: tenants,
        folder=tmp_path,
        clock=clock,
        always=always,
    )
    schedule.start()
    schedule.start()
    assert done.wait(5)
    assert schedule.close()
    assert "the first look fails" in caplog.text
    count = len(looks)
    time.sleep(0.12)
    assert len(looks) == count


def test_stopping_waits_within_a_bound(tmp_path: Path, clock: ManualClock, ids: IdSource) -> None:
    begun, go_on, done = Event(), Event(), []

    def work(tenant: Tenant | None) -> None:
        begun.set()
        go_on.wait(10)
        done.append(tenant)

    tenants = tenants_of(ids, clock, "one", "two")
    schedule = Scheduler(
        ScheduleSettings(),
        jobs=[Job(kind="work", every_s=1.0, work=work)],
        tenants=lambda: tenants,
        folder=tmp_path,
        clock=clock,
    )
    clock.advance(hours=1)
    schedule._begin_due()
    clock.advance(hours=1)
    schedule._begin_due()
    assert begun.wait(5)
    began = time.perf_counter()
    assert not schedule.close(wait_s=0.05)
    assert time.perf_counter() - began < 2
    go_on.set()
    assert schedule.close()
    assert len(done) == 1  # what had not begun never does


HOLDER = """
import fcntl, os, sys, time
handle = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR, 0o600)
fcntl.flock(handle, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


def test_of_several_processes_one_does_the_work(
    made: Made, clock: ManualClock, ids: IdSource, tmp_path: Path
) -> None:
    (tmp_path / "schedule").mkdir()
    lock = tmp_path / "schedule" / "schedule.lock"
    done: list[Any] = []
    schedule = made(
        Job(kind="work", every_s=1.0, work=done.append), tenants=tenants_of(ids, clock, "one")
    )
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, os.fspath(lock)], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        for _ in range(3):
            clock.advance(hours=1)
            assert schedule.run_pending() == 0
        other.kill()
        other.wait()
    for _ in range(2):
        clock.advance(hours=1)
        schedule.run_pending()
    assert len(done) == 1


class Copies:
    """Notes who was copied."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.made: list[tuple[str, int]] = []
        self.pruned: list[str] = []

    def make(self, tenant_id: str, engine: Engine) -> Copied:
        self.made.append((tenant_id, engine.count()))
        at = self.clock.now()
        made = Backup(
            tenant_id=tenant_id, name="copy", made_at=at, schema_version=1, size_bytes=4_096
        )
        return Copied(backup=made, seconds=0.1)

    def prune(self, tenant_id: str) -> list[str]:
        self.pruned.append(tenant_id)
        return []


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 5, 1, 12, tzinfo=UTC))


def test_the_work_of_a_server_is_done(
    made: Made, estate: Estate, plane: ControlPlane, pool: EnginePool, clock: ManualClock
) -> None:
    one = estate.provision("one").tenant
    gone = estate.provision("gone").tenant
    lost = estate.provision("lost").tenant
    estate.places.remove(lost.id)
    with pool.lease(one) as engine:
        engine.remember("the key is under the mat")
        engine.remember("the key is under the mat")
        engine.remember("only today", expires_at=clock.now() + timedelta(minutes=30))
    event = UsageEvent(
        request_id="r1", tenant_id=one.id, at=clock.now(), route="POST /v1/search", status=200
    )
    plane.record_usage([event])
    estate.delete(gone.id)
    copies, seconds, apart = Copies(clock), [0.0], Apart()
    settings = ScheduleSettings(dream_every_s=HOUR, dream_idle_s=300)
    jobs = jobs_of(
        settings,
        estate=estate,
        clock=clock,
        apart=apart,
        backups=copies,
        backup_settings=BackupSettings(place="/anywhere", every_s=HOUR),
        timer=lambda: seconds[0],
    )
    assert {each.kind for each in jobs} == {
        *("clean_up", "measure", "roll_up", "purge", "dream", "backup")
    }
    schedule = Scheduler(
        settings,
        jobs=jobs,
        tenants=lambda: plane.as_operator().tenants(state="active"),
        folder=estate.places.root,
        clock=clock,
    )
    pool._asked[one.id] = 0.0  # asked for a moment ago
    schedule.run_pending()
    clock.advance(hours=2)
    schedule.run_pending()
    with pool.lease(one, quiet=True) as engine:
        assert engine.dreams() == []  # somebody asked a moment ago
        assert engine.store.changes.last() >= 4  # what expired was removed
        assert engine.count() == 2
    seconds[0] = 301.0
    schedule.run_pending()
    with pool.lease(one, quiet=True) as engine:
        assert [run.author for run in engine.dreams()] == ["schedule"]
        assert len(engine.recall("key")) == 1
    assert [each for each, _ in copies.made] == [one.id]
    assert copies.pruned == [one.id]
    (day,) = [
        each
        for each in plane.within(one.id).usage(date(2026, 5, 1), date(2026, 5, 2))
        if each.memories_stored
    ]
    assert day.memories_stored in {2, 3}
    assert day.storage_bytes > 10_000
    clock.advance(days=31)
    schedule.run_pending()
    assert plane.tenant(gone.id) is None
    assert not estate.places.exists(gone.id)
    assert plane.tenant(lost.id) is not None
    assert schedule.close()
    apart.close()


def test_without_a_place_for_backups_none_are_made(estate: Estate, clock: ManualClock) -> None:
    jobs = jobs_of(
        ScheduleSettings(),
        estate=estate,
        clock=clock,
        backups=Copies(clock),
        backup_settings=BackupSettings(),
    )
    assert {each.kind for each in jobs} == {"clean_up", "measure", "roll_up", "purge"}


def test_a_schedule_needs_a_pool(estate: Estate, clock: ManualClock) -> None:
    bare = replace_pool(estate)
    with pytest.raises(ValueError, match="pool"):
        jobs_of(ScheduleSettings(), estate=bare, clock=clock)


def replace_pool(estate: Estate) -> Estate:
    from engram_lab.serve.tenants.provisioning import Estate as Bare

    return Bare(
        plane=estate.plane,
        places=estate.places,
        configurations=estate.configurations,
        clock=ManualClock(),
    )
