from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any, Protocol

import pytest

from engram_lab.config.serving import AuditSettings, ControlSettings
from engram_lab.core.clock import ManualClock, SystemClock
from engram_lab.core.errors import StoreBusyError
from engram_lab.serve.call import Actor, Call, Needs
from engram_lab.serve.control import ControlPlane, open_control_plane
from engram_lab.serve.control.records import AuditEntry, Tenant
from engram_lab.serve.metering import Spool
from engram_lab.serve.observing import Audit, kinds, open_audit

ROOT = Path(__file__).resolve().parents[3]
TENANT = "01890a5d-ac96-774b-bcce-b302099a8057"
MakeCall = Callable[..., Call]


class Timing(Protocol):
    now: float

    def __call__(self) -> float: ...


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    clock = SystemClock()
    plane = open_control_plane(ControlSettings(), tmp_path / "control", clock=clock)
    plane.as_operator().add_tenant(
        Tenant(id=TENANT, slug="acme", name="Acme", created_at=clock.now())
    )
    yield plane
    plane.close()


class Away:
    """A control plane that is not there for a while."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.away = False
        self.asked = 0

    def record_audit(self, entries: Sequence[AuditEntry]) -> int:
        self.asked += 1
        if self.away:
            raise StoreBusyError("another writer is at it")
        return self.plane.record_audit(entries)


class Book:
    """An audit and all that is around it."""

    def __init__(self, plane: ControlPlane, folder: Path, timer: Timing, **settings: Any) -> None:
        self.plane = plane
        self.away = Away(plane)
        self.clock = ManualClock(tick=timedelta(milliseconds=1))
        self.timer = timer
        self.lost = 0
        self.audit = Audit(
            self.away,
            Spool(folder, "audit"),
            AuditSettings(**settings),
            self.clock,
            windows=Spool(folder, "audit_windows"),
            timer=timer,
            lost=self._lose,
        )

    def _lose(self, count: int) -> None:
        self.lost += count

    def told(self, tenant_id: str | None = TENANT) -> list[AuditEntry]:
        """Return the chain from its first entry on, and see that it holds."""
        operator = self.plane.as_operator()
        assert operator.broken_chain(tenant_id) is None
        return list(reversed(operator.audit(tenant_id, limit=10_000)))


@pytest.fixture
def book(plane: ControlPlane, tmp_path: Path, timer: Timing) -> Iterator[Book]:
    book = Book(plane, tmp_path / "spool", timer)
    yield book
    book.audit.close()


def test_entries_come_to_the_chain_in_order_and_once(book: Book) -> None:
    for number in range(1_200):
        book.audit.note(
            kinds.MEMORY_CREATE,
            actor="key:k1",
            tenant_id=TENANT,
            target=f"m{number}",
            request_id=f"r{number}",
            details={"workspace": "default"},
        )
    assert book.audit.waiting == 1_200

    assert book.audit.flush() == 1_200
    assert book.audit.flush() == 0

    told = book.told()
    assert [entry.target for entry in told] == [f"m{number}" for number in range(1_200)]
    assert told[7].request_id == "r7"
    assert told[7].details == {"workspace": "default"}
    assert book.audit.waiting == 0


def test_uses_of_a_credential_are_one_entry_with_their_count(book: Book) -> None:
    use: dict[str, Any] = {"kind": kinds.AUTH_SUCCESS, "tenant_id": TENANT, "client": "10.0.0.1"}
    for _ in range(5):
        book.audit.note(actor="key:k1", **use)
    book.audit.note(actor="key:k2", **use)
    book.audit.flush()
    assert book.told() == []  # their windows are open

    book.timer.now += 301
    book.audit.note(actor="key:k1", **use)
    book.audit.flush()

    first, second = book.told()
    assert (first.actor, first.details["count"]) == ("key:k1", 5)
    assert (second.actor, second.details["count"]) == ("key:k2", 1)
    assert first.details["client"] == "10.0.0.1"
    assert first.details["within_s"] == pytest.approx(0.004)

    book.audit.close()
    assert [entry.details["count"] for entry in book.told()] == [5, 1, 1]


def test_one_credential_in_two_tenants_has_two_windows(book: Book) -> None:
    for tenant_id in (TENANT, None):
        book.audit.note(kinds.AUTH_SUCCESS, actor="user:u", tenant_id=tenant_id)

    book.audit.close()

    assert len(book.told()) == len(book.told(None)) == 1


def test_without_a_window_each_use_is_an_entry(
    plane: ControlPlane, tmp_path: Path, timer: Timing
) -> None:
    book = Book(plane, tmp_path / "spool", timer, auth_window_s=0.0)
    for _ in range(3):
        book.audit.note(kinds.AUTH_SUCCESS, actor="key:k1", tenant_id=TENANT)
    book.audit.close()

    assert len(book.told()) == 3


def test_failures_are_each_an_entry_until_they_are_a_flood(book: Book) -> None:
    failure: dict[str, Any] = {
        "kind": kinds.AUTH_FAILURE,
        "actor": "unknown",
        "outcome": "UNAUTHORIZED",
    }
    for number in range(1_000):
        client = f"2001:db8::{number:x}"  # one customer's network
        book.audit.note(tenant_id=TENANT, client=client, **failure)
    book.audit.note(tenant_id=TENANT, client="10.0.0.9", **failure)
    book.audit.flush()
    assert len(book.told()) == 11

    book.timer.now += 61
    book.audit.flush()

    *each, many = book.told()
    assert {entry.outcome for entry in each} == {"UNAUTHORIZED"}
    assert many.details == {"client": "2001:db8::/64", "count": 990, "within_s": 60}


def test_a_flood_from_everywhere_fills_neither_disk_nor_memory(book: Book) -> None:
    for number in range(20_000):
        book.audit.note(
            kinds.AUTH_FAILURE,
            actor="unknown",
            tenant_id=TENANT if number % 2 else None,
            client=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
        )
    book.timer.now += 61
    book.audit.flush()

    told = book.told() + book.told(None)
    assert len(told) <= 600 + 1_001
    assert sum(entry.details.get("count", 1) for entry in told) == 20_000
    assert len(book.audit._floods._floods) == 0


def test_a_control_plane_that_is_away_loses_nothing(book: Book) -> None:
    book.away.away = True
    book.audit.note(kinds.KEY_CREATE, actor="user:u", tenant_id=TENANT, target="k1")
    with pytest.raises(StoreBusyError):
        book.audit.flush()
    book.audit.note(kinds.KEY_REVOKE, actor="user:u", tenant_id=TENANT, target="k1")

    book.away.away = False
    book.audit.flush()

    assert [entry.kind for entry in book.told()] == ["key.create", "key.revoke"]


def test_what_has_no_room_is_told_to_be_lost(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_lines: Sequence[bytes]) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(book.audit._spool, "append", full)
        for _ in range(3):
            book.audit.note(kinds.MEMORY_DELETE, actor="key:k1", tenant_id=TENANT)
    book.audit.flush()

    (lost,) = book.told(None)
    assert (lost.kind, lost.details) == ("audit.lost", {"count": 3})
    assert book.lost == 3
    assert book.told() == []


def test_a_line_that_cannot_be_read_does_not_stop_the_rest(book: Book) -> None:
    book.audit._spool.append([b"{half", b"[]", b'{"id": 3}'])
    book.audit.note(kinds.MEMORY_DELETE, actor="key:k1", tenant_id=TENANT)

    book.audit.flush()
    book.audit.flush()

    assert len(book.told()) == 1
    assert book.told(None)[0].details == {"count": 3}


@pytest.mark.parametrize(
    ("details", "kept"),
    [
        ({"a": {1, 2}}, {"a": "<set>"}),
        ({"a": "x" * 5_000}, {"left_out": "5008 bytes are more than 4096"}),
        ({"a": "\ud800"}, {"left_out": "they cannot be written as JSON"}),
        ({"a": 2**70}, {"left_out": "they cannot be written as JSON"}),
    ],
)
def test_details_of_any_kind_do_no_harm(
    book: Book, details: dict[str, Any], kept: dict[str, Any]
) -> None:
    book.audit.note(
        kinds.CONFIG_LOAD, actor="\ud800" * 600, tenant_id=None, details=details, outcome="\n"
    )
    book.audit.flush()

    (entry,) = book.told(None)
    assert entry.details == kept
    assert entry.actor == "?" * 500


def noted(book: Book, call: Call) -> list[tuple[str, str, str]]:
    before = len(book.told()) + len(book.told(None))
    book.audit.note_call(call)
    book.timer.now += 1_000
    book.audit.flush()
    told = [*book.told(), *book.told(None)]
    assert len(told) >= before
    return [(entry.kind, entry.actor, entry.outcome) for entry in told[before:]]


WRITE = Needs(route="POST /v1/memories", scope="memories:write", audited="memory.create")
IN = ("auth.success", "key:01890a5d-ac96-774b-bcce-b302099a8059", "ok")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [IN]),
        ({"needs": WRITE, "target": "m1"}, [IN, ("memory.create", IN[1], "ok")]),
        ({"needs": WRITE, "error_code": "CONFLICT"}, [IN, ("memory.create", IN[1], "CONFLICT")]),
        ({"needs": WRITE, "error_code": "RATE_LIMITED", "admitted": False}, [IN]),
        (
            {"actor": None, "error_code": "UNAUTHORIZED", "admitted": False, "needs": WRITE},
            [("auth.failure", "unknown", "UNAUTHORIZED")],
        ),
        (
            {"error_code": "FORBIDDEN", "admitted": False, "needs": WRITE},
            [IN, ("auth.denied", IN[1], "FORBIDDEN")],
        ),
        ({"actor": Actor(kind="local", id="local")}, []),
    ],
)
def test_of_a_request_is_noted_who_came_and_what_changed(
    book: Book, made_call: MakeCall, given: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert sorted(noted(book, made_call(**given))) == sorted(expected)


def test_where_no_record_is_wanted_none_is_kept(
    plane: ControlPlane, tmp_path: Path, timer: Timing, made_call: MakeCall
) -> None:
    book = Book(plane, tmp_path / "spool", timer, enabled=False)
    book.audit.note(kinds.MEMORY_DELETE, actor="key:k1", tenant_id=TENANT)
    book.audit.note_call(made_call(needs=WRITE))
    book.audit.start()
    book.audit.close()

    assert book.told() == []
    assert not (tmp_path / "spool").exists()


def test_a_thread_hands_on_by_itself(plane: ControlPlane, tmp_path: Path) -> None:
    audit = open_audit(plane, tmp_path / "spool", AuditSettings(), SystemClock())
    audit.start()
    audit.note(kinds.SERVER_START, actor="system", tenant_id=None)
    until = time.perf_counter() + 10
    while audit.waiting and time.perf_counter() < until:
        time.sleep(0.02)

    assert len(plane.as_operator().audit(None)) == 1
    assert audit.close()
    assert audit.close()


def test_closing_does_not_wait_for_a_control_plane_that_hangs(
    plane: ControlPlane, tmp_path: Path, timer: Timing
) -> None:
    book = Book(plane, tmp_path / "spool", timer)
    book.audit.note(kinds.MEMORY_DELETE, actor="key:k1", tenant_id=TENANT)
    book.away.away = True
    assert not book.audit.close(within_s=1.0)

    after = Book(plane, tmp_path / "spool", timer)
    after.audit.flush()
    assert len(after.told()) == 1
    after.audit.close()


CHILD = """
import sys, threading
from pathlib import Path
from engram_lab.config.serving import AuditSettings, ControlSettings
from engram_lab.core.clock import SystemClock
from engram_lab.serve.control import open_control_plane
from engram_lab.serve.observing import kinds, open_audit
folder, tenant = Path(sys.argv[1]), sys.argv[2]
clock = SystemClock()
plane = open_control_plane(ControlSettings(), folder / "control", clock=clock)
audit = open_audit(plane, folder / "spool", AuditSettings(), clock)
if sys.argv[3] == "flushing":
    def flush():
        while True:
            audit.flush()
    threading.Thread(target=flush, daemon=True).start()
