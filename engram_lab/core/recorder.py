"""Recall events on their way to the store: held back, then written many at once."""

from __future__ import annotations

from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from threading import Lock
from typing import TYPE_CHECKING

from engram_lab.core.errors import EngramError

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.core.protocols import Store
    from engram_lab.core.types import RecallEvent

    Aside = Callable[[Callable[[], None]], object]

__all__ = ["Recorder"]


class Recorder:
    """Holds events until there are `batch` of them. Those that wait are lost with the process.

    Safe to share between threads: while some events are written others are taken.

    Args:
        store: Where they are written.
        batch: So many at once.
        aside: Has them written by somebody else, soon; else whoever adds the last of a batch
            writes it.
    """

    def __init__(self, store: Store, *, batch: int, aside: Aside | None = None) -> None:
        self._store = store
        self._batch = batch
        self._aside = aside
        self._waiting: list[tuple[Store, RecallEvent]] = []
        self._lock = Lock()
        self._writing = Lock()

    def add(self, event: RecallEvent, *, through: Store | None = None) -> None:
        """Take one event, and write all that wait where there are enough.

        Whoever recalls is not troubled by events that cannot be written: they are tried again when
        there are as many more, and `flush` says what is wrong.

        Args:
            event: What was asked and what came back.
            through: The view of the store, such as an agent's, under which it is recorded.
        """
        with self._lock:
            self._waiting.append((through or self._store, event))
            is_time = len(self._waiting) % self._batch == 0
        if not is_time:
            return
        if self._aside is None:
            self._try_to_flush()
        else:
            self._aside(self._try_to_flush)

    def _try_to_flush(self) -> None:
        with suppress(EngramError):
            self.flush()

    def flush(self) -> None:
        """Write what waits, in one transaction. What fails to be written goes on waiting.

        Raises:
            EngramError: Whatever the store raises.
        """
        with self._writing:
            with self._lock:
                taken, self._waiting = self._waiting, []
            if not taken:
                return
            try:
                with self._store.transaction(durable=False):  # what waits may be lost anyway
                    for store, pairs in groupby(taken, key=itemgetter(0)):
                        store.events.record([event for _, event in pairs])
            except BaseException:
                with self._lock:
                    self._waiting[:0] = taken
                raise
