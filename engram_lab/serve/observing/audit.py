"""The record of who did what, on its way to the control plane.

An entry is on a file of this machine when `note` returns, and so outlives `kill -9`; a thread takes
it to the chain of its tenant in the control plane, in order and each once. Three things are not
exact after a kill: the count of a credential's uses may be what it was up to ten seconds before,
what a flood had beyond its first entries is not told of the last minute, and after a power cut the
last entries may be gone with what the disk had not written yet.

Where the disk is full, or the control plane is away for so long that too much waits, entries are
lost: requests go on, the loss is counted, and an entry tells of it as soon as there is room.
"""

from __future__ import annotations

from threading import Event, Lock, Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Protocol

from engram_lab.core.errors import EngramError
from engram_lab.core.ids import IdSource
from engram_lab.serve.control.records import AuditEntry
from engram_lab.serve.metering.spool import Spool
from engram_lab.serve.observing.entries import entry_of, flood_entry, line_of, loss_entry
from engram_lab.serve.observing.floods import Floods, source_of
from engram_lab.serve.observing.kinds import AUDIT_LOST, AUTH_DENIED, AUTH_FAILURE, AUTH_SUCCESS
from engram_lab.serve.observing.noting import notes_of
from engram_lab.serve.observing.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from engram_lab.config.serving import AuditSettings
    from engram_lab.core.clock import Clock
    from engram_lab.serve.call import Call

__all__ = ["Audit", "Recorder", "open_audit"]

_EVERY_S: Final = 1.0
_NOTE_EVERY: Final = 10
"""Flushes between two times that counts are written down, and leftovers looked for."""

_MOST_WAITING: Final = 200_000
_CLOSING_S: Final = 5.0
_BATCH: Final = 500
_PORTION: Final = 64


class Recorder(Protocol):
    """The part of the control plane that is needed here."""

    def record_audit(self, entries: Sequence[AuditEntry]) -> int:
        """Append to the chains of tenants, each entry once."""
        ...


