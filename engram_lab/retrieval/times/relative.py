"""Times that are seen from the anchor: yesterday, last Friday, two weeks ago, next month."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from engram_lab.retrieval.times.periods import (
    Period,
    days,
    grain_of,
    moved,
    unit_of,
    weekday_near,
    weekend,
)
from engram_lab.retrieval.times.reading import Found, Words
from engram_lab.retrieval.times.words import (
    AGO,
    COUNTS,
    DEICTIC,
    HALVES_OF,
    NUMBERS,
    PARTS_OF_DAY,
    SHORT_WEEKDAYS,
    TODAY,
    UNITS,
    WEEKDAYS,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "amount_of",
    "count_of",
    "counted",
    "deictic",
    "in_future",
    "near_day",
    "pointed",
    "weekday_of",
]

_WEEK: Final = 7
_MOST: Final = 999
_SPOKEN_WORDS: Final = frozenset({"wed", "sat", "sun", "mon"})
_NO_DAYS: Final = frozenset({"black"})


def count_of(words: Words, at: int) -> tuple[int, int, int] | None:
    """Return the least and the most that a number stands for, and where it ends."""
    word = words.at(at)
    if word in {"a", "an", "the", "past"} and words.at(at + 1) in COUNTS:
        at, word = at + 1, words.at(at + 1)
    if word in COUNTS:
        low, high = COUNTS[word]
        return low, high, words.past(at + 1, "of")
    if word in {"a", "an"}:
        return 1, 1, at + 1
    number = NUMBERS.get(word) or words.number(at)
    return (number, number, at + 1) if number and number <= _MOST else None


def weekday_of(words: Words, at: int) -> int | None:
    """Return the weekday that a word names, from Monday as 0."""
    word = words.at(at)
    if word in SHORT_WEEKDAYS:
        if word in _SPOKEN_WORDS and not words.capital[at]:
            return None
        cued = words.at(at - 1) in DEICTIC or words.at(at - 1) == "on"
        return SHORT_WEEKDAYS[word] if cued else None
    return None if words.at(at - 1) in _NO_DAYS else WEEKDAYS.get(word)


def near_day(words: Words, at: int) -> Found | None:
    """Read `yesterday`, `tonight`, `Friday`, `the other day`, `over the weekend`.

    A weekday alone is the last one, today included; the weekend is this week's on a Saturday or
    Sunday, else the last.
    """
    word, before = words.at(at), words.at(at - 1)
    if word in TODAY:
        stop = at + 2 if words.at(at + 1) in PARTS_OF_DAY else at + 1
        return Found(stop, _seen(words, lambda day: days(day + TODAY[word])))
    weekday = weekday_of(words, at)
    if weekday is not None:
        stop = at + 2 if words.at(at + 1) in PARTS_OF_DAY else at + 1
        last = _seen(words, lambda day: weekday_near(weekday, day, before=True, strict=False))
        return Found(stop, last)
    if word == "other" and before == "the" and words.at(at + 1) in {"day", "night"}:
        return Found(at + 2, _seen(words, lambda day: _between(day, "day", -5, -2)))
    if word == "weekend" and before == "the" and words.at(at - 2) in {"over", "at", "on", "during"}:
        return Found(at + 1, _seen(words, _weekend_of))
    return None


def deictic(words: Words, at: int) -> Found | None:
    """Read `last Friday`, `this weekend`, `next month`, `the past few days`, `last night`.

    The last Friday is the last before today, the next one the first after it. The last week is
    the one before that of today, from Monday on; months and years likewise. The last weekend is
    that of the last week. The last few days end with today, as do the seven of `the past week`.
    """
    step = DEICTIC.get(words.at(at))
    if step is None:
        return None
    start, at = at, at + 1
    if words.at(at) in DEICTIC and step == 0:
        step, at = DEICTIC[words.at(at)], at + 1
    weekday = weekday_of(words, at)
    if weekday is not None:
        stop = at + 2 if words.at(at + 1) in PARTS_OF_DAY else at + 1
        return Found(stop, _seen(words, lambda day: pointed(step, weekday, day)))
    word = words.at(at)
    if word in PARTS_OF_DAY and (step == 0 or (words.at(start), word) == ("last", "night")):
        return Found(at + 1, _seen(words, lambda day: days(day + step)))
    return _unit(words, at, step) or _rolling(words, at, step)


def _unit(words: Words, at: int, step: int) -> Found | None:
    word = words.at(at)
    unit = UNITS.get(word)
    if unit is None or unit == "day" or word.endswith("s") or words.at(at + 1) == "of":
        return None
    if unit == "weekend":
        return Found(at + 1, _seen(words, lambda day: _weekend_from(day, step)))
    if words.at(at - 2) == "the" and step < 0:
        return Found(at + 1, _seen(words, lambda day: _around(day, unit, step)))
    return Found(at + 1, _seen(words, lambda day: unit_of(unit, day, step)))


def pointed(step: int, weekday: int, day: int) -> Period:
    """Return the last, this week's or the next such weekday."""
    if step == 0:
        return days(unit_of("week", day).start + weekday)
    return weekday_near(weekday, day, before=step < 0, strict=True)


