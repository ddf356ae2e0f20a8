"""Counts what tenants use: at once in memory, soon in the control plane, and each request once.

An event is appended to a spool before `record` returns, so that it outlives a `kill -9`; every
`usage.flush_s` a thread tells the control plane what is there, and forgets it afterwards. A process
that dies between the two leaves events that the next one tells again, and the control plane knows
them by the id of their request.

Once a day, and when it starts, it has the last two days summed up anew from their events, and those
of days long past dropped, a day with each flush: that, and writing down what tenants hold, takes a
server that may act as the operator.

Sums of this process are exact at once. What another server that shares the control plane counts is
seen here when it has told it (within its `usage.flush_s`) and this one has read it again (within
30 seconds).
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import (
    ConflictError,
    EngramError,
    InvalidInputError,
    NotFoundError,
)
from engram_lab.serve.errors import UnavailableError
from engram_lab.serve.metering.books import Books
from engram_lab.serve.metering.lines import events_of, line_of
from engram_lab.serve.metering.totals import day_key, month_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from engram_lab.config.serving import UsageSettings
    from engram_lab.core.clock import Clock
    from engram_lab.serve.control.protocol import ControlPlane, OperatorView
    from engram_lab.serve.control.records import UsageEvent
    from engram_lab.serve.metering.spool import Spool
    from engram_lab.serve.metering.totals import Stored, Totals

__all__ = ["Meter"]

_REFUSALS: Final = (InvalidInputError, NotFoundError, ConflictError)  # trying again is no use
_LONGEST_WAIT_S: Final = 60.0
_LOOK_BACK: Final = timedelta(days=31)
_MOST_KEPT: Final = 100_000
_JOIN_S: Final = 30.0


class Meter:
    """The usage of all tenants.

    Args:
        plane: Where usage is recorded for good.
        spool: Where it lies until then.
        settings: How often, and how many events at once.
        clock: Says which month and day it is.
        timer: For how old a sum is; seconds that never run back.
        failed: Called when usage could not be told or spooled; both are tried again.

    Attributes:
        books: The sums in memory.
        lost: Events that nothing could hold: the disk and the control plane both refused them, and
            100,000 waited in memory already, or the meter was closed.
        refused: Events that the control plane will never take, such as those of a purged tenant.
        unreadable: Lines of the spool that were no events, as a power cut may leave them.
    """

    def __init__(
        self,
        plane: ControlPlane,
        spool: Spool,
        settings: UsageSettings,
        clock: Clock,
        *,
        timer: Callable[[], float] = time.perf_counter,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self.lost = self.refused = self.unreadable = 0
        self._plane = plane
        self._spool = spool
        self._settings = settings
        self._clock = clock
        self._timer = timer
        self._failed = failed
        self._measured: dict[str, tuple[date, int, int]] = {}
        self.books = Books(timer)
        self._kept: deque[UsageEvent] = deque()
        self._telling = Lock()
        self._took_over = False
        self._stale: set[str] = set()
        self._rolled_up: date | None = None
        self._dropped: date | None = None
        self._stop = Event()
        self._thread: Thread | None = None

    def record(self, event: UsageEvent) -> None:
        """Count one request, in microseconds; it outlives the process from here on.

        Where the disk is full it waits in memory for the next flush.

        Raises:
            StoreClosedError: The meter was closed.
        """
        self.books.record(event)
        try:
            self._spool.append((line_of(event),))
        except OSError:
            self._failed()
            if len(self._kept) < _MOST_KEPT:
                self._kept.append(event)
            else:
                self.lost += 1

    def knows(self, tenant_id: str) -> bool:
        """Whether `month`, `day` and `stored` answer from memory; else `hydrate` it first."""
        return self.books.knows(tenant_id)

    def hydrate(self, tenant_id: str) -> None:
        """Read what the control plane has of a tenant. Blocks: not for the event loop.

        Raises:
            EngramError: The control plane cannot be reached, or what a former process left could
                not be told.
        """
        with self._telling:
            if not self._took_over:
                self._tell_all()
            self._read(tenant_id)

    def month(self, tenant_id: str) -> Totals:
        """Return what a tenant used in this month, in UTC; reads it first where it is not known."""
        return self._sums(tenant_id, month_key(self._clock.now()))

    def day(self, tenant_id: str) -> Totals:
        """Return what a tenant used today, in UTC; reads it first where it is not known."""
        return self._sums(tenant_id, day_key(self._clock.now()))

    def stored(self, tenant_id: str) -> Stored:
        """Return what a tenant holds; reads it first where it is not known."""
        self._know(tenant_id)
        return self.books.stored(tenant_id)

    def measured(
        self, tenant_id: str, memories: int, storage_bytes: int, *, created: int | None = None
    ) -> None:
        """Note what a tenant holds; the next flush writes it down with the day.

        Args:
            tenant_id: Whose.
            memories: How many.
            storage_bytes: Of its database.
            created: What `books.created` said before it was measured, so that what was made
                meanwhile counts on top; None is what it says now.
        """
        self.books.measured(tenant_id, memories, storage_bytes, created=created)
        self._measured[tenant_id] = (self._clock.now().date(), memories, storage_bytes)

    def flush(self) -> int:
        """Tell the control plane all that it does not know yet. Blocks: not for the event loop.

        Returns:
            How many events were told that it did not have.

        Raises:
            EngramError: It could not be told; nothing is lost, the next flush tries again.
            OSError: The spool could not be read; likewise.
        """
        try:
            with self._telling:
                new = self._tell_all()
                self._reread()
                self._operate()
                return new
        except Exception:
            self._failed()
            raise

    def start(self) -> None:
        """Flush from now on, in a thread of its own."""
        if self._thread is None and not self._stop.is_set():
            self._thread = Thread(target=self._run, name="usage", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Flush once more and end; a second call does nothing.

        Where the control plane cannot be told, the events stay in the spool for the next process.
        """
        if self._stop.is_set():
            return
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_JOIN_S)
        with suppress(EngramError, OSError):
            self.flush()
        while self._kept:  # the disk may have room again
            try:
                self._spool.append((line_of(self._kept[0]),))
            except OSError:
                self.lost += len(self._kept)
                break
            self._kept.popleft()
        self._spool.close()

    def _run(self) -> None:
        failures = 0
        wait = 0.0  # what a former process left is told at once
        while not self._stop.wait(wait):
            try:
                self.flush()
                failures = 0
            except Exception:  # noqa: BLE001 - counted; whatever it was, usage goes on
                failures += 1
            most = max(_LONGEST_WAIT_S, self._settings.flush_s)
            wait = min(self._settings.flush_s * 2.0 ** min(failures, 20), most)

    def _know(self, tenant_id: str) -> None:
        if not self.books.knows(tenant_id):
            self.hydrate(tenant_id)

    def _sums(self, tenant_id: str, key: int) -> Totals:
        self._know(tenant_id)
        return self.books.sums(tenant_id, key)

    # What follows is called by whoever holds `_telling`.

    def _tell_all(self) -> int:
        new = 0
        while kept := list(islice(self._kept, self._settings.batch)):
            new += self._tell(kept, ours=True)
            for _ in kept:
                self._kept.popleft()
        for batch in self._spool.batches(self._settings.batch):
            events, unreadable = events_of(batch.lines)
            new += self._tell(events, ours=not batch.inherited)
            self._spool.done(batch)
            self.unreadable += unreadable
        self._took_over = True
        for tenant_id in list(self._stale):
            self._read(tenant_id)
            self._stale.discard(tenant_id)
        return new

    def _tell(self, events: Sequence[UsageEvent], *, ours: bool) -> int:
        """Tell events; where the control plane refuses some of them for good, all others."""
        if not events:
            return 0
        try:
            new = self._plane.record_usage(events)
        except _REFUSALS:
            if len(events) > 1:
                half = len(events) // 2
                new = self._tell(events[:half], ours=ours)
                return new + self._tell(events[half:], ours=ours)
            new = 0
            self.refused += 1
            self._failed()
        self.books.note_told(events, ours=ours)
        if new != len(events):
            # Which were new, it does not say: read their sums again.
            self._stale.update(event.tenant_id for event in events)
        return new

    def _read(self, tenant_id: str) -> None:
        today = self._clock.now().date()
        since = min(today.replace(day=1), today - _LOOK_BACK)
        days = self._plane.within(tenant_id).usage(since, today)
        self.books.read(tenant_id, days, today)

    def _reread(self) -> None:
        """Read again what others may have added to, and forget whom nobody asks for."""
        self.books.tidy()
        for tenant_id in self.books.to_reread(month_key(self._clock.now())):
            self._read(tenant_id)

    def _operate(self) -> None:
        """Write what only an operator may, where this server may act as one."""
        try:
            operator = self._plane.as_operator()
        except UnavailableError:
            self._measured.clear()
            return
        self._write_measured(operator)
        today = self._clock.now().date()
        if self._rolled_up != today:
            for back in (2, 1):
                operator.roll_up(today - timedelta(days=back))
            self._rolled_up = today
        if self._dropped != today:
            kept_since = today - timedelta(days=self._settings.keep_days)
            if not operator.drop_usage(kept_since):
                self._dropped = today

    def _write_measured(self, operator: OperatorView) -> None:
        while self._measured:
            tenant_id, (day, memories, size) = self._measured.popitem()
            try:
                operator.measured(tenant_id, day, memories_stored=memories, storage_bytes=size)
            except _REFUSALS:
                self.refused += 1  # a tenant that is no more
                self._failed()
            except EngramError:
                self._measured.setdefault(tenant_id, (day, memories, size))
                raise
