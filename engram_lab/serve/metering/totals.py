"""Sums of what tenants used, in memory: what the control plane was told and what not yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from engram_lab.serve.control.records import UsageDay, UsageEvent

__all__ = ["Account", "Stored", "Totals", "day_key", "month_key"]

_HUNDRED = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """What was used in a day or a month, in UTC."""

    api_calls: int = 0
    searches: int = 0
    memories_created: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """What a tenant holds.

    Attributes:
        memories: As last measured.
        storage_bytes: As last measured.
        created_since: How many memories were recorded as made after that; how many went is not
            known before it is measured again.
        measured_at: When this process measured it, by a timer; None is what the control plane had,
            or nothing.
    """

    memories: int = 0
    storage_bytes: int = 0
    created_since: int = 0
    measured_at: float | None = None


def month_key(moment: date | datetime) -> int:
    """Return the number of a month: 202611. Days have eight figures, so both fit one table."""
    return moment.year * _HUNDRED + moment.month


def day_key(moment: date | datetime) -> int:
    """Return the number of a day: 20261121."""
    return month_key(moment) * _HUNDRED + moment.day


class Account:
    """The sums of one tenant. Whoever holds it sees to it that one thread at a time is in here.

    Attributes:
        known: Whether what the control plane has was read.
        read_at: When, by a timer; `asked_at`: when somebody asked last.
        month: The month that was read.
        created: How many memories were recorded as made since this account is kept.
        waiting: How many events were recorded and not told.
    """

    __slots__ = (
        "_measured",
        "_told",
        "_untold",
        "asked_at",
        "created",
        "known",
        "month",
        "read_at",
        "waiting",
    )

    def __init__(self, asked_at: float) -> None:
        self._told: dict[int, list[int]] = {}
        self._untold: dict[int, list[int]] = {}
        self.waiting = 0
        self.known = False
        self.read_at = self.asked_at = asked_at
        self.month = 0
        self.created = 0
        self._measured: tuple[int, int, int, float | None] = (0, 0, 0, None)

    def measured(self, memories: int, storage_bytes: int, *, created: int, at: float) -> None:
        """Note what there is; of what was recorded, the first `created` memories are in it."""
        self._measured = (memories, storage_bytes, created, at)

    @property
    def stored(self) -> Stored:
        """What it holds."""
        memories, storage_bytes, created, at = self._measured
        return Stored(
            memories=memories,
            storage_bytes=storage_bytes,
            created_since=self.created - created,
            measured_at=at,
        )

    def recorded(self, event: UsageEvent) -> None:
        """Count what the control plane does not know yet."""
        _add(self._untold, event, 1)
        self.waiting += 1
        self.created += event.memories_created

    def told(self, event: UsageEvent, *, ours: bool) -> None:
        """Note that the control plane has an event now; `ours` was `recorded` here before."""
        _add(self._told, event, 1)
        if ours:
            self.waiting -= 1
            _add(self._untold, event, -1)
            if not self.waiting:
                self._untold.clear()

    def read(self, days: Iterable[UsageDay], today: date, *, at: float) -> None:
        """Take over what the control plane has at this moment, in place of what was known."""
        told: dict[int, list[int]] = {}
        held: dict[date, tuple[int, int]] = {}
        for day in days:
            for key in (month_key(day.day), day_key(day.day)):
                sums = told.setdefault(key, [0, 0, 0])
                sums[0] += day.api_calls
                sums[1] += day.searches
                sums[2] += day.memories_created
            if day.memories_stored or day.storage_bytes:
                memories, size = held.get(day.day, (0, 0))
                held[day.day] = (memories + day.memories_stored, size + day.storage_bytes)
        self._told = told
        if held and not self.known and self._measured[-1] is None:
            memories, size = held[max(held)]
            self._measured = (memories, size, 0, None)
        self.known, self.read_at, self.month = True, at, month_key(today)

    def sums(self, key: int) -> Totals:
        """Return the sums of a day or a month, told and untold together."""
        told, untold = self._told.get(key), self._untold.get(key)
        if told is None or untold is None:
            calls, searches, created = told or untold or (0, 0, 0)
            return Totals(api_calls=calls, searches=searches, memories_created=created)
        return Totals(
            api_calls=told[0] + untold[0],
            searches=told[1] + untold[1],
            memories_created=told[2] + untold[2],
        )


def _add(table: dict[int, list[int]], event: UsageEvent, sign: int) -> None:
    at = event.at if event.at.tzinfo is UTC else event.at.astimezone(UTC)
    month = at.year * _HUNDRED + at.month
    for key in (month, month * _HUNDRED + at.day):
        sums = table.get(key)
        if sums is None:
            sums = table[key] = [0, 0, 0]
        sums[0] += sign * event.api_calls
        sums[1] += sign * event.searches
        sums[2] += sign * event.memories_created
