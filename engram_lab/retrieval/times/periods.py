"""Periods of whole days, and how they are moved, counted and cut."""

from __future__ import annotations

from calendar import monthrange
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Grain",
    "Part",
    "Period",
    "days",
    "grain_of",
    "joined",
    "last_such_day",
    "month",
    "moved",
    "nearest_year",
    "nth",
    "part_of",
    "season",
    "unit_of",
    "weekday_near",
    "weekend",
    "year",
]

Grain = Literal["day", "week", "month", "season", "year", "decade"]
"""How finely a period is told, from a day to a decade."""

Part = Literal["early", "mid", "late"]
"""A third of a period."""

_WEEK: Final = 7
_SATURDAY: Final = 5
_YEAR: Final = 12
_SEASON: Final = 3
_LEAP: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """Days from `start` up to and without `end`, as `date.toordinal` counts them.

    Attributes:
        start: The first day.
        end: The day after the last.
        grain: How finely it was told; a weekend has the grain of a day.
        yearly: The year was not told, so it is the nearest; see `nearest_year`.
    """

    start: int
    end: int
    grain: Grain
    yearly: bool = False


def days(first: int, count: int = 1, *, grain: Grain = "day") -> Period:
    """Return a number of days."""
    return Period(start=first, end=first + count, grain=grain)


def grain_of(unit: str) -> Grain:
    """Return how finely a unit such as `weekend` or `month` tells a time."""
    known: dict[str, Grain] = {
        "week": "week",
        "month": "month",
        "year": "year",
        "decade": "decade",
    }
    return known.get(unit, "day")


