from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config.serving import ControlSettings, UsageSettings
from engram_lab.core.clock import ManualClock, SystemClock
from engram_lab.core.errors import NotFoundError, StoreBusyError, StoreClosedError
from engram_lab.serve.control import open_control_plane
from engram_lab.serve.control.records import Tenant, UsageDay, UsageEvent
from engram_lab.serve.metering import Meter, Spool, Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from engram_lab.serve.control import ControlPlane

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TODAY = NOW.date()


def event(request_id: str, tenant_id: str = "acme", **fields: Any) -> UsageEvent:
    given: dict[str, Any] = {
        "at": NOW,
        "route": "POST /v1/search",
        "status": 200,
        "searches": 1,
    } | fields
    return UsageEvent(request_id=request_id, tenant_id=tenant_id, **given)


def day_of(plane: ControlPlane, tenant_id: str = "acme", day: date = TODAY) -> Totals:
    rows = plane.within(tenant_id).usage(day, day)
    return Totals(
        api_calls=sum(row.api_calls for row in rows),
        searches=sum(row.searches for row in rows),
        memories_created=sum(row.memories_created for row in rows),
    )


class Failing:
    """A control plane that fails when told to, and is a real one otherwise."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self.error: Exception | None = None
        self.after = False
        self.refuses: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plane, name)

    def record_usage(self, events: Sequence[UsageEvent]) -> int:
        if any(each.request_id in self.refuses for each in events):
            raise NotFoundError("there is no such tenant")
        if self.error is not None and not self.after:
            raise self.error
        new = self._plane.record_usage(events)
        if self.error is not None:
            raise self.error
        return new


def test_what_is_recorded_counts_at_once_and_once_told_as_well(
    new_meter: Callable[..., Meter], plane: ControlPlane
) -> None:
    meter = new_meter()
    meter.record(event("r1"))
    meter.record(event("r2", searches=0, memories_created=3))
    meter.record(event("r3", "globex"))
    sums = Totals(api_calls=2, searches=1, memories_created=3)
    assert meter.month("acme") == meter.day("acme") == sums
    meter.record(event("r4"))
    sums = Totals(api_calls=3, searches=2, memories_created=3)
    assert meter.month("acme") == sums
    meter.flush()
    assert meter.month("acme") == meter.day("acme") == day_of(plane) == sums
    assert meter.month("globex") == Totals(api_calls=1, searches=1)
    assert meter.flush() == 0


def test_the_same_request_is_counted_once_however_often_it_is_told(
    new_meter: Callable[..., Meter], plane: ControlPlane
) -> None:
    meter = new_meter()
    meter.month("acme")
    for _ in range(3):
        meter.record(event("r1"))
    assert meter.flush() == 1
    assert meter.month("acme") == day_of(plane) == Totals(api_calls=1, searches=1)
    meter.record(event("r1"))
    assert meter.flush() == 0
    assert meter.month("acme") == day_of(plane) == Totals(api_calls=1, searches=1)


def test_a_month_begins_anew_and_so_does_a_day(
    new_meter: Callable[..., Meter], clock: ManualClock
) -> None:
    meter = new_meter()
    meter.record(event("r1"))
    meter.flush()
    assert meter.month("acme").api_calls == 1
    clock.advance(days=1)
    meter.record(event("r2", at=clock.now()))
    assert (meter.day("acme").api_calls, meter.month("acme").api_calls) == (1, 2)
    clock.advance(days=9)
    assert (meter.day("acme").api_calls, meter.month("acme").api_calls) == (0, 0)
    meter.record(event("r3", at=clock.now()))
    meter.record(event("r4", at=clock.now() - timedelta(days=1)))  # began in November
    assert (meter.day("acme").api_calls, meter.month("acme").api_calls) == (1, 1)
    meter.flush()
    assert (meter.day("acme").api_calls, meter.month("acme").api_calls) == (1, 1)
    clock.advance(days=-1)  # a clock that was set back
    assert meter.month("acme").api_calls == 3


def test_days_are_those_of_utc(new_meter: Callable[..., Meter]) -> None:
    meter = new_meter()
    late = datetime(2026, 11, 22, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert meter.day("acme").api_calls == 0
    meter.record(event("r1", at=late))
    assert meter.day("acme").api_calls == 1
    meter.flush()
    assert meter.day("acme").api_calls == 1


def test_a_new_process_begins_with_what_the_control_plane_has(
    new_meter: Callable[..., Meter], plane: ControlPlane, clock: ManualClock
) -> None:
    plane.record_usage([event("r1"), event("r2", at=NOW - timedelta(days=3))])
    plane.record_usage([event("r3", at=NOW - timedelta(days=30))])
    meter = new_meter()
    assert not meter.knows("acme")
    meter.record(event("r4"))
    assert not meter.knows("acme")
    assert meter.month("acme").api_calls == 3
    assert meter.day("acme").api_calls == 2
    assert meter.knows("acme")


def test_what_a_former_process_could_not_tell_counts_from_the_first_answer(
    new_meter: Callable[..., Meter], plane: ControlPlane
) -> None:
    failing = Failing(plane)
    failing.error = StoreBusyError("not now")
    former = new_meter(failing)
    former.record(event("r1"))
    former.close()
    assert day_of(plane).api_calls == 0
    later = new_meter()
    later.record(event("r2"))
    assert later.month("acme").api_calls == 2
    later.flush()
    assert later.month("acme").api_calls == day_of(plane).api_calls == 2


def test_a_death_between_telling_and_forgetting_counts_nothing_twice(
    new_meter: Callable[..., Meter], plane: ControlPlane
) -> None:
    failing = Failing(plane)
    meter = new_meter(failing)
    meter.month("acme")
    meter.record(event("r1"))
    failing.error, failing.after = StoreBusyError("the answer was lost"), True
    with pytest.raises(StoreBusyError):
        meter.flush()
    meter.close()
    later = new_meter()
    later.record(event("r2"))
    assert later.month("acme").api_calls == 2
    later.flush()
    assert later.month("acme").api_calls == day_of(plane).api_calls == 2


def test_a_failed_flush_is_told_again_and_nothing_is_lost(
    plane: ControlPlane, tmp_path: Path, clock: ManualClock
) -> None:
    failures: list[None] = []
    failing = Failing(plane)
    meter = Meter(
        failing,
        Spool(tmp_path / "spool", "usage"),
        UsageSettings(batch=2),
        clock,
        failed=lambda: failures.append(None),
    )
    meter.month("acme")
    failing.error = StoreBusyError("not now")
    for number in range(5):
        meter.record(event(f"r{number}"))
        with pytest.raises(StoreBusyError):
            meter.flush()
        assert meter.month("acme").api_calls == number + 1
    assert len(failures) == 5
    failing.error = None
    assert meter.flush() == 5
    assert meter.month("acme").api_calls == day_of(plane).api_calls == 5
    meter.close()


def test_sums_that_could_not_be_read_again_are_read_by_the_next_flush(
    new_meter: Callable[..., Meter], plane: ControlPlane
) -> None:
    class Blind(Failing):
        blind = False

        def within(self, tenant_id: str) -> Any:
            if self.blind:
                raise StoreBusyError("not now")
            return self._plane.within(tenant_id)

    blind = Blind(plane)
    meter = new_meter(blind)
    meter.month("acme")
    meter.record(event("r1"))
    meter.record(event("r1"))
    blind.blind = True
    with pytest.raises(StoreBusyError):
        meter.flush()
    blind.blind = False
    assert meter.flush() == 0
    assert meter.month("acme").api_calls == day_of(plane).api_calls == 1


def test_one_event_that_is_refused_for_good_holds_up_no_other(
    new_meter: Callable[..., Meter], plane: ControlPlane
) -> None:
    failing = Failing(plane)
    failing.refuses = {"r3", "r8"}
    meter = new_meter(failing)
    meter.month("acme")
    for number in range(10):
        meter.record(event(f"r{number}"))
    assert meter.flush() == 8
    assert meter.refused == 2
    assert meter.month("acme").api_calls == day_of(plane).api_calls == 8
    assert meter.flush() == 0


def test_a_purged_tenant_holds_up_no_other(
    new_meter: Callable[..., Meter], plane: ControlPlane
) -> None:
    meter = new_meter()
    meter.record(event("r1", "nobody"))
    meter.record(event("r2"))
    meter.measured("nobody", 1, 2)
    meter.measured("acme", 3, 4)
    assert meter.flush() == 1
    assert meter.month("acme").api_calls == day_of(plane).api_calls == 1


def test_a_spool_that_is_full_costs_nothing_while_the_process_lives(
    plane: ControlPlane, tmp_path: Path, clock: ManualClock
) -> None:
    failures: list[None] = []
    (tmp_path / "spool").write_text("in the way")
    spool = Spool(tmp_path / "spool", "usage")
    failing = Failing(plane)
    meter = Meter(
        failing,
        spool,
        UsageSettings(),
        clock,
        failed=lambda: failures.append(None),
    )
    meter.record(event("r1"))
    assert len(failures) == 1
    (tmp_path / "spool").unlink()
    meter.record(event("r2"))
    assert meter.month("acme").api_calls == 2
    meter.flush()
    assert meter.month("acme").api_calls == day_of(plane).api_calls == 2
    (tmp_path / "spool").rename(tmp_path / "away")
    meter.close()
    assert meter.lost == 0


def test_lines_that_are_no_events_are_counted_and_skipped(
    new_meter: Callable[..., Meter], tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool", "usage")
    spool.append([b"\0" * 20, b"{}", b"[1,2,3,4,5,6,7,8,9]", b"", b'["r","acme",1e99]'])
    spool.append([b'["r","acme",999999999999999999,"x",200,"default",1,0,0]'])
    spool.close()
    meter = new_meter()
    meter.record(event("r1"))
    assert meter.flush() == 1
    assert meter.unreadable == 6
    assert meter.flush() == 0


def test_what_is_held_is_known_at_once_and_written_with_the_day(
    new_meter: Callable[..., Meter], plane: ControlPlane, clock: ManualClock
) -> None:
    meter = new_meter()
    assert meter.stored("acme").memories == 0
    assert meter.books.measuring_is_due("acme")
    meter.measured("acme", 100, 5_000)
    meter.record(event("r1", memories_created=7))
    stored = meter.stored("acme")
    assert (stored.memories, stored.storage_bytes, stored.created_since) == (100, 5_000, 7)
    assert not meter.books.measuring_is_due("acme")
    meter.flush()
    rows = plane.within("acme").usage(TODAY, TODAY)
    assert sum(row.memories_stored for row in rows) == 100
    assert sum(row.storage_bytes for row in rows) == 5_000
    clock.advance(days=12)
    later = new_meter()
    stored = later.stored("acme")
    assert (stored.memories, stored.storage_bytes, stored.measured_at) == (100, 5_000, None)


def test_what_was_made_while_it_was_measured_counts_on_top(
    new_meter: Callable[..., Meter],
) -> None:
    meter = new_meter()
    meter.record(event("r1", memories_created=5))
    before = meter.books.created("acme")
    meter.record(event("r2", memories_created=2))
    meter.measured("acme", 5, 1, created=before)
    assert (meter.stored("acme").memories, meter.stored("acme").created_since) == (5, 2)


def test_a_closed_meter_flushed_and_takes_no_more(
    new_meter: Callable[..., Meter], plane: ControlPlane
) -> None:
    meter = new_meter()
    meter.start()
    meter.start()
    meter.record(event("r1"))
    meter.close()
    meter.close()
    assert day_of(plane).api_calls == 1
    with pytest.raises(StoreClosedError):
        meter.record(event("r2"))


def test_the_thread_flushes_by_itself_and_goes_on_after_failures(
    plane: ControlPlane, new_meter: Callable[..., Meter]
) -> None:
    failing = Failing(plane)
    failing.error = StoreBusyError("not now")
    meter = new_meter(failing, flush_s=0.05)
    meter.start()
    meter.record(event("r1"))
    time.sleep(0.2)
    assert day_of(plane).api_calls == 0
    failing.error = None
    until = time.monotonic() + 5
    while day_of(plane).api_calls == 0 and time.monotonic() < until:
        time.sleep(0.02)
    assert day_of(plane).api_calls == 1


def test_another_server_s_usage_is_seen_after_half_a_minute(
    plane: ControlPlane, tmp_path: Path, clock: ManualClock
) -> None:
    seconds = [0.0]

    def meter_of(name: str) -> Meter:
        def timer() -> float:
            seconds[0] += 1e-6
            return seconds[0]

        return Meter(plane, Spool(tmp_path / name, "usage"), UsageSettings(), clock, timer=timer)

    one, two = meter_of("one"), meter_of("two")
    assert one.month("acme").api_calls == 0
    two.record(event("r1"))
    two.flush()
    one.record(event("r2"))
    one.flush()
    assert one.month("acme").api_calls == 1
    seconds[0] += 31
    assert one.month("acme").api_calls == 1
    one.flush()
    assert one.month("acme").api_calls == 2
    one.close()
    two.close()


def test_sums_are_exact_at_every_moment_while_threads_record_and_one_flushes(
    new_meter: Callable[..., Meter], plane: ControlPlane
) -> None:
    meter = new_meter(batch=7)
    meter.month("acme")
    done = threading.Event()
    seen: list[int] = []

    def record(name: int) -> None:
        for number in range(300):
            meter.record(event(f"{name}-{number}"))

    def flush() -> None:
        while not done.is_set():
            meter.flush()

    def watch() -> None:
        while not done.is_set():
            seen.append(meter.month("acme").api_calls)

    writers = [threading.Thread(target=record, args=(name,)) for name in range(3)]
    others = [threading.Thread(target=work) for work in (flush, watch)]
    for thread in (*writers, *others):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in others:
        thread.join()
    assert seen == sorted(seen)
    assert meter.month("acme").api_calls == 900
    meter.flush()
    assert meter.month("acme").api_calls == day_of(plane).api_calls == 900


CHILD = """
import sys
from pathlib import Path
from engram_lab.config.serving import ControlSettings, UsageSettings
from engram_lab.core.clock import SystemClock
from engram_lab.serve.control import open_control_plane
from engram_lab.serve.control.records import UsageEvent
from engram_lab.serve.metering import Meter, Spool

