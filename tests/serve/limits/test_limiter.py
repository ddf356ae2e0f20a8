from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram_lab.config.serving import LimitSettings
from engram_lab.core.errors import ConfigError
from engram_lab.serve.errors import UnavailableError
from engram_lab.serve.limits import Limiter, Taken, limits_of
from engram_lab.serve.limits.redis_bucket import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.serve.control.records import Plan, Tenant
    from tests.serve.limits.conftest import RedisServer, Timer

ROUTE = "POST /v1/search"

pytestmark = pytest.mark.anyio


async def test_a_bucket_is_of_one_tenant_and_one_route(
    tenant_of: Callable[..., Tenant], timer: Timer
) -> None:
    limiter = Limiter(LimitSettings(per_minute=60, burst=2), timer)
    acme, globex = tenant_of(), tenant_of(name="globex")
    assert [(await limiter.take(acme, ROUTE)).allowed for _ in range(3)] == [True, True, False]
    assert (await limiter.take(acme, "GET /v1/memories")).allowed
    assert (await limiter.take(globex, ROUTE)).allowed


async def test_an_answer_tells_what_is_left_and_when_to_come_again(
    tenant_of: Callable[..., Tenant], timer: Timer
) -> None:
    limiter = Limiter(LimitSettings(per_minute=40, burst=2), timer)
    first = await limiter.take(tenant_of(), ROUTE)
    assert first == Taken(allowed=True, limit=2, per_minute=40, remaining=1, reset_s=1.5)
    assert first.headers == {
        "X-RateLimit-Limit": "2",
        "X-RateLimit-Remaining": "1",
        "X-RateLimit-Reset": "2",
    }
    await limiter.take(tenant_of(), ROUTE)
    timer.now += 0.25
    refused = await limiter.take(tenant_of(), ROUTE)
    assert not refused.allowed
    assert (refused.remaining, refused.reset_s, refused.retry_after_s) == (0, 2.75, 1.25)
    assert refused.headers == {
        "X-RateLimit-Limit": "2",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "3",
        "Retry-After": "2",
    }


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    per_minute=st.integers(1, 10_000),
    burst=st.integers(1, 5),
    waits=st.lists(st.integers(0, 200), max_size=12),
)
def test_who_waits_as_long_as_told_gets_in(
    per_minute: int, burst: int, waits: list[int], tenant_of: Callable[..., Tenant]
) -> None:
    now = [0.0]
    limiter = Limiter(LimitSettings(per_minute=per_minute, burst=burst), lambda: now[0])

    async def check() -> None:
        for wait in waits:
            now[0] += wait / 64
            taken = await limiter.take(tenant_of(), ROUTE)
            assert 0 <= taken.remaining < burst
            if not taken.allowed:
                now[0] += int(taken.headers["Retry-After"])
                assert (await limiter.take(tenant_of(), ROUTE)).allowed
            else:
                assert "Retry-After" not in taken.headers

    asyncio.run(check())


async def test_after_the_reset_all_of_the_limit_would_pass(
    tenant_of: Callable[..., Tenant], timer: Timer
) -> None:
    limiter = Limiter(LimitSettings(per_minute=7, burst=5), timer)
    for _ in range(5):
        taken = await limiter.take(tenant_of(), ROUTE)
    timer.now += int(taken.headers["X-RateLimit-Reset"])
    assert taken.limit == 5
    assert all([(await limiter.take(tenant_of(), ROUTE)).allowed for _ in range(5)])


@pytest.mark.parametrize("plan", ["free", "pro", "team"])
async def test_a_plan_has_its_own_rate(
    plan: Plan, tenant_of: Callable[..., Tenant], timer: Timer
) -> None:
    taken = await Limiter(LimitSettings(), timer).take(tenant_of(plan), ROUTE)
    limits = limits_of(plan)
    assert (taken.limit, taken.per_minute) == (limits.burst, limits.per_minute)


