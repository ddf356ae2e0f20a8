from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import sleep
from typing import TYPE_CHECKING

import pytest

from engram_lab.serve.tenants import express
from engram_lab.serve.tenants.express import Express

if TYPE_CHECKING:
    from engram_lab.engine import Engine
    from engram_lab.serve.control.records import Tenant
    from engram_lab.serve.tenants.pool import EnginePool

MakeTenant = Callable[..., "Tenant"]


class Timer:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
def way(pool: EnginePool, timer: Timer) -> Express:
    return Express(pool, timer, busy=timer)


@pytest.fixture
def tenant(pool: EnginePool, tenant_of: MakeTenant) -> Tenant:
    tenant = tenant_of()
    with pool.lease(tenant) as engine:
        engine.remember("the key is under the mat")
    return tenant


def asked(engine: Engine) -> list[str]:
    return [hit.memory.content for hit in engine.recall("key")]


def known(way: Express, pool: EnginePool, tenant: Tenant) -> None:
    """Ask twice in a thread: once to take in what is there, once to see how long it takes."""
    for _ in range(2):
        in_a_thread(way, pool, tenant)


def in_a_thread(way: Express, pool: EnginePool, tenant: Tenant) -> list[str]:
    with pool.lease(tenant, brief=True) as engine:
        return way.timed(asked, engine)


def test_once_an_answer_was_quick_the_next_ones_are_given_at_once(
    way: Express, pool: EnginePool, tenant: Tenant
) -> None:
    for _ in range(2):
        assert way.answer(tenant, asked) is None
        assert in_a_thread(way, pool, tenant) == ["the key is under the mat"]
    assert way.answer(tenant, asked) == (["the key is under the mat"],)
    assert way.answered == 1


def test_what_was_written_since_is_taken_in_by_a_thread_first(
    way: Express, pool: EnginePool, tenant: Tenant
) -> None:
    known(way, pool, tenant)
    with pool.lease(tenant) as engine:
        engine.remember("the other key is in the drawer")
    assert way.answer(tenant, asked) is None
    known(way, pool, tenant)
    found = way.answer(tenant, asked)
    assert found is not None
    assert len(found[0]) == 2


def test_an_engine_that_is_not_open_is_not_opened(
    way: Express, pool: EnginePool, tenant: Tenant
) -> None:
    known(way, pool, tenant)
    pool.close_tenant(tenant.id)
    assert way.answer(tenant, asked) is None
    assert not pool.is_open(tenant.id)


def test_an_engine_that_is_opened_anew_begins_anew(
    way: Express, pool: EnginePool, tenant: Tenant
) -> None:
    known(way, pool, tenant)
    pool.close_tenant(tenant.id)
    in_a_thread(way, pool, tenant)
    assert way.answer(tenant, asked) is None


def test_while_somebody_has_the_engine_for_long_it_is_left_alone(
    way: Express, pool: EnginePool, tenant: Tenant
) -> None:
    known(way, pool, tenant)
    with pool.lease(tenant):
        assert way.answer(tenant, asked) is None
    with pool.lease(tenant, brief=True):
        assert way.answer(tenant, asked) is not None


def test_whoever_wants_it_for_long_waits_until_the_answer_is_there(
    way: Express, pool: EnginePool, tenant: Tenant
) -> None:
    known(way, pool, tenant)
    with ThreadPoolExecutor(2) as threads:

        def while_asked(engine: Engine) -> Future[int]:
            brief = threads.submit(in_a_thread, way, pool, tenant)
            long = threads.submit(_count, pool, tenant)
            assert brief.result(5) == asked(engine)
            sleep(0.05)
            assert not long.done()
            return long

        found = way.answer(tenant, while_asked)
        assert found is not None
        assert found[0].result(5) == 1


def test_one_that_took_long_sends_the_next_ones_to_threads(
    way: Express, pool: EnginePool, tenant: Tenant, timer: Timer
) -> None:
    known(way, pool, tenant)

    def slow(engine: Engine) -> list[str]:
        timer.now += 1.0
        return asked(engine)

    assert way.answer(tenant, slow) is not None
    for _ in range(express._PROBATION):
        assert way.answer(tenant, asked) is None
        in_a_thread(way, pool, tenant)
    assert way.answer(tenant, asked) is not None


def test_what_waits_for_another_machine_is_never_answered_at_once(
    way: Express, pool: EnginePool, tenant: Tenant, timer: Timer
) -> None:
    def remote(engine: Engine) -> list[str]:
        timer.now += 0.1
        return asked(engine)

    for _ in range(5):
        with pool.lease(tenant, brief=True) as engine:
            way.timed(remote, engine)
        assert way.answer(tenant, remote) is None


def test_what_takes_long_for_it_takes_in_much_is_no_slow_answer(
    way: Express, pool: EnginePool, tenant: Tenant, timer: Timer
) -> None:
    def takes_in(engine: Engine) -> list[str]:
        timer.now += 1.0
        return asked(engine)

    with pool.lease(tenant, brief=True) as engine:
        way.timed(takes_in, engine)
    in_a_thread(way, pool, tenant)
    assert way.answer(tenant, asked) is not None


def test_an_error_gives_the_engine_back(way: Express, pool: EnginePool, tenant: Tenant) -> None:
    known(way, pool, tenant)

    def fails(engine: Engine) -> None:
        raise ValueError(engine.count())

    with pytest.raises(ValueError, match="1"):
        way.answer(tenant, fails)
    assert pool.in_use == 0
    assert _count(pool, tenant) == 1


def test_a_database_that_went_away_is_a_threads_to_tell(
    way: Express, pool: EnginePool, tenant: Tenant
) -> None:
    known(way, pool, tenant)
    place = pool._places.database(tenant.id)
    kept = place.with_name("kept")
    place.rename(kept)
    assert way.answer(tenant, asked) is None
    assert pool.in_use == 0
    kept.rename(place)


def _count(pool: EnginePool, tenant: Tenant) -> int:
    with pool.lease(tenant) as engine:
        return engine.count()