audit.note(kinds.AUTH_SUCCESS, actor="key:k1", tenant_id=tenant)
audit.note(kinds.AUTH_SUCCESS, actor="key:k1", tenant_id=tenant)
number = 0
while True:
    audit.note(kinds.MEMORY_CREATE, actor="key:k1", tenant_id=tenant, target=str(number))
    print(number, flush=True)
    number += 1
"""


@pytest.mark.parametrize("manner", ["waiting", "flushing"])
def test_what_was_noted_is_there_after_a_kill(
    plane: ControlPlane, tmp_path: Path, timer: Timing, manner: str
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path), TENANT, manner], stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        last = -1
        for line in child.stdout:
            last = int(line)
            if last == 400:
                os.kill(child.pid, signal.SIGKILL)
        assert last >= 400

    book = Book(plane, tmp_path / "spool", timer)
    book.audit.flush()
    book.audit.close()

    told = book.told()
    targets = [int(entry.target) for entry in told if entry.target is not None]
    assert targets == list(range(len(targets)))
    assert len(targets) in {last + 1, last + 2}  # one more may have been noted and not yet told
    (entered,) = [entry for entry in told if entry.kind == kinds.AUTH_SUCCESS]
    assert entered.details["at_least"]
    assert 1 <= entered.details["count"] <= 2
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_killed_window_has_the_count_that_was_last_noted(
    book: Book, plane: ControlPlane, tmp_path: Path, timer: Timing
) -> None:
    for _ in range(7):
        book.audit.note(kinds.AUTH_SUCCESS, actor="key:k1", tenant_id=TENANT)
    book.audit.flush()  # the first one notes counts
    for _ in range(2):
        book.audit.note(kinds.AUTH_SUCCESS, actor="key:k1", tenant_id=TENANT)
    for spool in (book.audit._spool, book.audit._journal):
        spool.close()  # what a killed process leaves: all on the disk, and nobody's lock

    after = Book(plane, tmp_path / "spool", timer)
    after.audit.close()

    (told,) = after.told()
    assert told.details == {"count": 7, "within_s": pytest.approx(0.006), "at_least": True}


def test_what_comes_after_the_end_does_no_harm(book: Book, made_call: MakeCall) -> None:
    book.audit.close()
    book.audit.note(kinds.MEMORY_DELETE, actor="key:k1", tenant_id=TENANT)
    book.audit.note_call(made_call(needs=WRITE))
    assert book.told() == []


def test_a_window_that_closed_before_the_kill_is_not_told_twice(
    plane: ControlPlane, tmp_path: Path, timer: Timing
) -> None:
    entry = {"tenant": TENANT, "at": 1, "kind": "auth.success", "actor": "key:k1", "target": None}
    opened = {**entry, "id": "e1", "outcome": "ok", "request": None, "details": {}}
    closed = {**opened, "details": {"count": 9, "within_s": 3.0}}
    main, windows = Spool(tmp_path / "spool", "audit"), Spool(tmp_path / "spool", "audit_windows")
    windows.append([json.dumps(opened).encode(), b'{"of": "e1", "n": 4, "us": 5}', b"torn{"])
    main.append([json.dumps(closed).encode()])
    main.close()
    windows.close()

    book = Book(plane, tmp_path / "spool", timer)
    book.audit.flush()
    book.audit.close()

    (told,) = book.told()
    assert told.details == {"count": 9, "within_s": 3.0}


def test_what_is_noted_of_windows_goes_when_they_close(book: Book, tmp_path: Path) -> None:
    for number in range(50):
        book.audit.note(kinds.AUTH_SUCCESS, actor=f"key:{number}", tenant_id=TENANT)
    for _ in range(11):
        book.audit.flush()
    assert any(path.name.startswith("audit_windows") for path in (tmp_path / "spool").iterdir())

    book.audit.close()

    assert list((tmp_path / "spool").iterdir()) == []
    assert len(book.told()) == 50


def test_notes_from_many_threads_are_all_there(book: Book) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def work(number: int) -> None:
        for each in range(100):
            book.audit.note(
                kinds.MEMORY_CREATE, actor="key:k", tenant_id=TENANT, target=f"{number}-{each}"
            )

    with ThreadPoolExecutor(4) as threads:
        done = [threads.submit(work, number) for number in range(4)]
        while not all(each.done() for each in done):
            book.audit.flush()
    book.audit.flush()

    assert len({entry.target for entry in book.told()}) == 400


def test_every_kind_that_a_route_names_has_its_meaning() -> None:
    named = set()
    for path in (ROOT / "engram_lab" / "serve").rglob("*.py"):
        named |= set(re.findall(r"audited=(\"[^\"]+\"|[A-Z_]+)", path.read_text(encoding="utf-8")))

    assert {each.strip('"').upper().replace(".", "_") for each in named} <= set(kinds.__all__)
    assert all(getattr(kinds, kind.upper().replace(".", "_")) == kind for kind in kinds.KINDS)
    assert len(kinds.KINDS) == len(kinds.__all__) - 1


def test_moments_are_those_of_the_clock(book: Book) -> None:
    before = datetime.fromisoformat("2026-01-01T00:00:00Z")
    book.audit.note(kinds.CONFIG_LOAD, actor="system", tenant_id=None, target="abc")
    book.audit.flush()
    assert book.told(None)[0].at == before


def test_windows_that_close_together_hold_nobody_up(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3_000):
        book.audit.note(kinds.AUTH_SUCCESS, actor=f"key:{number}", tenant_id=TENANT)
    book.timer.now += 301
    put, portions = book.audit._put, []

    def put_while_somebody_notes(entries: Sequence[AuditEntry]) -> None:
        portions.append(len(entries))
        book.audit.note(kinds.MEMORY_CREATE, actor="key:other", tenant_id=TENANT)
        put(entries)

    monkeypatch.setattr(book.audit, "_put", put_while_somebody_notes)
    sweep = Thread(target=book.audit._sweep, daemon=True)
    sweep.start()
    sweep.join(20)

    assert not sweep.is_alive()  # else whoever notes would wait for it
    assert max(portions) <= 64
    assert book.audit.waiting == 3_000 + len(portions)
