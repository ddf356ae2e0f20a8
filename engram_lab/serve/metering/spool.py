"""Lines that outlive the process which wrote them, until somebody has taken them over.

A process appends to a segment of its own, and seals it to hand it on. What it left behind when it
was killed, the next process that opens the same spool hands on in its place. An advisory lock that
the system releases with the process (`flock`) tells the living from the dead, so that nobody takes
what another still writes; the folder must lie on a disk of this machine, not on a network.

What `append` returned for is there after `kill -9` of the process: it lies with the system. It may
not be there after a power cut or a crash of the system: nothing here waits for the disk.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import InvalidInputError, StoreClosedError
from engram_lab.serve.lock_files import try_lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Batch", "Spool"]

_NAME: Final = re.compile(r"[a-z0-9_]{1,40}\Z")
_FILE_MODE: Final = 0o600
_SEGMENT_BYTES: Final = 1 << 20
_NONE: Final = -1  # no descriptor


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Lines of one segment, in the order in which they were appended.

    Attributes:
        lines: Without their line ends.
        inherited: Whether another process wrote them, so that they may have been told before.
        segment: Where they lie.
        start: How many lines stand before them there.
        last: Whether none stand behind them.
        torn: Whether half a line does, which is skipped.
    """

    lines: tuple[bytes, ...]
    inherited: bool
    segment: Path
    start: int
    last: bool
    torn: bool = False