def counted(words: Words, at: int) -> Found | None:
    """Read `two weeks ago`, `a few years back`, `10 days from now`.

    It is the day, week, month or year so many before that of today. A few are two to five,
    several three to seven: the period reaches from the most to the least. `For two years now`
    is two years ago, when it began.
    """
    read = amount_of(words, at)
    if read is None:
        return None
    low, high, unit, stop = read
    if words.at(stop) in AGO:
        return Found(stop + 1, _seen(words, lambda day: _between(day, unit, -high, -low)))
    if words.at(stop) == "from" and words.at(stop + 1) in {"now", "today"}:
        return Found(stop + 2, _seen(words, lambda day: _between(day, unit, low, high)))
    return None


def in_future(words: Words, at: int) -> Found | None:
    """Read `in two weeks`: counted from today on, though it may be how long something took."""
    read = amount_of(words, at + 1) if words.at(at) == "in" else None
    if read is None:
        return None
    low, high, unit, stop = read
    if unit == "day" and words.at(at + 1) == "a" and stop == at + 3:  # not built in a day
        return None
    return Found(stop, _seen(words, lambda day: _between(day, unit, low, high)))


def amount_of(words: Words, at: int) -> tuple[int, int, str, int] | None:
    """Return the least and the most of a length of time, its unit, and where it ends."""
    if words.at(at) == "half" and words.at(at + 1) in {"a", "an"} and words.at(at + 2) in HALVES_OF:
        count, unit = HALVES_OF[words.at(at + 2)]
        return count, count, unit, at + 3
    read = count_of(words, at)
    if read is None:
        return None
    low, high, stop = read
    word = words.at(stop)
    if word in {"hour", "hours", "minute", "minutes"}:
        return 0, 0, "day", stop + 1
    if word in {"fortnight", "fortnights"}:
        return 2 * low, 2 * high, "week", stop + 1
    return (low, high, UNITS[word], stop + 1) if word in UNITS else None


def _rolling(words: Words, at: int, step: int) -> Found | None:
    read = count_of(words, at)
    if read is None or step == 0 or words.at(at) in {"a", "an"}:
        return None
    _, high, stop = read
    unit = UNITS.get(words.at(stop))
    if unit is None or not words.at(stop).endswith("s"):
        return None
    return Found(stop + 1, _seen(words, lambda day: _around(day, unit, step * high)))


def _around(day: int, unit: str, count: int) -> Period:
    """Return the days from some units before up to today, or from today up to some units later."""
    other = moved(day, unit, count)
    found = days(min(day, other), abs(other - day) + 1)
    return replace(found, grain=grain_of(unit))


def _between(day: int, unit: str, first: int, last: int) -> Period:
    start, end = unit_of(unit, day, first), unit_of(unit, day, last)
    return Period(start=start.start, end=end.end, grain=grain_of(unit))


def _weekend_of(day: int) -> Period:
    found = weekend(day)
    return found if found.start <= day else weekend(day - _WEEK)


def _weekend_from(day: int, step: int) -> Period:
    return weekend(day + _WEEK * step)


def _seen(words: Words, of_day: Callable[[int], Period]) -> Period | None:
    return None if words.anchor is None else of_day(words.anchor)
