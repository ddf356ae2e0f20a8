"""Lines to a stream through a queue with an end: whoever logs never waits for whoever reads."""

from __future__ import annotations

import io
import os
import select
import time
from collections import deque
from threading import Event, Lock, Thread
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LineWriter"]

_MOST_LINES: Final = 10_000
_MOST_BYTES: Final = 8 * 1_048_576
_ONE_WRITE: Final = 64 * 1_024
_WAIT_S: Final = 0.2
_GATHER_S: Final = 0.05


class LineWriter:
    """Writes lines in order from a thread of its own; drops and counts what does not fit.

    A pipe whose reader stands still would otherwise hold the event loop, and with it all tenants.
    Where lines were dropped, a line that `lost` makes says how many, in the place of the first of
    them. The descriptor of the stream is written to as it is: a thread that hangs in a write then
    holds no lock that the interpreter would need to leave.

    Args:
        stream: Where to; a stream without a descriptor, as in tests, is written to as text.
        lost: Makes the line that tells of a number of dropped ones.
        most_lines: So many may wait.
    """

    def __init__(
        self, stream: IO[str], *, lost: Callable[[int], str], most_lines: int = _MOST_LINES
    ) -> None:
        self._stream = stream
        self._lost = lost
        self._most_lines = most_lines
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._dropped = 0
        self._untold = 0
        self._lock = Lock()
        self._some = Event()
        self._closing = Event()
        self._closed = False
        self._descriptor = _descriptor_of(stream)
        self._thread: Thread | None = None  # from the first line on

    @property
    def dropped(self) -> int:
        """How many lines were dropped since the start."""
        return self._dropped

    @property
    def waiting(self) -> int:
        """How many lines wait to be written."""
        return len(self._queue)

    def write(self, line: str) -> None:
        """Queue a line, without its end; after `close` it is dropped."""
        encoded = line.encode("utf-8", "backslashreplace") + b"\n"
        with self._lock:
            full = (
                self._closed
                or len(self._queue) >= self._most_lines
                or self._bytes + len(encoded) > _MOST_BYTES
            )
            if full:
                self._dropped += 1
                self._untold += 1
                return
            if self._untold:
                told = self._lost(self._untold).encode("utf-8", "backslashreplace") + b"\n"
                self._untold = 0
                self._queue.append(told)
                self._bytes += len(told)
            self._queue.append(encoded)
            self._bytes += len(encoded)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="engram-log", daemon=True)
                self._thread.start()
        if not self._some.is_set():
            self._some.set()

    def close(self, *, within_s: float = 2.0) -> bool:
        """Write what waits, for so long at most; return whether all of it was written."""
        with self._lock:
            self._closed = True
            thread = self._thread
        self._closing.set()
        self._some.set()
        if thread is not None:
            thread.join(within_s)
        return thread is None or not (thread.is_alive() or self._untold)

    def _run(self) -> None:
        while True:
            self._some.wait()
            self._closing.wait(_GATHER_S)  # to wake for each line takes time from everybody
            self._some.clear()
            while batch := self._taken():
                lines = batch.count(b"\n")
                if not self._write(batch):
                    with self._lock:
                        self._dropped += lines
                        self._untold += lines
                    if self._closed:
                        return
            if self._closed and not self._queue:
                return

    def _taken(self) -> bytes:
        """Return the next lines, as many as one write takes."""
        taken: list[bytes] = []
        size = 0
        with self._lock:
            while self._queue and size < _ONE_WRITE:
                line = self._queue.popleft()
                taken.append(line)
                size += len(line)
            self._bytes -= size
            if self._closed and self._untold and not self._queue:
                taken.append(self._lost(self._untold).encode("utf-8", "backslashreplace") + b"\n")
                self._untold = 0
        return b"".join(taken)

    def _write(self, batch: bytes) -> bool:
        try:
            if self._descriptor is None:
                self._stream.write(batch.decode("utf-8"))
                self._stream.flush()
            else:
                _write_all(self._descriptor, batch)
        except (OSError, ValueError):  # the reader has gone, the disk is full, the stream is closed
            if not self._closed:
                time.sleep(_WAIT_S)
            return False
        return True


def _descriptor_of(stream: IO[str]) -> int | None:
    try:
        stream.flush()
        return stream.fileno()
    except (io.UnsupportedOperation, AttributeError, OSError, ValueError):
        return None


def _write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, to a descriptor that does not block as well."""
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            select.select([], [descriptor], [], _WAIT_S)