class Spool:
    """Appends lines in microseconds, from any thread; hands them on later.

    Args:
        folder: Where segments lie; made when needed. Several spools may share it.
        name: Whose lines: `a-z`, `0-9` and `_`. Processes that use one name take over from each
            other.
        segment_bytes: A segment that grew beyond this is followed by another.

    Attributes:
        torn: How many cut lines were skipped: those that a death or a full disk left half written,
            for which `append` never returned.
    """

    def __init__(self, folder: Path, name: str, *, segment_bytes: int = _SEGMENT_BYTES) -> None:
        if _NAME.match(name) is None:
            raise InvalidInputError(f"a spool's name is of a-z, 0-9 and _: {name!r} is not")
        self.torn = 0
        self._folder = folder
        self._name = name
        self._segment_bytes = segment_bytes
        self._files = re.compile(rf"{name}-([0-9a-f]{{24}})(?:-\d{{8}}\.lines|\.lock)\Z")
        self._writing = Lock()  # held for microseconds: the event loop waits for it
        self._reading = Lock()
        self._process = os.getpid()
        self._owner = ""
        self._lock = _NONE
        self._live = _NONE
        self._live_path = folder
        self._size = 0
        self._numbers = count(1)
        self._closed = False
        self._sealed: list[Path] = []
        self._told: dict[Path, int] = {}
        self._adopted: dict[str, int] = {}

    def append(self, lines: Sequence[bytes]) -> None:
        """Write lines behind all others, with one call of the system; all of them or none.

        Raises:
            InvalidInputError: A line holds a line end.
            StoreClosedError: The spool was closed.
            OSError: Such as a full disk; nothing was appended, and the next call tries anew.
        """
        if not lines:
            return
        data = b"\n".join(lines) + b"\n"
        if data.count(b"\n") != len(lines):
            raise InvalidInputError("a line of a spool must not hold a line end")
        with self._writing:
            if self._process != os.getpid():
                self._leave_to_parent()
            if self._closed:
                raise StoreClosedError("this spool was closed: nothing can be appended to it")
            if self._live == _NONE:
                self._go_on_in(*self._new_segment())
            try:
                written = os.write(self._live, data)
            except OSError:
                self._cut_back()
                raise
            if written != len(data):
                self._cut_back()
                raise OSError(errno.ENOSPC, "no room left for a line of the spool")
            self._size += written
            if self._size >= self._segment_bytes:
                self._seal()

    def batches(self, limit: int = 500) -> Iterator[Batch]:
        """Yield all lines so far that are not done, at most `limit` at a time.

        Those of former processes come first; a living one keeps its own. What is not done comes
        again next time. For one caller at a time.

        Raises:
            OSError: A segment or the folder cannot be read.
        """
        with self._writing:
            if self._process != os.getpid():
                self._leave_to_parent()
            if self._closed:
                return
            busy = self._live != _NONE and self._size > 0
        if busy:
            self._hand_over()
        with self._writing:
            ours = list(self._sealed)
        with self._reading:
            self._adopt()
            theirs = [path for owner in self._adopted for path in self._segments_of(owner)]
        for segment in theirs:
            yield from self._read(segment, limit, inherited=True)
        for segment in ours:
            yield from self._read(segment, limit, inherited=False)
        with self._reading:
            self._let_go()

    def done(self, batch: Batch) -> None:
        """Forget the lines of a batch; their segment goes with its last ones.

        Where lines before them are not done yet, both come again.
        """
        with self._reading:
            if batch.start > self._told.get(batch.segment, 0):
                return
            self._told[batch.segment] = batch.start + len(batch.lines)
            if batch.last:
                self._forget(batch.segment, torn=batch.torn)

    def close(self) -> None:
        """Leave what is not done to the next process; a second call does nothing."""
        with self._reading, self._writing:
            if self._closed or self._process != os.getpid():
                return
            self._seal()
            self._closed = True
            self._let_go()
            for held in self._adopted.values():
                os.close(held)
            self._adopted.clear()
            if self._lock != _NONE:
                if not self._sealed:
                    self._lock_path(self._owner).unlink(missing_ok=True)
                os.close(self._lock)
                self._lock = _NONE

    def _hand_over(self) -> None:
        """Seal the live segment, with the next one made before: writers wait for no file."""
        try:
            new = self._new_segment()
        except OSError:
            new = None  # a full disk: what is there can be handed on all the same
        with self._writing:
            self._seal()
            if new is not None:
                self._go_on_in(*new)
            if self._closed:  # meanwhile: the new one is empty, and goes
                self._seal()

    def _new_segment(self) -> tuple[int, Path]:
        if self._lock == _NONE:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._claim_owner()
        path = self._folder / f"{self._name}-{self._owner}-{next(self._numbers):08d}.lines"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return os.open(path, flags, _FILE_MODE), path

    def _go_on_in(self, live: int, path: Path) -> None:
        self._live, self._live_path, self._size = live, path, 0

    def _claim_owner(self) -> None:
        """Take a name that is nobody's, and its lock for as long as this process lives."""
        held = None
        while held is None:
            owner = secrets.token_hex(12)
            held = try_lock(self._lock_path(owner))
        self._owner, self._lock = owner, held

    def _cut_back(self) -> None:
        """Take half a line away again; where that fails too, nothing more goes behind it."""
        try:
            os.ftruncate(self._live, self._size)
        except OSError:
            self._seal()

    def _seal(self) -> None:
        if self._live == _NONE:
            return
        if self._size:
            self._sealed.append(self._live_path)
        else:
            self._live_path.unlink(missing_ok=True)
        live, self._live = self._live, _NONE
        os.close(live)

    def _leave_to_parent(self) -> None:
        """In a forked child: begin anew, and leave what is the parent's to the parent."""
        for inherited in (self._live, self._lock, *self._adopted.values()):
            if inherited != _NONE:
                with suppress(OSError):
                    os.close(inherited)  # not unlocked: the parent's own descriptor holds on
        self._process = os.getpid()
        self._live = self._lock = _NONE
        self._sealed = []
        self._told = {}
        self._adopted = {}

    def _lock_path(self, owner: str) -> Path:
        return self._folder / f"{self._name}-{owner}.lock"

    def _adopt(self) -> None:
        """Take over from every process that is no more, in the order in which they began."""
        try:
            names = [path.name for path in self._folder.iterdir()]
        except FileNotFoundError:
            return
        owners = {found[1] for name in names if (found := self._files.match(name))}
        new = {}
        for owner in owners - {self._owner} - self._adopted.keys():
            held = try_lock(self._lock_path(owner))
            if held is not None:
                new[owner] = held
        began = {owner: os.fstat(held).st_mtime_ns for owner, held in new.items()}
        self._adopted |= {owner: new[owner] for owner in sorted(new, key=began.__getitem__)}

    def _let_go(self) -> None:
        """Release the locks of the dead of whom nothing is left."""
        for owner in list(self._adopted):
            if not self._segments_of(owner):
                self._lock_path(owner).unlink(missing_ok=True)
                os.close(self._adopted.pop(owner))

    def _segments_of(self, owner: str) -> list[Path]:
        return sorted(self._folder.glob(f"{self._name}-{owner}-*.lines"))

    def _read(self, segment: Path, limit: int, *, inherited: bool) -> Iterator[Batch]:
        try:
            lines = segment.read_bytes().split(b"\n")
        except FileNotFoundError:  # somebody removed it: nothing will ever come of it
            lines = [b""]
        torn = bool(lines.pop())  # what stands behind the last line end: nothing, or half a line
        start = self._told.get(segment, 0)
        if start >= len(lines):
            with self._reading:
                self._forget(segment, torn=torn)
        for first in range(start, len(lines), limit):
            yield Batch(
                lines=tuple(lines[first : first + limit]),
                inherited=inherited,
                segment=segment,
                start=first,
                last=first + limit >= len(lines),
                torn=torn,
            )

    def _forget(self, segment: Path, *, torn: bool) -> None:
        segment.unlink(missing_ok=True)
        self.torn += torn
        self._told.pop(segment, None)
        with self._writing:
            if segment in self._sealed:
                self._sealed.remove(segment)
