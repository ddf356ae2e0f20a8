"""Recall events on their way to the store: held back, then written many at once."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engram_lab.core.protocols import Store
    from engram_lab.core.types import RecallEvent

__all__ = ["Recorder"]


class Recorder:
    """Holds events until there are `batch` of them. Those that wait are lost with the process."""

    def __init__(self, store: Store, *, batch: int) -> None:
        self._store = store
        self._batch = batch
        self._waiting: list[RecallEvent] = []
        self._lock = Lock()

    def add(self, event: RecallEvent) -> None:
        """Take one event, and write all that wait where there are enough."""
        with self._lock:
            self._waiting.append(event)
            is_full = len(self._waiting) >= self._batch
        if is_full:
            self.flush()

    def flush(self) -> None:
        """Write what waits, in one transaction. What fails to be written goes on waiting."""
        with self._lock:
            if self._waiting:
                self._store.events.record(self._waiting)
                self._waiting = []
