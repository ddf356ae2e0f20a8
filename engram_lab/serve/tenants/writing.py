"""A thread that writes what recalls leave to be written: now and then, and all of it at once."""

from __future__ import annotations

import logging
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Writing"]

_log = logging.getLogger(__name__)

_EVERY_S: Final = 1.0
"""Recalls of so long are written in one transaction, whose pages are then written once."""


class Writing:
    """Carries out work a little later; the same work that is asked for again meanwhile, once.

    What waits when it is closed is dropped: engines write what they hold when they are closed.
    """

    def __init__(self, *, every_s: float = _EVERY_S) -> None:
        self._every_s = every_s
        self._waiting: dict[Callable[[], None], None] = {}
        self._lock = Lock()
        self._some = Event()
        self._closing = Event()
        self._thread: Thread | None = None  # from the first work on

    def later(self, work: Callable[[], None]) -> None:
        """Have work carried out."""
        with self._lock:
            if self._closing.is_set():
                return
            self._waiting[work] = None
            if self._thread is None:
                self._thread = Thread(target=self._run, name="engram-writing", daemon=True)
                self._thread.start()
        self._some.set()

    def close(self) -> None:
        """Let what was begun end; a second call does nothing."""
        with self._lock:
            self._closing.set()
            self._waiting.clear()
            thread = self._thread
        self._some.set()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._some.wait()
            self._closing.wait(self._every_s)
            self._some.clear()
            with self._lock:
                taken, self._waiting = self._waiting, {}
            for work in taken:
                try:
                    work()
                except Exception:  # noqa: BLE001 - the next ones are others'
                    _log.exception("what recalls left to be written was not")
