"""Threads that many share: one who asks for all of them leaves room for others."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING

import pytest

from engram_lab.serve.errors import UnavailableError
from engram_lab.serve.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(3, waiting=8, name="shared")
    yield made
    made.close()


async def test_one_never_has_all_threads(workers: Workers) -> None:
    going = Event()
    theirs = [asyncio.create_task(workers.run_for("a", going.wait, 5)) for _ in range(6)]
    await asyncio.sleep(0)
    assert await asyncio.wait_for(workers.run_for("b", lambda: "b"), 2) == "b"
    going.set()
    assert all(await asyncio.gather(*theirs))
    assert workers.within == 0


async def test_one_never_has_all_places_to_wait(workers: Workers) -> None:
    going = Event()
    theirs = [asyncio.create_task(workers.run_for("a", going.wait, 5)) for _ in range(8)]
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError):
        await workers.run_for("a", going.wait, 5)
    assert await workers.run_for("b", lambda: 2) == 2
    going.set()
    await asyncio.gather(*theirs)


async def test_what_waited_and_was_cancelled_is_never_begun(workers: Workers) -> None:
    going, begun = Event(), []
    theirs = [asyncio.create_task(workers.run_for("a", going.wait, 5)) for _ in range(2)]
    await asyncio.sleep(0)
    late = asyncio.create_task(workers.run_for("a", lambda: begun.append(1)))
    await asyncio.sleep(0.01)
    late.cancel()
    await asyncio.sleep(0)
    going.set()
    await asyncio.gather(*theirs)
    assert await workers.run_for("a", lambda: "next") == "next"
    assert not begun
    assert workers.within == 0


async def test_an_error_of_the_work_is_told(workers: Workers) -> None:
    def work() -> None:
        raise ValueError("it")

    with pytest.raises(ValueError, match="it"):
        await workers.run_for("a", work)
    assert workers.within == 0


async def test_whoever_waits_as_the_pool_closes_is_told() -> None:
    workers, going = Workers(1, waiting=4, name="closing"), Event()
    first = asyncio.create_task(workers.run_for("a", going.wait, 5))
    others = [asyncio.create_task(workers.run_for(whom, lambda: 1)) for whom in "ab"]
    await asyncio.sleep(0.01)
    closing = asyncio.create_task(asyncio.to_thread(workers.close))
    await asyncio.sleep(0.05)
    going.set()
    await closing
    assert await first
    told = await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), 2)
    assert all(isinstance(each, UnavailableError) for each in told)
