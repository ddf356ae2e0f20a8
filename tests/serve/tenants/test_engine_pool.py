from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from random import Random
from threading import Barrier, Event, Lock
from typing import TYPE_CHECKING, cast

import pytest

from engram_lab.core.copies import make_backup, restore_backup
from engram_lab.serve.control.records import Tenant
from engram_lab.serve.errors import InternalError, UnavailableError
from engram_lab.serve.tenants.pool import EnginePool

if TYPE_CHECKING:
    from engram_lab.engine import Engine
    from engram_lab.serve.tenants.configurations import Configurations
    from engram_lab.serve.tenants.places import Places

MakeTenant = Callable[..., Tenant]


class Timer:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_an_engine_is_opened_once_and_stays_open(pool: EnginePool, tenant_of: MakeTenant) -> None:
    tenant = tenant_of()
    with pool.lease(tenant) as one:
        one.remember("the key is under the mat")
    with pool.lease(tenant) as two, pool.lease(tenant) as three:
        assert one is two is three
        assert two.count() == 1
        assert pool.in_use == 2
    assert (pool.open_count, pool.in_use) == (1, 0)


def test_the_longest_unused_engine_goes_first(pool: EnginePool, tenant_of: MakeTenant) -> None:
    tenants = [tenant_of(f"t{number}") for number in range(4)]
    for tenant in (*tenants[:3], tenants[0], tenants[3]):
        with pool.lease(tenant):
            pass
    assert [pool.is_open(each.id) for each in tenants] == [True, False, True, True]
    assert pool.open_count == 3


def test_the_servers_own_work_drives_out_nobody(pool: EnginePool, tenant_of: MakeTenant) -> None:
    tenants = [tenant_of(f"t{number}") for number in range(5)]
    for tenant in tenants[:2]:
        with pool.lease(tenant):
            pass
    for tenant in tenants[2:]:
        with pool.lease(tenant, quiet=True):
            pass
    assert [pool.is_open(each.id) for each in tenants] == [True, True, False, False, True]
    assert pool.asked_at(tenants[4].id) is None
    assert pool.asked_at(tenants[0].id) is not None


def test_an_engine_in_use_is_never_closed_for_another(
    places: Places, configurations: Configurations, tenant_of: MakeTenant
) -> None:
    pool = EnginePool(
        configurations.open, places=places, max_open=1, idle_close_s=1, wait_s=0.05, timer=Timer()
    )
    one, two = tenant_of("one"), tenant_of("two")
    with pool.lease(one) as engine:
        with pytest.raises(UnavailableError) as refused, pool.lease(two):
            pass
        assert refused.value.headers["Retry-After"]
        assert engine.count() == 0
    with pool.lease(two) as other:
        assert other.count() == 0
    assert pool.close() == 0


def test_whoever_waits_for_room_gets_it(
    places: Places, configurations: Configurations, tenant_of: MakeTenant
) -> None:
    pool = EnginePool(configurations.open, places=places, max_open=1, idle_close_s=1)
    one, two = tenant_of("one"), tenant_of("two")
    with ThreadPoolExecutor(1) as threads:
        with pool.lease(one):
            waiting = threads.submit(lambda: _count(pool, two))
            time.sleep(0.02)
            assert not waiting.done()
        assert waiting.result(5) == 0
    assert pool.close() == 0


def test_idle_engines_are_closed(
    places: Places, configurations: Configurations, tenant_of: MakeTenant
) -> None:
    timer, told = Timer(), []
    pool = EnginePool(
        configurations.open,
        places=places,
        max_open=5,
        idle_close_s=60,
        timer=timer,
        told=lambda event, count: told.append((event, count)),
    )
    tenants = [tenant_of(f"t{number}") for number in range(3)]
    for tenant in tenants:
        _count(pool, tenant)
        timer.now += 30
    with pool.lease(tenants[0]):
        timer.now += 60
        assert pool.close_idle() == 2
    assert [pool.is_open(each.id) for each in tenants] == [True, False, False]
    assert told == [("opened", 1), ("opened", 2), ("opened", 3), ("idle", 2), ("idle", 1)]
    assert pool.close() == 0


def test_a_database_that_is_missing_is_not_made(
    pool: EnginePool, places: Places, tenant_of: MakeTenant
) -> None:
    tenant = tenant_of()
    places.remove(tenant.id)
    with pytest.raises(UnavailableError), pool.lease(tenant):
        pass
    places.make(tenant.id)
    with pytest.raises(UnavailableError), pool.lease(tenant):
        pass
    assert list(places.folder(tenant.id).iterdir()) == []
    assert pool.open_count == 0


