from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from engram_lab.serve.tenants.due import DueTimes

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.core.clock import ManualClock

HOUR = 3_600.0


@pytest.fixture
def times(tmp_path: Path) -> DueTimes:
    return DueTimes(tmp_path / "due.json", seed=1)


def test_what_was_never_done_is_due_soon_but_not_all_at_once(
    times: DueTimes, clock: ManualClock
) -> None:
    now = clock.now()
    due = [times.due("dream", f"t{number}", every_s=HOUR, now=now) for number in range(200)]
    assert all(now <= each <= now + timedelta(minutes=10) for each in due)
    assert len({each - now for each in due}) > 150
    clock.advance(minutes=10)
    later = [times.due("dream", f"t{n}", every_s=HOUR, now=clock.now()) for n in range(200)]
    assert later == due  # it does not run away


def test_what_was_done_is_due_again_after_its_interval_up_to_a_tenth_later(
    times: DueTimes, clock: ManualClock
) -> None:
    now = clock.now()
    times.done("dream", "one", at=now)
    due = times.due("dream", "one", every_s=HOUR, now=now)
    assert timedelta(hours=1) <= due - now <= timedelta(hours=1.1)


def test_due_times_outlive_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    file = tmp_path / "due.json"
    times = DueTimes(file, seed=1)
    times.done("dream", "one", at=clock.now())
    times.save()
    again = DueTimes(file, seed=1)
    for each in (times, again):
        assert each.due("dream", "one", every_s=HOUR, now=clock.now()) > clock.now()
    assert again.due("dream", "one", every_s=HOUR, now=clock.now()) == times.due(
        "dream", "one", every_s=HOUR, now=clock.now()
    )


@pytest.mark.parametrize("content", ["", "{", "[]", '{"dream one": "soon"}', '{"dream one": 3}'])
def test_a_damaged_file_is_a_beginning(tmp_path: Path, clock: ManualClock, content: str) -> None:
    file = tmp_path / "due.json"
    file.write_text(content)
    times = DueTimes(file, seed=1)
    assert times.due("dream", "one", every_s=0.001, now=clock.now()) <= clock.now() + timedelta(1)
    times.done("dream", "one", at=clock.now())
    times.save()
    assert "dream one" in file.read_text()


def test_what_fails_is_put_off_longer_each_time(times: DueTimes, clock: ManualClock) -> None:
    pauses = []
    for _ in range(9):
        times.failed("dream", "one", at=clock.now())
        due = times.due("dream", "one", every_s=10.0, now=clock.now())
        pauses.append((due - clock.now()).total_seconds())
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    times.done("dream", "one", at=clock.now())
    due = times.due("dream", "one", every_s=10.0, now=clock.now())
    assert (due - clock.now()).total_seconds() <= 11


def test_a_clock_that_was_set_back_stops_nothing(times: DueTimes, clock: ManualClock) -> None:
    clock.advance(days=400)
    times.done("dream", "one", at=clock.now())
    times.failed("dream", "two", at=clock.now())
    times.due("dream", "three", every_s=HOUR, now=clock.now())
    clock.advance(days=-400)
    for name in ("one", "two", "three"):
        due = times.due("dream", name, every_s=HOUR, now=clock.now())
        assert due <= clock.now() + timedelta(hours=1.1)


def test_tenants_that_are_gone_are_forgotten(tmp_path: Path, clock: ManualClock) -> None:
    times = DueTimes(tmp_path / "due.json", seed=1)
    for name in ("one", "two"):
        times.done("dream", name, at=clock.now())
    times.keep({"two"})
    times.save()
    assert "dream one" not in (tmp_path / "due.json").read_text()
    assert "dream two" in (tmp_path / "due.json").read_text()
