"""Uses of one credential within a window: one entry with its count, whatever happens meanwhile.

A window is written down when it opens, its count from time to time, and the entry when it closes.
Should the process be killed between, the next one finds the window and writes its entry with the
count that was last noted; they have one id, so that nothing is there twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.clock import to_us
from engram_lab.serve.observing.entries import entry_of, line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from engram_lab.serve.control.records import AuditEntry
    from engram_lab.serve.metering.spool import Batch, Spool

__all__ = ["Windows"]

_MOST: Final = 50_000


@dataclass(kw_only=True, slots=True)
class _Window:
    entry: AuditEntry
    ends: float
    last: datetime
    count: int = 1

    def closed(self) -> AuditEntry:
        return _counted(self.entry, self.count, to_us(self.last))


class Windows:
    """Open windows by credential; whoever calls sees to it that one thread does so at a time.

    Args:
        spool: Where what is open is written down.
        length_s: Of a window.
    """

    def __init__(self, spool: Spool, *, length_s: float) -> None:
        self._spool = spool
        self._length_s = length_s
        self._open: dict[tuple[str | None, str], _Window] = {}
        self._used: set[tuple[str | None, str]] = set()
        self._ids: set[str] = set()
        self._inherited: list[Batch] = []

    def __len__(self) -> int:
        return len(self._open)

    def again(self, key: tuple[str | None, str], at: datetime, now: float) -> bool:
        """Count a use where a window is open; else it is to be opened."""
        window = self._open.get(key)
        if window is None or now >= window.ends:
            return False
        window.count += 1
        window.last = at
        self._used.add(key)
        return True

    def open(self, key: tuple[str | None, str], entry: AuditEntry, now: float) -> bool:
        """Open a window with its first use; False where there is no room or it makes no sense.

        Raises:
            OSError: It could not be written down; nothing is open.
        """
        if self._length_s <= 0 or len(self._open) >= _MOST:
            return False
        self._spool.append([line_of(entry)])
        self._open[key] = _Window(entry=entry, ends=now + self._length_s, last=entry.at)
        self._ids.add(entry.id)
        return True

    def close(self, key: tuple[str | None, str]) -> AuditEntry | None:
        """Close a window and return its entry."""
        window = self._open.pop(key, None)
        if window is None:
            return None
        self._ids.discard(window.entry.id)
        return window.closed()

    def close_over(self, now: float, *, most: int) -> list[AuditEntry]:
        """Close so many at most of those whose time is over, and return their entries."""
        over: list[tuple[str | None, str]] = []
        for key, window in self._open.items():  # the first to open is the first to close
            if now < window.ends or len(over) == most:
                break
            over.append(key)
        return [entry for key in over if (entry := self.close(key)) is not None]

    def used(self) -> set[tuple[str | None, str]]:
        """Return those that were used since this was asked last."""
        used, self._used = self._used, set()
        return used

    def note(self, used: Iterable[tuple[str | None, str]]) -> None:
        """Write down counts; the one thing here that may go on beside others."""
        windows = [window for key in used if (window := self._open.get(key)) is not None]
        lines = [
            orjson.dumps({"of": each.entry.id, "n": each.count, "us": to_us(each.last)})
            for each in windows
        ]
        self._spool.append(lines)

    def ids(self) -> set[str]:
        """Return the ids of those that are open."""
        return self._ids.copy()

    def tidy(self, ids: Callable[[], set[str]]) -> list[AuditEntry]:
        """Forget what was written down of closed windows; return the entries of dead processes.

        What is returned must be recorded before `forget`.

        Args:
            ids: Asked after reading, so that a window which opens meanwhile is known.
        """
        left: dict[str, AuditEntry] = {}
        batches = list(self._spool.batches())
        still_open = ids()
        for batch in batches:
            if batch.inherited:
                _gather(batch.lines, left)
                self._inherited.append(batch)
            elif still_open.isdisjoint(map(_id_of, batch.lines)):
                self._spool.done(batch)
        return list(left.values())

    def forget(self) -> None:
        """Forget what `tidy` returned."""
        for batch in self._inherited:
            self._spool.done(batch)
        self._inherited.clear()


def _gather(lines: Iterable[bytes], left: dict[str, AuditEntry]) -> None:
    for line in lines:
        told = _loaded(line)
        known = left.get(told.get("of", ""))
        if known is not None:
            left[known.id] = _counted(known, told["n"], told["us"], at_least=True)
        elif "kind" in told and (entry := entry_of(line)) is not None:
            left[entry.id] = _counted(entry, 1, to_us(entry.at), at_least=True)


def _counted(entry: AuditEntry, count: int, last_us: int, *, at_least: bool = False) -> AuditEntry:
    seconds = (last_us - to_us(entry.at)) / 1e6
    told = {"count": count, "within_s": round(seconds, 3)}
    more = {"at_least": True} if at_least else {}
    return replace(entry, details={**entry.details, **told, **more})


def _id_of(line: bytes) -> str:
    told = _loaded(line)
    return str(told.get("of") or told.get("id"))


def _loaded(line: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
