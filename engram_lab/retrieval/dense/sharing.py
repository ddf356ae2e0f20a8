"""A lock that many may share to read, and one has alone to change."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SharedLock"]


class SharedLock:
    """Readers together, a writer alone; a writer that waits goes before readers that come later.

    Not reentrant.
    """

    def __init__(self) -> None:
        self._state = Condition()
        self._readers = 0
        self._waiting = 0
        self._writing = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold it together with others who share."""
        with self._state:
            while self._writing or self._waiting:
                self._state.wait()
            self._readers += 1
        try:
            yield
        finally:
            with self._state:
                self._readers -= 1
                if not self._readers:
                    self._state.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold it alone."""
        with self._state:
            self._waiting += 1
            try:
                while self._writing or self._readers:
                    self._state.wait()
                self._writing = True
            finally:
                self._waiting -= 1
        try:
            yield
        finally:
            with self._state:
                self._writing = False
                self._state.notify_all()