def last_such_day(in_month: int, day: int) -> Period:
    """Return the last day, this one included, with a number from 1 to 31 in its month."""
    at = date.fromordinal(day)
    months = at.year * _YEAR + at.month - 1 - (in_month > at.day)
    while monthrange(months // _YEAR, months % _YEAR + 1)[1] < in_month:
        months -= 1
    return days(date(months // _YEAR, months % _YEAR + 1, in_month).toordinal())


def month(of_year: int, of_month: int, *, count: int = 1, grain: Grain = "month") -> Period:
    """Return a number of months from one on; the month may lie outside 1 to 12."""
    first = of_year * _YEAR + of_month - 1
    return Period(start=_first_of(first), end=_first_of(first + count), grain=grain)


def season(of_year: int, first_month: int) -> Period:
    """Return three months; the winter of a year begins in its December."""
    return month(of_year, first_month, count=_SEASON, grain="season")


def year(of_year: int, *, count: int = 1, grain: Grain = "year") -> Period:
    """Return a number of calendar years."""
    return month(of_year, 1, count=_YEAR * count, grain=grain)


def weekend(near: int) -> Period:
    """Return Saturday and Sunday of the week, from Monday on, that a day lies in."""
    return days(_monday(near) + _SATURDAY, 2)


def unit_of(unit: str, day: int, shift: int = 0) -> Period:
    """Return the calendar day, week, weekend, month, year or decade of a day, or one near it.

    Args:
        unit: Its name.
        day: A day in it.
        shift: How many of them later.
    """
    if unit == "day":
        return days(day + shift)
    if unit == "week":
        return days(_monday(day) + _WEEK * shift, _WEEK, grain="week")
    if unit == "weekend":
        return weekend(day + _WEEK * shift)
    at = date.fromordinal(day)
    if unit == "month":
        return month(at.year, at.month + shift)
    if unit == "year":
        return year(at.year + shift)
    return year(at.year // 10 * 10 + 10 * shift, count=10, grain="decade")


def moved(day: int, unit: str, count: int) -> int:
    """Return the day that lies some units later; a day that the month lacks becomes its last."""
    if unit == "day":
        return day + count
    if unit in {"week", "weekend"}:
        return day + _WEEK * count
    at = date.fromordinal(day)
    months = count * {"month": 1, "year": _YEAR, "decade": 10 * _YEAR}[unit]
    first = at.year * _YEAR + at.month - 1 + months
    in_year, in_month = first // _YEAR, first % _YEAR + 1
    most = monthrange(date(in_year, in_month, 1).year, in_month)[1]
    return date(in_year, in_month, min(at.day, most)).toordinal()


def weekday_near(weekday: int, day: int, *, before: bool, strict: bool) -> Period:
    """Return the last or the next such weekday, from Monday as 0.

    Args:
        weekday: Which.
        day: Seen from here.
        before: The last one, not the next.
        strict: The day itself does not count.
    """
    here = (day - 1) % _WEEK  # the ordinal 1 is a Monday
    gap = (here - weekday) % _WEEK if before else (weekday - here) % _WEEK
    gap = gap or (_WEEK if strict else 0)
    return days(day - gap if before else day + gap)


def nearest_year(of_year: Callable[[int], Period], day: int) -> Period:
    """Return a period in the year that brings its beginning nearest; of two, the earlier.

    Args:
        of_year: The period in a year; a `ValueError` says that this year has none.
        day: Nearest to here.

    Raises:
        ValueError: There is none within four years, such as a 31st of April.
    """
    here = date.fromordinal(day).year
    found = []
    for near in range(here - _LEAP, here + _LEAP + 1):
        with suppress(ValueError):
            found.append(of_year(near))
    best = min(found, key=lambda each: abs(each.start - day))
    return replace(best, yearly=True)


def part_of(period: Period, part: Part) -> Period:
    """Return a third of a period, with the grain just finer than its own."""
    length = period.end - period.start
    third = max(1, length // 3)
    start = {"early": 0, "mid": (length - third) // 2, "late": length - third}[part]
    finer: dict[Grain, Grain] = {"month": "week", "year": "season", "season": "month"}
    grain = finer.get(period.grain, period.grain)
    start += period.start
    return replace(period, start=start, end=start + third, grain=grain)


def nth(unit: str, period: Period, count: int) -> Period | None:
    """Return the first, second … or, with -1, the last week, weekend or weekday of a period.

    A week here is seven days from the first day on, or up to the last one.

    Args:
        unit: `week`, `weekend`, `day` or the number of a weekday.
        period: Of what.
        count: Which, from 1 or -1 on.

    Returns:
        None where it lies outside.
    """
    length = {"week": _WEEK, "weekend": 2}.get(unit, 1)
    step = 1 if unit == "day" else _WEEK
    if unit in {"week", "day"}:
        start = period.start if count > 0 else period.end - length
    else:
        weekday = _SATURDAY if unit == "weekend" else int(unit)
        edge = period.start if count > 0 else period.end - length
        start = weekday_near(weekday, edge, before=count < 0, strict=False).start
    start += step * (count - 1 if count > 0 else count + 1)
    grain: Grain = "week" if unit == "week" else "day"
    found = Period(start=start, end=start + length, grain=grain, yearly=period.yearly)
    return found if period.start <= found.start < period.end else None


def joined(first: Period, second: Period) -> Period | None:
    """Return from the beginning of one to the end of another, or None if that is nothing."""
    if first.yearly and not second.yearly:
        first = _in_year(first, _years_before(first, second)) or first
    if second.end <= first.start:
        return None
    return Period(
        start=first.start,
        end=second.end,
        grain=second.grain,
        yearly=first.yearly and second.yearly,
    )


def _years_before(first: Period, second: Period) -> int:
    then, now = date.fromordinal(first.start), date.fromordinal(second.start)
    later = (then.month, then.day) > (now.month, now.day)
    return now.year - then.year - later


def _in_year(period: Period, shift: int) -> Period | None:
    try:
        start = moved(period.start, "year", shift)
        end = moved(period.end, "year", shift)
    except ValueError:
        return None
    if period.end - period.start == 1:
        end = start + 1
    return replace(period, start=start, end=end)


def _monday(day: int) -> int:
    return day - (day - 1) % _WEEK


def _first_of(months: int) -> int:
    return date(months // _YEAR, months % _YEAR + 1, 1).toordinal()
