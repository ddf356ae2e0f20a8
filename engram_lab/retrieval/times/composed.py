"""Times that are told by another: the week before 9 June, early May, the first week of June."""

from __future__ import annotations

from dataclasses import replace

from engram_lab.retrieval.times.absolute import day_first, month_name, numeric, season_name
from engram_lab.retrieval.times.holidays import holiday
from engram_lab.retrieval.times.periods import (
    Period,
    days,
    grain_of,
    moved,
    nth,
    part_of,
    unit_of,
    weekday_near,
    weekend,
)
from engram_lab.retrieval.times.reading import Found, Words
from engram_lab.retrieval.times.relative import (
    count_of,
    counted,
    deictic,
    in_future,
    near_day,
    weekday_of,
)
from engram_lab.retrieval.times.words import DEICTIC, ORDINALS, PARTS, SHIFTS, UNITS

__all__ = ["composed", "simple"]


def simple(words: Words, at: int) -> Found | None:
    """Read a time that stands by itself."""
    return (
        counted(words, at)
        or numeric(words, at)
        or month_name(words, at)
        or season_name(words, at)
        or holiday(words, at)
        or deictic(words, at)
        or near_day(words, at)
        or in_future(words, at)
    )


def composed(words: Words, at: int) -> Found | None:
    """Read a time that another one fixes."""
    return (
        _part(words, at)
        or _nth(words, at)
        or _near(words, at)
        or _around(words, at)
        or _weekday_told(words, at)
        or _before_last(words, at)
    )


def _told(words: Words, at: int) -> Found | None:
    """Read the time that another is told by; `the` may stand before it."""
    return simple(words, words.past(at, "the"))


def _part(words: Words, at: int) -> Found | None:
    """Read `early May`, `mid-June 2022`, `the end of last year`, `the end of the month`.

    It is a third of the time named.
    """
    part = PARTS.get(words.at(at))
    if part is None:
        return None
    stop = words.past(at + 1, "-")
    of = words.past(stop, "of", "in")
    if (words.at(at) in {"beginning", "start", "middle", "end"}) == (of == stop):
        return None
    found = _told(words, of)
    if found is None and words.at(of) == "the" and words.at(of + 1) in {"week", "month", "year"}:
        unit = words.at(of + 1)
        found = Found(of + 2, None if words.anchor is None else unit_of(unit, words.anchor))
    if found is None:
        return None
    period = found.period
    return Found(found.stop, period and part_of(period, part))


def _nth(words: Words, at: int) -> Found | None:
    """Read `first week of November 2023`, `last Friday of May`, `the first of June`."""
    count = ORDINALS.get(words.at(at))
    if count is not None and words.at(at + 1) == "of":
        return day_first(words, at)
    if count is None or words.at(at + 2) not in {"of", "in"}:
        return None
    weekday = weekday_of(words, at + 1)
    unit = UNITS.get(words.at(at + 1)) if weekday is None else str(weekday)
    if unit in {None, "month", "year", "decade"}:
        return None
    found = _told(words, at + 3)
    if found is None or found.period is None or unit is None:
        return found
    period = nth(unit, found.period, count)
    return Found(found.stop, period) if period else None


def _near(words: Words, at: int) -> Found | None:
    """Read `the week before 9 June`, `two weeks after May 7`, `the Friday before last Christmas`.

    The week before a day is the seven days up to it; two weeks before it is one day, told to the
    week.
    """
    start = at + 1 if words.at(at) in DEICTIC or words.at(at) in ORDINALS else at
    weekday = weekday_of(words, start)
    read = count_of(words, start) if weekday is None else None
    low, high, stop = read or (0, 0, start)
    unit = UNITS.get(words.at(stop))
    shift, after = _shift(words, stop + 1)
    if shift is None or (weekday is None and unit is None):
        return None
    found = _told(words, words.past(after, "on"))
    if found is None or found.period is None:
        return found
    told = found.period
    edge = told.start if shift < 0 else told.end
    if weekday is not None:
        day = edge if shift < 0 else edge - 1
        period = weekday_near(weekday, day, before=shift < 0, strict=True)
    elif unit is None:
        return None
    elif read is None:
        period = _next_to(unit, edge, shift)
    else:
        period = _away(unit, told, shift * low, shift * high)
    return Found(found.stop, replace(period, yearly=told.yearly))


def _shift(words: Words, at: int) -> tuple[int | None, int]:
    if words.at(at) == "prior" and words.at(at + 1) == "to":
        return -1, at + 2
    return SHIFTS.get(words.at(at)), at + 1


def _next_to(unit: str, edge: int, shift: int) -> Period:
    """Return one unit that ends, or begins, where a day begins."""
    if unit == "weekend":
        near = weekend(edge)
        if shift < 0:
            return near if near.end <= edge else weekend(edge - 7)
        return near if near.start >= edge else weekend(edge + 7)
    other = moved(edge, unit, shift)
    return days(min(edge, other), abs(other - edge), grain=grain_of(unit))


def _away(unit: str, told: Period, one: int, other: int) -> Period:
    first, last = min(one, other), max(one, other)
    if unit == told.grain:
        start, end = unit_of(unit, told.start, first), unit_of(unit, told.start, last)
        return Period(start=start.start, end=end.end, grain=grain_of(unit))
    start_day, last_day = moved(told.start, unit, first), moved(told.start, unit, last)
    return days(start_day, last_day + 1 - start_day, grain=grain_of(unit))


def _around(words: Words, at: int) -> Found | None:
    """Read `the week of May 7`, `the weekend of 5 May`, `the month of May`."""
    unit = UNITS.get(words.at(at))
    if unit is None or words.at(at).endswith("s") or words.at(at + 1) != "of":
        return None
    found = _told(words, at + 2)
    if found is None or found.period is None:
        return found
    told = found.period
    period = replace(unit_of(unit, told.start), yearly=told.yearly)
    return Found(found.stop, period if told.grain == "day" else told)


def _weekday_told(words: Words, at: int) -> Found | None:
    """Read `Friday, May 5`, `Friday of last week`, `Friday last week`."""
    weekday = weekday_of(words, at)
    if weekday is None:
        return None
    day = words.past(words.past(at + 1, ","), "the")
    found = month_name(words, day) or numeric(words, day)
    if found and found.period and found.period.grain == "day":
        return found
    found = deictic(words, words.past(at + 1, "of"))
    if found is None or found.period is None or found.period.grain != "week":
        return None
    return Found(found.stop, days(found.period.start + weekday))


def _before_last(words: Words, at: int) -> Found | None:
    """Read `the week before last`, `the year before last`."""
    unit = UNITS.get(words.at(at))
    if unit is None or words.lower[at + 1 : at + 3] != ["before", "last"]:
        return None
    anchor = words.anchor
    return Found(at + 3, None if anchor is None else unit_of(unit, anchor, -2))