def test_a_database_deleted_under_an_open_engine_is_noticed_before_the_next_request(
    pool: EnginePool, places: Places, tenant_of: MakeTenant
) -> None:
    tenant = tenant_of()
    with pool.lease(tenant) as engine:
        engine.remember("it was here")
    places.database(tenant.id).unlink()
    for _ in range(3):
        with pytest.raises(UnavailableError), pool.lease(tenant):
            pass
    assert not places.exists(tenant.id)


def test_what_is_written_into_a_deleted_database_is_not_told_as_done(
    pool: EnginePool, places: Places, tenant_of: MakeTenant
) -> None:
    tenant = tenant_of()

    def write() -> None:
        with pool.lease(tenant) as engine:
            places.database(tenant.id).unlink()
            engine.remember("into nothing")

    with pytest.raises(UnavailableError):
        write()
    assert not places.exists(tenant.id)


def test_a_database_that_another_took_the_place_of_is_opened_anew(
    pool: EnginePool,
    places: Places,
    tenant_of: MakeTenant,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    tenant = tenant_of()
    copy = tmp_path_factory.mktemp("copies") / "copy.db"
    with pool.lease(tenant) as engine:
        engine.remember("before")
        make_backup(engine.store, copy)
        engine.remember("after")
    with pool.closed(tenant.id):
        restore_backup(copy, places.database(tenant.id))
    with pool.lease(tenant) as engine:
        assert [each.content for each in engine.select().memories] == ["before"]
    other = places.database(tenant.id).with_name("engram.db.new")
    other.write_bytes(copy.read_bytes())
    other.replace(places.database(tenant.id))  # without telling anybody
    with pool.lease(tenant) as again:
        assert again is not engine


def test_a_corrupt_database_concerns_its_tenant_alone(
    places: Places, configurations: Configurations, tenant_of: MakeTenant
) -> None:
    timer, opened = Timer(), []

    def open_engine(tenant: Tenant) -> Engine:
        opened.append(tenant.slug)
        return configurations.open(tenant)

    pool = EnginePool(open_engine, places=places, max_open=3, idle_close_s=60, timer=timer)
    broken, sound = tenant_of("broken"), tenant_of("sound")
    good = places.database(broken.id).read_bytes()
    places.database(broken.id).write_bytes(b"this is no database at all" * 100)
    for _ in range(5):
        with pytest.raises(UnavailableError) as refused, pool.lease(broken):
            pass
        assert str(places.root) not in str(refused.value)
        assert _count(pool, sound) == 0
    assert opened == ["broken", "sound"]  # it was tried once, and not at each request
    timer.now += 6
    with pytest.raises(UnavailableError), pool.lease(broken):
        pass
    assert opened == ["broken", "sound", "broken"]
    places.database(broken.id).write_bytes(good)  # a repair is noticed at once
    assert _count(pool, broken) == 0
    assert pool.close() == 0


def test_a_slow_opening_holds_up_nobody_else_and_happens_once(
    places: Places, configurations: Configurations, tenant_of: MakeTenant
) -> None:
    slow, quick = tenant_of("slow"), tenant_of("quick")
    begun, go_on, opened = Event(), Event(), []

    def open_engine(tenant: Tenant) -> Engine:
        opened.append(tenant.slug)
        if tenant.slug == "slow":
            begun.set()
            assert go_on.wait(10)
        return configurations.open(tenant)

    pool = EnginePool(open_engine, places=places, max_open=3, idle_close_s=60)
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(_count, pool, slow) for _ in range(3)]
        assert begun.wait(10)
        assert threads.submit(_count, pool, quick).result(5) == 0
        go_on.set()
        assert [each.result(5) for each in waiting] == [0, 0, 0]
    assert opened == ["slow", "quick"]
    assert pool.close() == 0


def test_an_error_that_is_told_to_several_is_not_one_object(
    places: Places, tenant_of: MakeTenant
) -> None:
    tenant = tenant_of()

    def open_engine(_: Tenant) -> Engine:
        raise InternalError("no", details={"why": "so"}, headers={"x": "y"})

    pool = EnginePool(open_engine, places=places, max_open=3, idle_close_s=60)
    met = []
    for _ in range(3):
        with pytest.raises(InternalError) as refused, pool.lease(tenant):
            pass
        met.append(refused.value)
    assert len({id(each) for each in met}) == 3
    assert {(str(each), each.details["why"], each.headers["x"]) for each in met} == {
        ("no", "so", "y")
    }
    assert pool.close() == 0


