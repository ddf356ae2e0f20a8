"""Numbers of the change log that were looked at, and then taken back with their transaction.

The next change gets such a number again and may even be written at the same moment, about the same
memory: whoever looked must not take it for the one that was undone.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import apsw

from engram_lab.core.sqlite.changes import next_number

__all__ = ["Undone"]

_MOST_RANGES: Final = 256


class Undone:
    """What was undone by one process. Written to by the one thread that holds the writer."""

    def __init__(self) -> None:
        self._looked = 0
        self._ranges: list[tuple[int, int, int]] = []

    def look(self, number: int) -> None:
        """Note that somebody looked at a number which is not committed yet."""
        self._looked = max(self._looked, number)

    def after_rollback(self, connection: apsw.Connection) -> None:
        """Note which of the numbers that were looked at are gone."""
        if not self._looked:
            return
        last = 0
        with suppress(apsw.Error):  # then all of them count as gone
            last = next_number(connection) - 1
        if last < self._looked:
            self._ranges.append((last, self._looked, 1))
            self._looked = last
        if len(self._ranges) > _MOST_RANGES:  # one that is too wide makes an index be built anew
            (low, high, times), (other, higher, more) = self._ranges[:2]
            self._ranges[:2] = [(min(low, other), max(high, higher), times + more)]

    def times(self, number: int) -> int:
        """Return how often a number was looked at and taken back."""
        return sum(times for low, high, times in self._ranges if low < number <= high)
