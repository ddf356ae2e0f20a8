"""Time, injected: no other module of this package asks the machine what time it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from engram_lab.core.errors import InvalidInputError

__all__ = ["Clock", "ManualClock", "SystemClock", "from_us", "parse_time", "to_us"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Tells the time.

    Guarantees: an aware UTC datetime. No guarantee that it never runs backwards: a machine's clock
    may be set, so the store never orders versions by time alone.
    """

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that moves only when told to, so that a run can be repeated to the byte.

    Args:
        start: The first moment it shows; naive means UTC.
        tick: How far it moves by itself at each reading.
    """

    def __init__(
        self,
        start: datetime = datetime(2026, 1, 1, tzinfo=UTC),
        *,
        tick: timedelta = timedelta(0),
    ) -> None:
        self._now = parse_time(start, field="start")
        self._tick = tick

    def now(self) -> datetime:
        """Return the moment shown, then move on by one tick."""
        now = self._now
        self._now = now + self._tick
        return now

    def advance(self, **duration: float) -> None:
        """Move by `timedelta(**duration)`, as in `clock.advance(days=3)`; negative runs back."""
        self._now += timedelta(**duration)


@lru_cache(maxsize=1024)  # many rows are stamped with the same moment
def to_us(moment: datetime) -> int:
    """Return microseconds since 1970-01-01 UTC of an aware datetime, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Return the aware UTC datetime of `to_us`, exactly."""
    return _EPOCH + timedelta(microseconds=microseconds)


def parse_time(value: object, *, field: str) -> datetime:
    """Return an aware UTC datetime from a datetime or an ISO 8601 text.

    A time without an offset is taken as UTC.

    Raises:
        InvalidInputError: It is neither, or lies outside the years 1 to 9999.
    """
    if isinstance(value, str):
        text = value
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            raise InvalidInputError(
                f"{field} is {text[:40]!r}, which is no ISO 8601 time such as 2026-05-01T12:00:00Z"
            ) from None
    if not isinstance(value, datetime):
        raise InvalidInputError(
            f"{field} is a {type(value).__name__}: give a datetime or an ISO 8601 text"
        )
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidInputError(f"{field} falls outside the years 1 to 9999 in UTC") from None