folder, first = Path(sys.argv[1]), int(sys.argv[2])
clock = SystemClock()
plane = open_control_plane(ControlSettings(), folder / "data", clock=clock)
meter = Meter(plane, Spool(folder / "spool", "usage"), UsageSettings(flush_s=0.05), clock)
meter.start()
number = first
while True:
    meter.record(UsageEvent(request_id=f"r{number}", tenant_id="acme", at=clock.now(),
        route="POST /v1/memories", status=201, memories_created=number))
    number += 1
    print(number, flush=True)
"""


def test_after_kill_9_every_acknowledged_event_is_counted_exactly_once(tmp_path: Path) -> None:
    clock = SystemClock()
    plane = open_control_plane(ControlSettings(), tmp_path / "data", clock=clock)
    plane.as_operator().add_tenant(
        Tenant(id="acme", slug="acme", name="Acme", created_at=clock.now())
    )
    began = clock.now().date()
    number = 0
    for least in (200, 900, 2_000):  # each is killed at another point of its flushing
        command = [sys.executable, "-c", CHILD, str(tmp_path), str(number)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for line in child.stdout:
                if int(line) - number >= least:
                    break
            child.kill()
            number = max([number + least, *map(int, child.stdout.read().split())])
            assert child.wait(timeout=20) == -signal.SIGKILL
        # The last one may have been recorded without having said so; it is not told again.
        heir = Meter(plane, Spool(tmp_path / "spool", "usage"), UsageSettings(), clock)
        heir.flush()
        rows: list[UsageDay] = plane.within("acme").usage(began, clock.now().date())
        counted = sum(row.api_calls for row in rows)
        assert counted in {number, number + 1}
        assert sum(row.memories_created for row in rows) == counted * (counted - 1) // 2
        number = counted
        heir.close()
    assert list((tmp_path / "spool").iterdir()) == []
    plane.close()
