from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram_lab.serve.limits.bucket import PARTS, Drawn, LocalBuckets, Rate
from engram_lab.serve.limits.redis_bucket import RedisBuckets, connect

if TYPE_CHECKING:
    from tests.serve.limits.conftest import RedisServer

_NOW = 1_800_000_000 * 64  # a moment of today in steps of 1/64 s

RATES = st.one_of(
    st.builds(Rate, per_minute=st.integers(1, 5_000), burst=st.integers(1, 50)),
    st.builds(Rate, per_minute=st.integers(1, 10**8), burst=st.integers(1, 10**8)),
)
STEPS = st.one_of(st.integers(0, 200), st.integers(0, 10**9), st.integers(-(10**6), -1))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rate=RATES,
    takes=st.lists(st.tuples(STEPS, st.integers(1, 4)), min_size=1, max_size=25),
)
def test_redis_and_memory_decide_alike_at_the_same_moments(
    redis_server: RedisServer, rate: Rate, takes: list[tuple[int, int]]
) -> None:
    async def compare() -> list[tuple[Drawn, Drawn]]:
        client = connect(redis_server.url, timeout_s=5)
        await client.flushall()
        redis = RedisBuckets(client)
        now = [_NOW]
        local = LocalBuckets(timer=lambda: now[0] / 64)
        pairs = []
        for step, tokens in takes:
            now[0] = max(0, now[0] + step)
            there = await redis.take("acme", "a", rate, tokens, at=now[0] * 15_625)
            pairs.append((local.take("a", rate, tokens), there))
        await redis.close()
        return pairs

    for here, there in asyncio.run(compare()):
        assert here == there


@pytest.mark.anyio
async def test_the_time_is_that_of_redis(redis_server: RedisServer) -> None:
    redis = RedisBuckets(connect(redis_server.url, timeout_s=5))
    rate = Rate(per_minute=60_000, burst=5)
    began = time.monotonic()
    allowed, elapsed = 0, 0.0
    while elapsed < 0.3 or (allowed <= 50 and elapsed < 30):  # however busy the machine is
        allowed += (await redis.take("acme", "a", rate)).allowed
        elapsed = time.monotonic() - began
    assert 50 < allowed <= 5 + elapsed * 1_000 + 1
    await redis.close()


@pytest.mark.anyio
async def test_a_bucket_is_kept_until_it_is_full(redis_server: RedisServer) -> None:
    client = connect(redis_server.url, timeout_s=5)
    redis = RedisBuckets(client)
    await redis.take("acme", "quick", Rate(per_minute=60_000, burst=5))
    await redis.take("acme", "slow", Rate(per_minute=1, burst=5), 5)
    assert 0 < await client.pttl("engram:rate:{acme}:quick") <= 60_000
    assert 299_000 < await client.pttl("engram:rate:{acme}:slow") <= 300_001
    await redis.close()


@pytest.mark.anyio
async def test_a_script_that_redis_forgot_is_sent_again(redis_server: RedisServer) -> None:
    client = connect(redis_server.url, timeout_s=5)
    redis = RedisBuckets(client)
    rate = Rate(per_minute=1, burst=5)
    assert (await redis.take("acme", "a", rate)).level == 4 * PARTS
    await client.script_flush()
    assert (await redis.take("acme", "a", rate)).level // PARTS == 3
    await redis.close()


@pytest.mark.anyio
async def test_an_answer_never_reaches_another_request(redis_server: RedisServer) -> None:
    redis = RedisBuckets(connect(redis_server.url, timeout_s=5, connections=4))
    rates = {f"r{number}": Rate(per_minute=1, burst=10 + 10 * number) for number in range(20)}

    async def take(route: str) -> None:
        drawn = await redis.take("acme", route, rates[route])
        assert rates[route].burst - 10 <= drawn.level / PARTS <= rates[route].burst - 1

    for _ in range(9):
        tasks = [asyncio.ensure_future(take(route)) for route in rates]
        await asyncio.sleep(0.0005)
        for task in tasks[::2]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(each is None or isinstance(each, asyncio.CancelledError) for each in results)
    await redis.close()


CHILD = """
import asyncio, sys, time
from engram_lab.serve.limits.bucket import Rate
from engram_lab.serve.limits.redis_bucket import RedisBuckets, connect

async def main():
    redis = RedisBuckets(connect(sys.argv[1], timeout_s=5))
    rate = Rate(per_minute=3_000, burst=40)
    await redis.take("other", "a", rate)
    print("ready", flush=True)
    sys.stdin.readline()
    until, allowed = time.monotonic() + 1.0, 0
    while time.monotonic() < until:
        allowed += (await redis.take("acme", "a", rate)).allowed
    print(allowed, flush=True)
    await redis.close()

asyncio.run(main())
"""


def test_several_processes_together_never_pass_the_rate(redis_server: RedisServer) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, redis_server.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    began = time.monotonic()
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    counts = [int(child.communicate(timeout=20)[0]) for child in children]
    elapsed = time.monotonic() - began
    assert 40 + 0.8 * 50 <= sum(counts) <= 40 + elapsed * 50
    assert all(counts)