@pytest.mark.parametrize(
    ("limits", "plan"),
    [
        (LimitSettings(), "dedicated"),
        (LimitSettings(burst=1), "dedicated"),
        (LimitSettings(enabled=False, per_minute=1, burst=1), "free"),
    ],
)
async def test_without_a_limit_all_pass_and_nothing_is_told_of_one(
    limits: LimitSettings, plan: Plan, tenant_of: Callable[..., Tenant], timer: Timer
) -> None:
    limiter = Limiter(limits, timer)
    for _ in range(5):
        taken = await limiter.take(tenant_of(plan), ROUTE)
        assert taken == Taken(allowed=True)
        assert taken.headers == {}


async def test_a_batch_takes_as_many_as_it_holds_or_none(
    tenant_of: Callable[..., Tenant], timer: Timer
) -> None:
    limiter = Limiter(LimitSettings(per_minute=60, burst=5), timer)
    assert (await limiter.take(tenant_of(), ROUTE, 3)).remaining == 2
    refused = await limiter.take(tenant_of(), ROUTE, 3)
    assert (refused.allowed, refused.remaining, refused.retry_after_s) == (False, 2, 1.0)
    never = await limiter.take(tenant_of(), ROUTE, 6)
    assert (never.allowed, never.retry_after_s, never.headers["Retry-After"]) == (False, 3.0, "3")


async def test_servers_that_share_a_redis_count_together_whatever_their_clocks_say(
    redis_server: RedisServer, tenant_of: Callable[..., Tenant], timer: Timer
) -> None:
    chosen = LimitSettings(per_minute=1, burst=4, redis_url=redis_server.url)
    timers = (time.perf_counter, timer, lambda: -1e9)
    servers = [Limiter(chosen, each, timeout_s=10) for each in timers]
    allowed = []
    for number in range(9):
        timer.now += 1_000_000
        allowed.append((await servers[number % 3].take(tenant_of(), ROUTE)).allowed)
    assert allowed == [True] * 4 + [False] * 5
    for server in servers:
        assert not server.degraded
        await server.close()
        await server.close()


async def test_a_client_that_was_given_is_not_closed(
    redis_server: RedisServer, tenant_of: Callable[..., Tenant], timer: Timer
) -> None:
    client = connect(redis_server.url, timeout_s=5)
    limiter = Limiter(LimitSettings(per_minute=1, burst=4), timer, redis=client, timeout_s=10)
    assert (await limiter.take(tenant_of(), ROUTE)).remaining == 3
    await limiter.close()
    assert (await limiter.take(tenant_of(), ROUTE)).remaining == 2
    await client.aclose()


async def test_without_redis_each_server_counts_for_itself_until_it_is_back(
    redis_server: RedisServer, tenant_of: Callable[..., Tenant], timer: Timer
) -> None:
    chosen = LimitSettings(per_minute=1, burst=2, redis_url=redis_server.url)
    limiter = Limiter(chosen, timer, timeout_s=10)
    assert [(await limiter.take(tenant_of(), ROUTE)).remaining for _ in range(2)] == [1, 0]
    redis_server.kill()
    assert [(await limiter.take(tenant_of(), ROUTE)).remaining for _ in range(2)] == [1, 0]
    assert not (await limiter.take(tenant_of(), ROUTE)).allowed
    assert limiter.degraded
    redis_server.start()
    assert not (await limiter.take(tenant_of(), ROUTE)).allowed  # not asked again yet
    timer.now += 1
    taken = await limiter.take(tenant_of(), ROUTE)
    assert (taken.allowed, taken.remaining) == (True, 1)  # a Redis that forgot everything
    assert not limiter.degraded
    await limiter.close()


async def test_without_redis_all_pass_where_it_is_set_so(
    redis_server: RedisServer, tenant_of: Callable[..., Tenant], timer: Timer
) -> None:
    chosen = LimitSettings(per_minute=1, burst=1, redis_url=redis_server.url, without_redis="open")
    limiter = Limiter(chosen, timer, timeout_s=10)
    redis_server.kill()
    for _ in range(5):
        assert await limiter.take(tenant_of(), ROUTE) == Taken(allowed=True)
    assert limiter.degraded
    await limiter.close()


