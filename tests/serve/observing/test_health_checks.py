from __future__ import annotations

import asyncio
import sqlite3
import time
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Literal, Protocol

import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.serve.observing import (
    Check,
    CheckFailedError,
    Health,
    backups_check,
    folder_check,
    lag_check,
    simple_check,
)

CANARY = "canary7f3a"
pytestmark = pytest.mark.anyio


class Timing(Protocol):
    now: float

    def __call__(self) -> float: ...


def failing() -> None:
    raise CheckFailedError("the lamp is out")


async def test_all_well_is_ok() -> None:
    health = Health([simple_check("one", lambda: None), Check(name="two", look=lambda: "2 of 2")])

    told = (await health.ready()).as_json()

    assert told["status"] == "ok"
    assert told["checks"]["two"] == {
        "status": "ok",
        "ms": pytest.approx(0, abs=1_000),
        "note": "2 of 2",
    }
    assert (await Health([]).ready()).status == "ok"


@pytest.mark.parametrize(
    ("kinds", "status"),
    [(("degraded",), "degraded"), (("degraded", "down"), "down"), (("down", "degraded"), "down")],
)
async def test_the_worst_check_decides(
    kinds: tuple[Literal["degraded", "down"], ...], status: str
) -> None:
    checks = [simple_check(f"{n}", failing, otherwise=kind) for n, kind in enumerate(kinds)]

    report = await Health([*checks, simple_check("well", lambda: 1)]).ready()

    assert report.status == status
    assert report.checks["0"].note == "the lamp is out"
    assert report.checks["well"].status == "ok"


async def test_what_an_unknown_error_says_is_not_shown() -> None:
    def look() -> None:
        raise sqlite3.OperationalError(f"unable to open /data/{CANARY}")

    report = await Health([simple_check("control", look)]).ready()

    assert CANARY not in str(report)
    assert report.checks["control"].note == "failed with OperationalError"


async def test_a_check_that_hangs_is_down_and_not_started_again(timer: Timing) -> None:
    release, ended, started = Event(), Event(), []

    def hang() -> None:
        started.append(1)
        release.wait(20)
        ended.set()

    check = simple_check("redis", hang, timeout_s=0.05)
    health = Health([check, simple_check("well", lambda: 1)], timer=timer)
    began = time.perf_counter()
    first = await health.ready()
    assert time.perf_counter() - began < 2
    timer.now += 5
    second = await health.ready()

    assert first.checks["redis"].note == "no answer within 0.05 s"
    assert second.checks["redis"].note == "still hangs from before"
    assert {first.status, second.status} == {"down"}
    assert second.checks["well"].status == "ok"
    assert len(started) == 1

    release.set()
    await asyncio.to_thread(ended.wait, 10)
    await asyncio.sleep(0.05)
    timer.now += 5
    assert (await health.ready()).status == "ok"


async def test_however_often_it_is_asked_it_looks_once_a_second(timer: Timing) -> None:
    looked: list[int] = []
    health = Health([simple_check("one", lambda: looked.append(1))], timer=timer)

    await asyncio.gather(*(health.ready() for _ in range(50)))
    await health.ready()
    assert len(looked) == 1

    timer.now += 1.1
    await health.ready()
    assert len(looked) == 2


async def test_who_asks_and_goes_away_spoils_nothing_for_the_others() -> None:
    release = Event()
    health = Health([simple_check("slow", lambda: release.wait(10))])
    gone, stays = (asyncio.create_task(health.ready()) for _ in range(2))
    await asyncio.sleep(0.01)
    gone.cancel()
    release.set()

    assert (await stays).status == "ok"


async def found(check: Check) -> tuple[str, str | None]:
    finding = (await Health([check]).ready()).checks[check.name]
    return finding.status, finding.note


async def test_a_folder_is_well_where_it_can_be_written_to(tmp_path: Path) -> None:
    status, note = await found(folder_check(tmp_path))
    assert status == "ok"
    assert note is not None
    assert note.endswith(" MiB free")
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 - nobody else waits

    status, note = await found(folder_check(tmp_path, least_free=1 << 60))
    assert status == "down"
    assert "are needed" in str(note)


async def test_a_folder_that_is_gone_is_down(tmp_path: Path) -> None:
    status, note = await found(folder_check(tmp_path / CANARY))

    assert (status, note) == ("down", "cannot be written to: No such file or directory")


@pytest.mark.parametrize(
    ("age", "every_s", "expected"),
    [
        (timedelta(hours=1), 3_600, ("ok", "the newest is 3600 s old")),
        (
            timedelta(hours=3),
            3_600,
            ("degraded", "the newest is 10800 s old, one is due each 3600 s"),
        ),
        (None, 3_600, ("degraded", "there is none yet")),
        (None, 0, ("ok", "none are made")),
    ],
)
async def test_old_backups_are_told_of(
    age: timedelta | None, every_s: float, expected: tuple[str, str]
) -> None:
    clock = ManualClock()
    newest = None if age is None else clock.now() - age

    check = backups_check(lambda: newest, clock=clock, every_s=every_s)

    assert await found(check) == expected


async def test_a_loop_that_lags_is_told_of() -> None:
    assert await found(lag_check(lambda: 0.01)) == ("ok", "late by 10.0 ms at most")
    assert await found(lag_check(lambda: 0.3)) == ("degraded", "the event loop was late by 300 ms")