def test_a_closed_tenant_is_refused_until_the_end_of_the_block(
    pool: EnginePool, tenant_of: MakeTenant
) -> None:
    tenant, other = tenant_of("one"), tenant_of("two")
    _count(pool, tenant)
    with pool.closed(tenant.id):
        assert not pool.is_open(tenant.id)
        with pytest.raises(UnavailableError), pool.lease(tenant):
            pass
        assert _count(pool, other) == 0
    assert _count(pool, tenant) == 0


def test_closing_a_tenant_waits_for_its_requests_but_not_for_ever(
    pool: EnginePool, tenant_of: MakeTenant
) -> None:
    tenant = tenant_of()
    with pool.lease(tenant) as engine:
        with pytest.raises(UnavailableError):
            pool.close_tenant(tenant.id, wait_s=0.02)
        assert engine.count() == 0
    with pool.lease(tenant) as again:  # it is barred no more
        assert again is engine
    with ThreadPoolExecutor(1) as threads:
        with pool.lease(tenant) as engine:
            closing = threads.submit(pool.close_tenant, tenant.id)
            while not pool._barred:  # until it has begun
                time.sleep(0.001)
            assert engine.count() == 0
            assert not closing.done()
        closing.result(5)
    assert not pool.is_open(tenant.id)


def test_a_newer_configuration_takes_over_without_dropping_a_request(
    places: Places, configurations: Configurations, tenant_of: MakeTenant
) -> None:
    version = [1]
    pool = EnginePool(
        configurations.open,
        places=places,
        max_open=3,
        idle_close_s=60,
        version=lambda _: version[0],
    )
    tenant = tenant_of()
    with pool.lease(tenant) as former:
        former.remember("one")
        version[0] = 2
        with pool.lease(tenant) as latter:
            assert latter is not former
            assert former.count() == latter.count() == 1
            latter.remember("two")
        assert former.count() == 2
        assert pool.open_count == 2
    _until(lambda: pool.open_count == 1)
    with pool.lease(tenant) as again:
        assert again is latter
    version[0] = 3
    with pool.lease(tenant) as idle_swap:
        assert idle_swap is not latter
        assert pool.open_count == 1
    assert pool.close() == 0


def test_closing_the_pool_drains_it(pool: EnginePool, tenant_of: MakeTenant) -> None:
    one, two = tenant_of("one"), tenant_of("two")
    _count(pool, two)
    with pool.lease(one) as engine:
        assert pool.close(wait_s=0.01) == 1
        assert engine.count() == 0
        with pytest.raises(UnavailableError), pool.lease(two):
            pass
    _until(lambda: pool.open_count == 0)
    assert pool.close() == 0


def test_a_bundle_assigned_anew_is_another_version(
    places: Places, configurations: Configurations, tenant_of: MakeTenant
) -> None:
    seen: list[str | None] = []

    def open_engine(tenant: Tenant) -> Engine:
        seen.append(tenant.bundle)
        return configurations.open(replace(tenant, bundle=None))

    pool = EnginePool(open_engine, places=places, max_open=3, idle_close_s=60)
    tenant = tenant_of()
    _count(pool, tenant)
    _count(pool, replace(tenant, bundle="canary"))
    assert seen == [None, "canary"]
    assert pool.close() == 0


class Watched:
    """Stands for an engine, and knows whether it is closed and how many of its tenant are open."""

    def __init__(self, stage: Stage, tenant_id: str) -> None:
        self._stage = stage
        self._tenant_id = tenant_id
        self.closed = False
        stage.enter(tenant_id)

    def close(self) -> None:
        time.sleep(0.0002)
        self.closed = True
        self._stage.leave(self._tenant_id)


class Stage:
    def __init__(self) -> None:
        self.lock = Lock()
        self.open: dict[str, int] = {}
        self.most = 0
        self.faults: list[str] = []

    def enter(self, tenant_id: str) -> None:
        with self.lock:
            self.open[tenant_id] = self.open.get(tenant_id, 0) + 1
            if self.open[tenant_id] > 1:
                self.faults.append("two engines of one tenant")
            self.most = max(self.most, sum(self.open.values()))

    def leave(self, tenant_id: str) -> None:
        with self.lock:
            self.open[tenant_id] -= 1


