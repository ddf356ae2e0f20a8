"""What the server does by itself: looks what is due, and does it, a little at a time."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from engram_lab.serve.errors import UnavailableError
from engram_lab.serve.tenants.due import DueTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from engram_lab.config.serving import ScheduleSettings
    from engram_lab.core.clock import Clock
    from engram_lab.serve.control.records import Tenant

__all__ = ["SERVER", "Job", "Scheduler"]

_log = logging.getLogger(__name__)

SERVER: Final = "server"
"""In the place of a tenant, for work that is done once for all of them."""

_STATE: Final = "schedule.json"
_LOCK: Final = "schedule.lock"
_OWNER_ALONE: Final = 0o600


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One kind of work.

    Attributes:
        kind: Its name.
        every_s: How often; 0 is never.
        work: Does it, for a tenant, or for None where it is for all at once.
        may: Whether now is a good time for it.
        of_tenants: Whether it is done for each tenant.
    """

    kind: str
    every_s: float
    work: Callable[[Tenant | None], object]
    may: Callable[[Tenant | None], bool] = lambda _tenant: True
    of_tenants: bool = True


class Scheduler:
    """Does each kind of work for each tenant when it is due, never the same twice at once.

    Of several processes over one folder, one does the work: whoever holds the lock file, which
    the system takes back when that process ends, however it ends.

    Args:
        settings: See `ScheduleSettings`.
        jobs: What there is to do; none of it, but `always`, where the schedule is off.
        tenants: Returns for whom.
        folder: Where due times are kept.
        clock: Tells the time.
        always: Called at each look, whoever holds the lock: what concerns this process alone.
        told: Called with the kind, whether it went well, and the seconds that it took.
        seed: Spreads the work.
        timer: Tells seconds.
    """

    def __init__(
        self,
        settings: ScheduleSettings,
        *,
        jobs: Sequence[Job],
        tenants: Callable[[], Iterable[Tenant]],
        folder: Path,
        clock: Clock,
        always: Callable[[], object] = lambda: None,
        told: Callable[[str, bool, float], None] = lambda _kind, _well, _seconds: None,
        seed: int = 0,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._settings = settings
        self._jobs = [each for each in jobs if each.every_s > 0] if settings.enabled else []
        self._tenants = tenants
        self._folder = folder
        self._clock = clock
        self._always = always
        self._told = told
        self._timer = timer
        self._seed = seed
        self._due: DueTimes | None = None
        self._handle: int | None = None
        self._threads = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="engram-job")
        self._running: dict[tuple[str, str], Future[None]] = {}
        self._lock = Lock()
        self._one_look = Lock()
        self._stopping = Event()
        self._looking: Thread | None = None

    def start(self) -> None:
        """Look every `schedule.tick_s` seconds, until closed."""
        if self._looking is None:
            self._looking = Thread(target=self._look_on, name="engram-schedule", daemon=True)
            self._looking.start()

    def run_pending(self) -> int:
        """Do what is due now, and wait for it; return how much that was."""
        begun = self._begin_due()
        wait(begun)
        self._save()
        return len(begun)

    def close(self, *, wait_s: float = 10.0) -> bool:
        """Begin nothing more, and wait for what was begun; tell whether all of it ended.

        What goes on after the wait ends by itself, and holds up the end of the process no longer
        than that takes.
        """
        self._stopping.set()
        if self._looking is not None:
            self._looking.join(wait_s)
        with self._lock:
            running = list(self._running.values())
        self._threads.shutdown(wait=False, cancel_futures=True)
        _, left = wait(running, timeout=wait_s)
        self._save()
        if self._handle is not None and not left:
            os.close(self._handle)
            self._handle = None
        return not left

    def _look_on(self) -> None:
        while not self._stopping.wait(self._settings.tick_s):
            try:
                self._always()
                self._begin_due()
                self._save()
            except Exception:  # noqa: BLE001 - whatever it was, there is another look
                _log.exception("a look at what is due came to nothing")

    def _begin_due(self) -> list[Future[None]]:
        """Begin all that is due and not under way, what has waited longest first."""
        with self._one_look:
            return self._begin_each()

    def _begin_each(self) -> list[Future[None]]:
        times = self._times()
        if times is None or not self._jobs:
            return []
        now = self._clock.now()
        tenants = list(self._tenants())
        times.keep({SERVER, *(each.id for each in tenants)})
        waiting = []
        for job in self._jobs:
            for tenant in tenants if job.of_tenants else [None]:
                whose = SERVER if tenant is None else tenant.id
                due = times.due(job.kind, whose, every_s=job.every_s, now=now)
                if due <= now and (job.kind, whose) not in self._running and job.may(tenant):
                    waiting.append((due, job.kind, whose, job, tenant))
        waiting.sort(key=lambda each: each[:3])
        return [self._begin(job, tenant, times) for *_, job, tenant in waiting]

    def _begin(self, job: Job, tenant: Tenant | None, times: DueTimes) -> Future[None]:
        key = (job.kind, SERVER if tenant is None else tenant.id)
        with self._lock:
            if self._stopping.is_set():
                return _nothing()
            future = self._threads.submit(self._carry_out, job, tenant, times)
            self._running[key] = future
        future.add_done_callback(lambda _: self._running.pop(key, None))
        return future

    def _carry_out(self, job: Job, tenant: Tenant | None, times: DueTimes) -> None:
        """Do one piece of work. Whatever it meets, the others go on."""
        if self._stopping.is_set():
            return
        whose = SERVER if tenant is None else tenant.id
        began = self._timer()
        try:
            job.work(tenant)
        except Exception as error:  # noqa: BLE001
            times.failed(job.kind, whose, at=self._clock.now())
            if isinstance(error, UnavailableError):
                _log.warning("%s of %s is put off: %s", job.kind, whose, error)
            else:
                _log.exception("%s of %s failed, and is put off", job.kind, whose)
            self._told(job.kind, False, self._timer() - began)  # noqa: FBT003 - it did not go well
        else:
            times.done(job.kind, whose, at=self._clock.now())
            self._told(job.kind, True, self._timer() - began)  # noqa: FBT003 - it went well

    def _times(self) -> DueTimes | None:
        """Return when what is due, None where another process sees to it."""
        if self._due is None and self._is_alone():
            self._due = DueTimes(self._folder / _STATE, seed=self._seed)
        return self._due

    def _is_alone(self) -> bool:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _OWNER_ALONE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def _save(self) -> None:
        if self._due is not None:
            self._due.save()


def _nothing() -> Future[None]:
    """Return what is done already."""
    done: Future[None] = Future()
    done.set_result(None)
    return done
