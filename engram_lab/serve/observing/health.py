"""Whether the server can work: named checks, each within its time.

`ok` is all well, `degraded` is something missing without which it still answers, `down` is not to
be sent requests. That the process lives at all is another question, which asks for none of these.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from tempfile import NamedTemporaryFile
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Literal

from engram_lab.core.errors import EngramError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from engram_lab.core.clock import Clock

__all__ = [
    "Check",
    "CheckFailedError",
    "Finding",
    "Health",
    "Report",
    "Status",
    "backups_check",
    "folder_check",
    "lag_check",
    "simple_check",
]

Status = Literal["ok", "degraded", "down"]
_GRAVITY: Final[dict[Status, int]] = {"ok": 0, "degraded": 1, "down": 2}

_KEPT_S: Final = 1.0
_TIMEOUT_S: Final = 2.0
_LEAST_FREE: Final = 256 * 1_048_576
_LATE_S: Final = 0.25


class CheckFailedError(EngramError):
    """A check that found something wrong; its words are shown, and name no path and no tenant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """Something to be looked at.

    Attributes:
        look: Called in a thread; returns a note or None, raises `CheckFailedError` with one. Of
            any other error nothing is shown but that it failed.
        otherwise: What the server is when this fails.
    """

    name: str
    look: Callable[[], str | None]
    otherwise: Status = "down"
    timeout_s: float = _TIMEOUT_S


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What a check found, and how many milliseconds it took."""

    status: Status
    ms: float
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What all checks found together."""

    status: Status
    checks: dict[str, Finding]

    def as_json(self) -> dict[str, Any]:
        """Return it as it is answered."""
        return {
            "status": self.status,
            "checks": {
                name: {"status": each.status, "ms": each.ms, "note": each.note}
                for name, each in self.checks.items()
            },
        }


class Health:
    """Looks at everything at once, at most once a second however often it is asked.

    A check that hangs is not started again while it does: it is down at once.
    """

    def __init__(
        self,
        checks: Sequence[Check],
        *,
        timer: Callable[[], float] = perf_counter,
        kept_s: float = _KEPT_S,
    ) -> None:
        self._checks = tuple(checks)
        self._timer = timer
        self._kept_s = kept_s
        self._hanging: set[str] = set()
        self._running: asyncio.Task[Report] | None = None
        self._last: tuple[float, Report] | None = None

    async def ready(self) -> Report:
        """Return what was found, a second ago at most."""
        if self._last is not None and self._timer() - self._last[0] < self._kept_s:
            return self._last[1]
        if self._running is None:
            self._running = asyncio.create_task(self._look())
            self._running.add_done_callback(self._ended)
        return await asyncio.shield(self._running)

    def _ended(self, _task: asyncio.Task[Report]) -> None:
        self._running = None

    async def _look(self) -> Report:
        found = await asyncio.gather(*map(self._one, self._checks))
        worst: Status = max(
            (each.status for each in found), key=lambda status: _GRAVITY[status], default="ok"
        )
        names = (check.name for check in self._checks)
        report = Report(status=worst, checks=dict(zip(names, found, strict=True)))
        self._last = (self._timer(), report)
        return report

    async def _one(self, check: Check) -> Finding:
        if check.name in self._hanging:
            return Finding(status=check.otherwise, ms=0.0, note="still hangs from before")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[bool, str | None]] = loop.create_future()
        self._hanging.add(check.name)

        def work() -> None:
            found = _found(check)
            self._hanging.discard(check.name)
            try:
                loop.call_soon_threadsafe(_settle, answer, found)
            except RuntimeError:  # the loop has been closed meanwhile
                return

        began = self._timer()
        # A thread that nobody waits for: one that hangs must not keep the process from ending.
        Thread(target=work, name=f"check-{check.name}", daemon=True).start()
        try:
            well, note = await asyncio.wait_for(answer, check.timeout_s)
        except TimeoutError:
            well, note = False, f"no answer within {check.timeout_s:g} s"
        ms = round((self._timer() - began) * 1e3, 3)
        return Finding(status="ok" if well else check.otherwise, ms=ms, note=note)


def _found(check: Check) -> tuple[bool, str | None]:
    try:
        return True, check.look()
    except CheckFailedError as error:
        return False, str(error)
    except Exception as error:  # noqa: BLE001 - its words may name what clients must not see
        return False, f"failed with {type(error).__name__}"


def _settle(
    answer: asyncio.Future[tuple[bool, str | None]], found: tuple[bool, str | None]
) -> None:
    if not answer.done():
        answer.set_result(found)


def simple_check(
    name: str, ask: Callable[[], object], *, otherwise: Status = "down", timeout_s: float = 2.0
) -> Check:
    """Return a check that is well where a question can be asked at all.

    Such as the control plane's `revision`, an embedder's `embed` (`degraded`), Redis' `ping`.
    """

    def look() -> None:
        ask()

    return Check(name=name, look=look, otherwise=otherwise, timeout_s=timeout_s)


def folder_check(folder: Path, *, least_free: int = _LEAST_FREE, name: str = "data") -> Check:
    """Return a check that a folder can be written to, and that there is room left."""

    def look() -> str:
        try:
            with NamedTemporaryFile(dir=folder, prefix=".check-") as file:
                file.write(b"engram")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CheckFailedError(f"cannot be written to: {error.strerror}") from None
        free = shutil.disk_usage(folder).free
        if free < least_free:
            raise CheckFailedError(
                f"{free // 1_048_576} MiB are free, {least_free // 1_048_576} MiB are needed"
            )
        return f"{free // 1_048_576} MiB free"

    return Check(name=name, look=look)


def backups_check(newest: Callable[[], datetime | None], *, clock: Clock, every_s: float) -> Check:
    """Return a check that a backup was made within twice the time it should be; else degraded."""

    def look() -> str | None:
        if not every_s:
            return "none are made"
        at = newest()
        if at is None:
            raise CheckFailedError("there is none yet")
        age_s = (clock.now() - at).total_seconds()
        if age_s > 2 * every_s:
            raise CheckFailedError(
                f"the newest is {age_s:.0f} s old, one is due each {every_s:g} s"
            )
        return f"the newest is {age_s:.0f} s old"

    return Check(name="backups", look=look, otherwise="degraded")


def lag_check(recent_s: Callable[[], float], *, late_s: float = _LATE_S) -> Check:
    """Return a check that the event loop is not held up; else degraded."""

    def look() -> str:
        lag = recent_s()
        if lag > late_s:
            raise CheckFailedError(f"the event loop was late by {lag * 1e3:.0f} ms")
        return f"late by {lag * 1e3:.1f} ms at most"

    return Check(name="loop", look=look, otherwise="degraded")