async def test_without_redis_nobody_passes_where_it_is_set_so(
    redis_server: RedisServer, tenant_of: Callable[..., Tenant], timer: Timer
) -> None:
    chosen = LimitSettings(redis_url=redis_server.url, without_redis="closed")
    limiter = Limiter(chosen, timer, timeout_s=10)
    redis_server.kill()
    for _ in range(3):
        with pytest.raises(UnavailableError) as refused:
            await limiter.take(tenant_of(), ROUTE)
        assert refused.value.headers == {"Retry-After": "1"}
        assert "redis" not in str(refused.value).lower()
    assert (await limiter.take(tenant_of("dedicated"), ROUTE)).allowed  # nothing to be counted
    redis_server.start()
    timer.now += 1
    assert (await limiter.take(tenant_of(), ROUTE)).allowed
    await limiter.close()


async def test_a_redis_that_does_not_answer_holds_up_one_request_a_while(
    redis_server: RedisServer, tenant_of: Callable[..., Tenant], timer: Timer
) -> None:
    chosen = LimitSettings(per_minute=60, burst=50, redis_url=redis_server.url)
    limiter = Limiter(chosen, timer, timeout_s=1)
    assert (await limiter.take(tenant_of(), ROUTE)).remaining == 49
    redis_server.freeze()

    async def seconds(number: int = 1) -> float:
        began = time.perf_counter()
        await asyncio.gather(*(limiter.take(tenant_of(), ROUTE) for _ in range(number)))
        return time.perf_counter() - began

    assert 0.9 < await seconds(10) < 4  # those that were under way when it froze
    assert limiter.degraded
    assert await seconds(30) < 0.5
    timer.now += 1
    assert 0.9 < await seconds(30) < 4  # one asks again, the others do not wait for it
    assert await seconds(30) < 0.5
    redis_server.thaw()
    await asyncio.sleep(0.1)
    timer.now += 2
    # What it was asked while it was frozen, and which nobody waited for, it may have counted.
    assert 49 - 12 <= (await limiter.take(tenant_of(), ROUTE)).remaining <= 49
    assert not limiter.degraded
    assert await seconds(5) < 0.5
    await limiter.close()


async def test_a_redis_that_is_killed_and_started_again_and_again_refuses_nobody_wrongly(
    redis_server: RedisServer, tenant_of: Callable[..., Tenant]
) -> None:
    chosen = LimitSettings(per_minute=10**6, burst=10**6, redis_url=redis_server.url)
    now = [0.0]
    limiter = Limiter(chosen, lambda: now[0], timeout_s=10)
    done = False

    async def ask(route: str) -> int:
        count = 0
        while not done:
            assert (await limiter.take(tenant_of(), route)).allowed
            now[0] += 0.01
            count += 1
            await asyncio.sleep(0)
        return count

    asked = [asyncio.ensure_future(ask(f"r{number}")) for number in range(5)]
    for _ in range(3):
        await asyncio.sleep(0.1)
        await asyncio.to_thread(redis_server.kill)
        await asyncio.sleep(0.1)
        await asyncio.to_thread(redis_server.start)
    done = True
    assert all(count > 10 for count in await asyncio.gather(*asked))
    now[0] += 60
    await limiter.take(tenant_of(), ROUTE)
    assert not limiter.degraded
    await limiter.close()


async def test_a_redis_that_refuses_is_one_that_is_away(
    redis_server: RedisServer, tenant_of: Callable[..., Tenant], timer: Timer
) -> None:
    chosen = LimitSettings(per_minute=1, burst=2, redis_url=f"{redis_server.url}?db=99")
    limiter = Limiter(chosen, timer, timeout_s=10)
    assert (await limiter.take(tenant_of(), ROUTE)).remaining == 1
    assert limiter.degraded
    await limiter.close()


@pytest.mark.parametrize("address", ["somewhere:6380", "http://:secret@host", "redis://host:no/0"])
async def test_an_address_that_is_none_of_redis_is_refused_without_repeating_it(
    address: str,
) -> None:
    with pytest.raises(ConfigError, match=r"limits\.redis_url is no address") as refused:
        Limiter(LimitSettings(redis_url=address))
    assert address not in str(refused.value)
