from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from engram_lab.serve.observing import LoopWatch


def hold_up(seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


@pytest.fixture
def watch() -> Iterator[LoopWatch]:
    watch = LoopWatch(every_s=0.01, culprit_s=0.03)
    yield watch
    watch.close()


@pytest.mark.anyio
async def test_a_loop_that_is_held_up_is_told_of(watch: LoopWatch) -> None:
    watch.start()
    await asyncio.sleep(0.03)
    hold_up(0.3)
    await asyncio.sleep(0.03)

    assert 0.285 < watch.longest_s < 2.0
    assert watch.at_most_s >= 0.3
    assert watch.recent_s() == watch.longest_s
    assert any(f"{__name__}:hold_up:" in step for step in watch.culprit)


@pytest.mark.anyio
async def test_a_loop_that_waits_is_not_held_up(watch: LoopWatch) -> None:
    watch.start()
    await asyncio.sleep(0.1)
    watch.reset()
    await asyncio.to_thread(time.sleep, 0.1)

    assert watch.longest_s < 0.1


@pytest.mark.anyio
async def test_a_hold_up_is_seen_while_it_lasts(watch: LoopWatch) -> None:
    def look() -> float:
        time.sleep(0.1)
        return watch.recent_s()

    watch.start()
    seen = asyncio.create_task(asyncio.to_thread(look))
    await asyncio.sleep(0.02)
    hold_up(0.2)

    assert await seen > 0.03


@pytest.mark.anyio
async def test_what_is_long_ago_is_told_as_the_worst_alone() -> None:
    class Timer:
        ahead = 0.0

        def __call__(self) -> float:
            return time.perf_counter() + self.ahead

    timer = Timer()
    watch = LoopWatch(timer, every_s=0.01)
    watch.start()
    await asyncio.sleep(0.02)
    hold_up(0.1)
    await asyncio.sleep(0.02)
    watch.close()
    timer.ahead = 30

    assert watch.recent_s(10) == 0.0
    assert watch.recent_s(60) == watch.longest_s > 0.08


@pytest.mark.anyio
async def test_a_watch_that_is_closed_rings_no_more(watch: LoopWatch) -> None:
    watch.start()
    watch.close()
    watch.close()
    hold_up(0.05)
    await asyncio.sleep(0.02)

    assert watch.longest_s == watch.now_s == 0.0
