"""How long the event loop was held up: the one thing that all requests wait for together."""

from __future__ import annotations

import asyncio
import sys
from threading import Event, Thread, get_ident
from time import perf_counter
from traceback import walk_stack
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["LoopWatch"]

_EVERY_S: Final = 0.02
_KEPT_S: Final = 64
_NEVER: Final = (-1, 0.0)
_MOST_FRAMES: Final = 12


class LoopWatch:
    """Has the loop ring every so often, and notes how late it does.

    A ring is late by what was left of the hold-up when it was due: what is told is the truth less
    at most the time between two rings, and `at_most_s` is never less than the truth.

    Args:
        timer: In seconds.
        every_s: How often it rings.
        culprit_s: Where given, a thread looks what the loop is at once it is late by so much, for
            whoever seeks the reason. It costs that thread: leave it out in service.
    """

    def __init__(
        self,
        timer: Callable[[], float] = perf_counter,
        *,
        every_s: float = _EVERY_S,
        culprit_s: float | None = None,
    ) -> None:
        self._timer = timer
        self._every_s = every_s
        self._culprit_s = culprit_s
        self._longest = 0.0
        self._seconds: list[tuple[int, float]] = [_NEVER] * _KEPT_S
        self._due = 0.0
        self._handle: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = Event()
        self._at: tuple[float, tuple[str, ...]] = (0.0, ())

    @property
    def longest_s(self) -> float:
        """How late it was at worst since the start or the last `reset`."""
        return self._longest

    @property
    def at_most_s(self) -> float:
        """How long the loop can have been held up at worst, seen from the cautious side."""
        return self._longest + self._every_s

    @property
    def now_s(self) -> float:
        """How late it is this very moment, for a look from another thread."""
        return max(0.0, self._timer() - self._due) if self._handle is not None else 0.0

    @property
    def culprit(self) -> tuple[str, ...]:
        """Module, function and line of what the loop was at when it was latest; see `culprit_s`."""
        return self._at[1]

    def recent_s(self, within_s: float = 10.0) -> float:
        """Return how late it was at worst lately, or is this very moment; back to a minute."""
        since = self._timer() - within_s
        told = (late for second, late in list(self._seconds) if second >= since and second >= 0)
        return max(self.now_s, *told, 0.0)

    def reset(self) -> None:
        """Begin anew, as before a measurement."""
        self._longest = 0.0
        self._seconds = [_NEVER] * _KEPT_S
        self._at = (0.0, ())

    def start(self) -> None:
        """Begin; to be called on the loop that is watched."""
        self._loop = asyncio.get_running_loop()
        self._next(self._loop)
        if self._culprit_s is not None:
            Thread(
                target=self._look, args=(get_ident(), self._culprit_s), daemon=True, name="loop-lag"
            ).start()

    def close(self) -> None:
        """Stop; a second call does nothing."""
        self._stopped.set()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = self._timer() + self._every_s
        self._handle = loop.call_later(self._every_s, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        now = self._timer()
        late = now - self._due
        self._longest = max(self._longest, late)
        second = int(now)
        before, worst = self._seconds[second % _KEPT_S]
        self._seconds[second % _KEPT_S] = (second, max(late, worst) if before == second else late)
        self._next(loop)

    def _look(self, thread: int, culprit_s: float) -> None:
        held = 0.0
        steps: tuple[str, ...] = ()
        while not self._stopped.wait(culprit_s / 4):
            due, late = self._due, self.now_s
            if late < culprit_s:
                continue
            if due != held:  # the first look at this hold-up: later ones may see what follows it
                frame = sys._current_frames().get(thread)  # noqa: SLF001 - its documented name
                held, steps = due, _steps(frame)
            if late > self._at[0]:
                self._at = (late, steps)


def _steps(frame: FrameType | None) -> tuple[str, ...]:
    steps = [
        f"{each.f_globals.get('__name__', '?')}:{each.f_code.co_name}:{line}"
        for each, line in walk_stack(frame)
    ]
    return tuple(reversed(steps[:_MOST_FRAMES]))