class Audit:
    """Takes entries on the event loop or in any thread, and hands them on.

    Args:
        plane: Where entries end.
        spool: Where they wait.
        settings: Whether, and how long the window of a credential is.
        clock: Dates entries.
        windows: Where open windows are written down; another spool than the first.
        timer: Measures windows, which a clock that is set must not.
        failed: Called with the error of a flush that failed, in the thread.
        lost: Called with the number of entries that were lost.
    """

    def __init__(
        self,
        plane: Recorder,
        spool: Spool,
        settings: AuditSettings,
        clock: Clock,
        *,
        windows: Spool,
        timer: Callable[[], float] = perf_counter,
        failed: Callable[[Exception], None] | None = None,
        lost: Callable[[int], None] | None = None,
    ) -> None:
        self._plane = plane
        self._spool = spool
        self._journal = windows
        self._enabled = settings.enabled
        self._clock = clock
        self._timer = timer
        self._failed = failed or (lambda _error: None)
        self._tell_lost = lost or (lambda _count: None)
        self._ids = IdSource()
        self._windows = Windows(windows, length_s=settings.auth_window_s)
        self._floods = Floods()
        self._lock = Lock()
        self._flushing = Lock()
        self._waiting = 0
        self._lost = 0
        self._stop = Event()
        self._closed = False
        self._flushes = 0
        self._thread: Thread | None = None

    @property
    def waiting(self) -> int:
        """How many entries of this process are not in the control plane yet."""
        return self._waiting

    def note(
        self,
        kind: str,
        *,
        actor: str,
        tenant_id: str | None,
        target: str | None = None,
        outcome: str = "ok",
        request_id: str | None = None,
        details: Mapping[str, Any] | None = None,
        client: str | None = None,
    ) -> None:
        """Note that somebody did something; never fails, and takes microseconds.

        Args:
            kind: One of `kinds`.
            actor: As `Actor.name` tells it; never a secret.
            tenant_id: In whose chain; None is the operator's.
            target: What it was done to, by id.
            outcome: `ok`, or the code of an error.
            request_id: Of the request that did it.
            details: More, such as what changed; never a secret or the content of a memory.
            client: The address it came from: what fails is counted by it.
        """
        if not self._enabled:
            return
        at, now = self._clock.now(), self._timer()
        more = dict(details or {})
        if client is not None:
            more["client"] = source_of(client)
        with self._lock:
            if kind in {AUTH_FAILURE, AUTH_DENIED}:
                source = more.get("client") or actor
                if not self._floods.tells(kind, str(source), tenant_id, now):
                    return
            key = (tenant_id, actor)
            if kind == AUTH_SUCCESS and self._windows.again(key, at, now):
                return
            entry = AuditEntry(
                id=self._ids.new(at),
                tenant_id=tenant_id,
                at=at,
                kind=kind,
                actor=actor,
                target=target,
                outcome=outcome,
                request_id=request_id,
                details=more,
            )
            try:
                if kind == AUTH_SUCCESS:
                    self._close_window(key)
                    if self._windows.open(key, entry, now):
                        return
                self._append(entry)
            except (OSError, EngramError):
                self._lost += 1

    def note_call(self, call: Call) -> None:
        """Note what a request was, when it has been answered; see `notes_of`."""
        if not self._enabled:
            return
        for each in notes_of(call):
            self.note(**each)

    def flush(self) -> int:
        """Hand on all that waits; return how many entries the control plane did not have yet.

        Blocks: to be called in a thread.

        Raises:
            Exception: Whatever the control plane raises; nothing is lost by it.
        """
        with self._flushing:
            self._sweep()
            new = 0
            for batch in self._spool.batches(_BATCH):
                new += self._record([entry_of(line) for line in batch.lines])
                self._spool.done(batch)
                if not batch.inherited:
                    with self._lock:
                        self._waiting = max(0, self._waiting - len(batch.lines))
            if self._flushes % _NOTE_EVERY == 0 or self._closed:
                new += self._tidy()
            self._flushes += 1
            return new

    def start(self) -> None:
        """Flush from now on, in a thread of its own."""
        if self._enabled and self._thread is None:
            self._thread = Thread(target=self._run, name="engram-audit", daemon=True)
            self._thread.start()

    def close(self, *, within_s: float = _CLOSING_S) -> bool:
        """Close all windows and hand on all, for so long at most; return whether that was done.

        What is not handed on waits on the disk for the next process. A second call does nothing.
        """
        if self._closed:
            return self._waiting == 0
        self._stop.set()
        self._closed = True
        last = Thread(target=self._last_flush, name="engram-audit-last", daemon=True)
        last.start()
        last.join(within_s)
        done = not last.is_alive() and self._waiting == 0
        if not last.is_alive():
            self._spool.close()
            self._journal.close()
        return done

    def _last_flush(self) -> None:
        if self._thread is not None:
            self._thread.join()
        self._try_flush()

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self._try_flush()

    def _try_flush(self) -> None:
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - a database that is away; tried again soon
            self._failed(error)

    def _sweep(self) -> None:
        """Turn windows and floods that are over into entries; all of them where it closes."""
        now = float("inf") if self._closed else self._timer()
        at = self._clock.now()
        over = self._over(now)
        while over:  # in portions, as the event loop may be waiting to note something
            self._put(over)
            over = self._over(now)
        with self._lock:
            floods = self._floods.ended(now)
            lost, self._lost = self._lost, 0
        self._put([flood_entry(flood, self._new_id(at), at) for flood in floods])
        if lost:
            self._tell_lost(lost)
            self._put([loss_entry(lost, self._new_id(at), at)])

    def _over(self, now: float) -> list[AuditEntry]:
        with self._lock:
            return self._windows.close_over(now, most=_PORTION)

    def _new_id(self, at: datetime) -> str:
        with self._lock:
            return self._ids.new(at)

    def _put(self, entries: Sequence[AuditEntry]) -> None:
        """Append many; one that says how many were lost finds room beyond the end."""
        full = self._waiting >= _MOST_WAITING and any(each.kind != AUDIT_LOST for each in entries)
        try:
            if not full:
                self._spool.append([line_of(entry) for entry in entries])
        except (OSError, EngramError):
            full = True
        with self._lock:
            if full:
                self._lost += sum(_stands_for(each) for each in entries)
            else:
                self._waiting += len(entries)

    def _close_window(self, key: tuple[str | None, str]) -> None:
        entry = self._windows.close(key)
        if entry is not None:
            self._append(entry)

    def _append(self, entry: AuditEntry) -> None:
        if self._waiting >= _MOST_WAITING:
            self._lost += 1
            return
        self._spool.append([line_of(entry)])
        self._waiting += 1

    def _tidy(self) -> int:
        with self._lock:
            used = self._windows.used()
        self._windows.note(used)
        left = self._windows.tidy(self._open_windows)
        new = self._plane.record_audit(left) if left else 0
        self._windows.forget()
        return new

    def _open_windows(self) -> set[str]:
        with self._lock:
            return self._windows.ids()

    def _record(self, entries: Sequence[AuditEntry | None]) -> int:
        """Hand on what can be read; what cannot is counted as lost."""
        readable = [entry for entry in entries if entry is not None]
        if len(readable) != len(entries):
            with self._lock:
                self._lost += len(entries) - len(readable)
        return self._plane.record_audit(readable) if readable else 0


def _stands_for(entry: AuditEntry) -> int:
    """Return how many entries are lost with one: one that tells of lost ones stands for them."""
    return int(entry.details["count"]) if entry.kind == AUDIT_LOST else 1


def open_audit(
    plane: Recorder,
    folder: Path,
    settings: AuditSettings,
    clock: Clock,
    *,
    failed: Callable[[Exception], None] | None = None,
    lost: Callable[[int], None] | None = None,
) -> Audit:
    """Return an audit whose entries wait in a folder; `start` is to be called yet."""
    return Audit(
        plane,
        Spool(folder, "audit"),
        settings,
        clock,
        windows=Spool(folder, "audit_windows"),
        failed=failed,
        lost=lost,
    )