class Crowd:
    """Threads that lease at random, and one that closes what it can."""

    def __init__(self, pool: EnginePool, tenants: list[Tenant], stage: Stage, seed: int) -> None:
        self._pool = pool
        self._tenants = tenants
        self._stage = stage
        self._seed = seed
        self._begin, self._stop = Barrier(9), Event()
        self.refused: list[str] = []

    def run(self) -> int:
        """Return how many leases there were."""
        with ThreadPoolExecutor(9) as threads:
            disturbing = threads.submit(self._disturb)
            done = [threads.submit(self._lease, number) for number in range(8)]
            counts = [each.result(60) for each in done]
            self._stop.set()
            disturbing.result(10)
        return sum(counts)

    def _lease(self, number: int) -> int:
        chance, done = Random(f"{self._seed} {number}"), 0  # noqa: S311
        self._begin.wait()
        for _ in range(250):
            quiet, pause = chance.random() < 0.2, chance.random() < 0.3
            try:
                with self._pool.lease(chance.choice(self._tenants), quiet=quiet) as engine:
                    self._look(engine)
                    time.sleep(0.0003 if pause else 0)
                    self._look(engine)
                    done += 1
            except InternalError:
                continue
            except UnavailableError as error:
                self.refused.append(str(error))
        return done

    def _look(self, engine: Engine) -> None:
        if cast("Watched", engine).closed:
            self._stage.faults.append("somebody has a closed engine")

    def _disturb(self) -> None:
        chance = Random(f"{self._seed} disturb")  # noqa: S311
        self._begin.wait()
        while not self._stop.is_set():
            if chance.random() < 0.5:
                self._pool.close_idle()
            else:
                self._pool.close_tenant(chance.choice(self._tenants).id)
            time.sleep(0.001)


@pytest.mark.parametrize("seed", range(3))
def test_under_stress_no_tenant_has_two_engines_and_nobody_has_a_closed_one(
    places: Places, tenant_of: MakeTenant, seed: int
) -> None:
    stage, opened = Stage(), count(1)

    def open_engine(tenant: Tenant) -> Engine:
        time.sleep(0.0002)
        if next(opened) % 50 == 0:
            raise InternalError("by design")
        return cast("Engine", Watched(stage, tenant.id))

    pool = EnginePool(
        open_engine, places=places, max_open=4, idle_close_s=0.0, wait_s=10, fault_s=0
    )
    crowd = Crowd(pool, [tenant_of(f"t{number}") for number in range(8)], stage, seed)
    done = crowd.run()
    assert stage.faults == []
    assert stage.most <= 4
    # Only a tenant that was just being closed may have refused, never a lack of room.
    assert set(crowd.refused) <= {"the memories of this tenant cannot be reached now"}
    assert done > 1_500
    assert pool.close() == 0
    assert sum(stage.open.values()) == 0


def test_under_stress_swaps_lose_no_request(places: Places, tenant_of: MakeTenant) -> None:
    stage, version, stop = Stage(), [0], Event()

    def open_engine(tenant: Tenant) -> Engine:
        return cast("Engine", Watched(stage, tenant.id))

    pool = EnginePool(
        open_engine, places=places, max_open=6, idle_close_s=60, version=lambda _: version[0]
    )
    tenants = [tenant_of(f"t{number}") for number in range(2)]
    closed_while_used = []

    def work(tenant: Tenant) -> int:
        done = 0
        while not stop.is_set():
            with pool.lease(tenant) as engine:
                time.sleep(0.0002)
                if cast("Watched", engine).closed:
                    closed_while_used.append(tenant.slug)
            done += 1
        return done

    with ThreadPoolExecutor(4) as threads:
        done = [threads.submit(work, tenants[number % 2]) for number in range(4)]
        for number in range(1, 60):
            version[0] = number
            time.sleep(0.003)
        stop.set()
        assert min(each.result(30) for each in done) > 10
    assert closed_while_used == []
    assert stage.most <= 6
    assert pool.close() == 0
    assert sum(stage.open.values()) == 0


def test_many_tenants_in_turn_leave_no_more_open_than_allowed(
    pool: EnginePool, tenant_of: MakeTenant
) -> None:
    tenants = [tenant_of(f"t{number}") for number in range(12)]
    before = threading.active_count()
    for turn in range(3):
        for tenant in tenants:
            with pool.lease(tenant) as engine:
                engine.remember(f"{tenant.slug} in turn {turn}")
                assert pool.open_count <= 3
    for tenant in tenants:
        assert _count(pool, tenant) == 3
    assert threading.active_count() == before


def _count(pool: EnginePool, tenant: Tenant) -> int:
    with pool.lease(tenant) as engine:
        return engine.count()


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if holds():
            return
        time.sleep(0.001)
    raise AssertionError("it did not come to be")
