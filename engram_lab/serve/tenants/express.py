"""Short questions answered where they arrive: on the event loop, without a thread.

Handing work to a thread and its answer back wakes two threads, and each wake takes a good part of
the time that a short recall takes. So a question is answered at once where that is known to be
short: the engine is open, nobody has it for long, nothing was written since a recall took in all
that there was, and the last such recalls were quick. Everything else goes to a thread, as ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import thread_time
from typing import TYPE_CHECKING, Final, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.engine import Engine
    from engram_lab.serve.control.records import Tenant
    from engram_lab.serve.tenants.pool import EnginePool

__all__ = ["Express"]

T = TypeVar("T")

QUICK_S: Final = 0.005
"""A recall is quick that works no longer: a tenth of what the event loop may be held up."""

_WAITED_S: Final = 0.025
"""What waits is no work, as for other threads of this process; but it may not wait for long."""

_PROBATION: Final = 64
"""After one that was slow, so many are answered in threads before another is tried at once."""


@dataclass(slots=True)
class _Pace:
    """How an engine did lately.

    Attributes:
        head: The newest change when the last recall in a thread began, which took it in.
        probation: How many quick ones it takes yet.
    """

    head: tuple[int, str] | None = None
    probation: int = 1


class Express:
    """Decides which questions are answered at once, and answers them.

    Args:
        pool: The open engines.
        timer: Measures, in seconds.
        busy: Measures how long this thread was at work, in seconds.
    """

    def __init__(
        self,
        pool: EnginePool,
        timer: Callable[[], float],
        *,
        busy: Callable[[], float] = thread_time,
    ) -> None:
        self._pool = pool
        self._timer = timer
        self._busy = busy
        self._paces: WeakKeyDictionary[Engine, _Pace] = WeakKeyDictionary()
        self.answered = 0

    def answer(self, tenant: Tenant, work: Callable[[Engine], T]) -> tuple[T] | None:
        """Return what `work` returns, in a tuple; None where it is a thread's to find out.

        Never blocks for long: for event loops.
        """
        with self._pool.at_once(tenant) as engine:
            if engine is None:
                return None
            pace = self._paces.get(engine)
            if pace is None or pace.probation or engine.store.corpus.head() != pace.head:
                return None
            found, was_quick = self._measured(work, engine)
            if not was_quick:
                pace.probation = _PROBATION
        self.answered += 1
        return (found,)

    def timed(self, work: Callable[[Engine], T], engine: Engine) -> T:
        """Return what `work` returns, and learn from how long that took. For threads."""
        head = engine.store.corpus.head()
        found, was_quick = self._measured(work, engine)
        pace = self._paces.setdefault(engine, _Pace())
        if pace.head != head:  # it took in what was written, which tells nothing of the next ones
            pace.head, pace.probation = head, max(pace.probation, 1)
        elif was_quick:
            pace.probation = max(pace.probation - 1, 0)
        else:
            pace.probation = _PROBATION
        return found

    def _measured(self, work: Callable[[Engine], T], engine: Engine) -> tuple[T, bool]:
        """Return what `work` returns, and whether that was quick."""
        began, busy = self._timer(), self._busy()
        found = work(engine)
        was_quick = self._busy() - busy <= QUICK_S and self._timer() - began <= _WAITED_S
        return found, was_quick
