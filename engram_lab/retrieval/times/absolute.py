"""Times that the calendar names: days, months, seasons, years and holidays."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from engram_lab.retrieval.times.periods import (
    Period,
    days,
    last_such_day,
    month,
    nearest_year,
    season,
    year,
)
from engram_lab.retrieval.times.reading import Found, Words
from engram_lab.retrieval.times.words import (
    AFTER_DAY,
    CENTURIES,
    DAY_CUES,
    DEICTIC,
    MONTH_CUES,
    MONTH_PARTS,
    MONTHS,
    NO_YEAR_BEFORE,
    ORDINALS,
    SEASONS,
    SHORT_MONTHS,
    VAGUE_SEASONS,
    WORDY_MONTHS,
    YEAR_CUES,
    YEARS_OF_DATES,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["day_first", "month_name", "numeric", "season_name", "told_year", "yearless"]

_MOST_DAYS: Final = 31
_MOST_MONTHS: Final = 12
_YEAR_DIGITS: Final = 4
_SHORT_YEAR: Final = 70  # 69 is 2069, 70 is 1970, as POSIX reads two digits
_CENTURY: Final = 100
_DECADE: Final = 10
_SHORT_DECADES: Final = range(50, 100)  # the 20s may be these years or those
_ENDINGS: Final = frozenset({"st", "nd", "rd", "th"})


def yearless(words: Words, of_year: Callable[[int], Period], before: int) -> Period | None:
    """Return a period whose year is not told.

    The word before it decides: the last, this year's or the next one seen from the anchor; else
    the nearest.
    """
    anchor = words.anchor
    if anchor is None:
        return None
    here = date.fromordinal(anchor).year
    step = DEICTIC.get(words.at(before))
    if step is None:
        return nearest_year(of_year, anchor)
    if step == 0:
        return of_year(here)
    tried = [of_year(here + shift) for shift in (-2, -1, 0, 1)]  # a winter ends in the next year
    if step < 0:
        return [each for each in tried if each.end <= anchor][-1]
    return next(each for each in tried if each.start > anchor)


def told_year(words: Words, at: int) -> tuple[int, int | None]:
    """Return where a year that follows a date ends, and the year; `, of ' may stand before it."""
    start = at
    at = words.past(at, ",")
    at = words.past(at, "of")
    if words.at(at) == "'" and words.touches(at + 1):
        short = words.number(at + 1)
        if short is not None and len(words.at(at + 1)) == 2:  # noqa: PLR2004
            return at + 2, _full(short)
    full = words.number(at)
    if full is not None and full in YEARS_OF_DATES and not _counts(words, at):
        return at + 1, full
    return start, None


def month_name(words: Words, at: int) -> Found | None:
    """Read `May 7`, `May 7th, 2023`, `May 2023`, `in May`, `May 7-9, 2023`."""
    word = words.at(at)
    of_month = MONTHS.get(word) or SHORT_MONTHS.get(word, 0)
    if not of_month:
        return None
    after = at + 1
    if word in SHORT_MONTHS:
        after = words.past(after, ".")
    first = words.past(after, "the")
    in_month, stop = (0, first) if words.touches(at + 1) and first == at + 1 else _day(words, first)
    stop, of_year = told_year(words, stop if in_month else after)
    if in_month and not (of_year is None and _is_other(words, word, at)):
        return _days(words, at, (of_month, in_month), stop, of_year, first)
    if in_month:
        stop, of_year = told_year(words, after)
    if of_year is not None:
        return Found(stop, month(of_year, of_month))
    if not _stands_alone(words, word, at):
        return None
    return Found(after, yearless(words, lambda each: month(each, of_month), at - 1))


def numeric(words: Words, at: int) -> Found | None:
    """Read `2023-05-07`, `5/7/2023`, `7 May 2023`, `on the 7th`, `in 2022`, `the 1990s`.

    On the 7th is the last one, today included.
    Of 5/7/2023 the first number is the month, unless it is none; where dots stand between, the
    first is the day.
    """
    number = words.number(at)
    if number is None or words.at(at - 1) in {"$", "€", "£", "#"}:
        return None
    return (
        _dashed(words, at, number)
        or day_first(words, at)
        or _day_alone(words, at)
        or _decade(words, at, number)
        or _year_alone(words, at, number)
    )


def season_name(words: Words, at: int) -> Found | None:
    """Read `summer 2022`, `the summer of 2022`, `in the summer`."""
    first_month = SEASONS.get(words.at(at))
    if first_month is None:
        return None
    stop, of_year = told_year(words, at + 1)
    if of_year is not None:
        return Found(stop, season(of_year, first_month))
    the = words.at(at - 1) == "the"
    cue = words.at(at - 2) if the else words.at(at - 1)
    pointed = cue in {"last", "this", "past", "next"} and not the
    if not pointed and (cue not in VAGUE_SEASONS or words.at(at + 1) in {"of", "-"}):
        return None
    found = yearless(words, lambda each: season(each, first_month), at - 1)
    return Found(at + 1, found)


def _date(of_year: int, of_month: int, in_month: int) -> Period:
    return days(date(of_year, of_month, in_month).toordinal())


def _full(short: int) -> int:
    return short + (2000 if short < _SHORT_YEAR else 1900)


def _counts(words: Words, at: int) -> bool:
    """Tell whether a number says how many, how much, or is a part of a longer number."""
    after = words.at(at + 1)
    decimal = after in {".", ",", ":", "/", "%"} and words.touches(at + 1)
    joined = words.touches(at + 1) and after.isalpha()
    return (
        (decimal and words.touches(at + 2) and words.number(at + 2) is not None)
        or joined
        or after == "%"
        or after in NO_YEAR_BEFORE
    )


def _day(words: Words, at: int) -> tuple[int, int]:
    """Return a day of the month, 0 for none, and where it ends."""
    number = words.number(at)
    if number is None or not 1 <= number <= _MOST_DAYS or len(words.at(at)) > 2:  # noqa: PLR2004
        return 0, at
    stop = at + 1
    if words.at(stop) in _ENDINGS and words.touches(stop):
        return number, stop + 1
    if words.touches(stop) and (words.at(stop).isalpha() or words.at(stop) in {":", "%", "/"}):
        return 0, at
    if words.at(stop) in {"am", "pm"}:
        return 0, at
    return number, stop


def _is_other(words: Words, word: str, at: int) -> bool:
    """Tell whether a month's name before a number is a verb: `we may 2 of us go`."""
    return word in WORDY_MONTHS and not words.capital[at]


def _days(
    words: Words, at: int, day: tuple[int, int], stop: int, of_year: int | None, first: int
) -> Found | None:
    """Return the period of a day of a month, or of some days in a row as in `May 7-9`."""
    of_month, in_month = day
    last = in_month
    _, after = _day(words, first)
    if words.at(after) == "-":
        until, end = _day(words, after + 1)
        if until > in_month:
            last = until
            stop, of_year = told_year(words, end)

    def in_year(each: int) -> Period:
        start = date(each, of_month, in_month).toordinal()
        return days(start, date(each, of_month, last).toordinal() + 1 - start)

    if of_year is not None:
        return Found(stop, in_year(of_year))
    return Found(stop, yearless(words, in_year, at - 1))


def _stands_alone(words: Words, word: str, at: int) -> bool:
    before = words.at(at - 1)
    if word in SHORT_MONTHS:
        return words.capital[at] and before in MONTH_CUES and words.at(at + 1) != "-"
    if word not in WORDY_MONTHS:
        return True
    if before == "of" and words.at(at - 2) in MONTH_PARTS:
        return words.capital[at]
    return before in MONTH_CUES and (words.capital[at] or before == "in")


def _dashed(words: Words, at: int, number: int) -> Found | None:
    sign = words.at(at + 1)
    second, third = words.number(at + 2), words.number(at + 4)
    if sign not in {"-", "/", "."} or second is None or not _tight(words, at, 3):
        return None
    year_first = len(words.at(at)) == _YEAR_DIGITS
    if third is None or words.at(at + 3) != sign or not _tight(words, at, 5):
        is_range = second == number % _CENTURY + 1
        is_month = number in CENTURIES and 1 <= second <= _MOST_MONTHS and not is_range
        return Found(at + 3, month(number, second)) if sign == "-" and is_month else None
    if year_first:
        return Found(at + 5, _date(number, second, third))
    if len(words.at(at + 4)) != _YEAR_DIGITS and (sign != "/" or len(words.at(at + 4)) != 2):  # noqa: PLR2004
        return None
    of_year = _full(third) if len(words.at(at + 4)) == 2 else third  # noqa: PLR2004
    day_first = sign == "." or number > _MOST_MONTHS
    of_month, in_month = (second, number) if day_first else (number, second)
    return Found(at + 5, _date(of_year, of_month, in_month))


def _tight(words: Words, at: int, count: int) -> bool:
    """Tell whether nothing stands between some words in a row."""
    return all(words.touches(at + each) for each in range(1, count))


def day_first(words: Words, at: int) -> Found | None:
    """Read `7 May 2023`, `the 7th of May`, `the first of May`."""
    in_month, stop = _day(words, at)
    if words.at(at) in ORDINALS and words.at(at + 1) == "of":
        in_month, stop = max(0, ORDINALS[words.at(at)]), at + 1
    stop = words.past(stop, "of")
    word = words.at(stop)
    of_month = MONTHS.get(word) or SHORT_MONTHS.get(word, 0)
    if not in_month or not of_month:
        return None
    if word in WORDY_MONTHS and not words.capital[stop] and words.number(stop + 1) is None:
        return None
    after = words.past(stop + 1, ".") if word in SHORT_MONTHS else stop + 1
    stop, of_year = told_year(words, after)
    if of_year is not None:
        return Found(stop, _date(of_year, of_month, in_month))
    return Found(stop, yearless(words, lambda each: _date(each, of_month, in_month), at - 1))


def _day_alone(words: Words, at: int) -> Found | None:
    in_month, stop = _day(words, at)
    after = words.at(stop)
    if stop != at + 2 or words.at(at - 1) != "the" or words.at(at - 2) not in DAY_CUES:
        return None
    if after.isalpha() and after not in AFTER_DAY:
        return None
    anchor = words.anchor
    return Found(stop, None if anchor is None else last_such_day(in_month, anchor))


def _decade(words: Words, at: int, number: int) -> Found | None:
    if words.at(at + 1) != "s" or not words.touches(at + 1) or number % _DECADE:
        return None
    if number in _SHORT_DECADES and words.at(at - 1) in {"the", "'"}:
        number += 1900
    if number in CENTURIES and len(words.at(at)) in {2, _YEAR_DIGITS}:
        return Found(at + 2, year(number, count=_DECADE, grain="decade"))
    return None


def _year_alone(words: Words, at: int, number: int) -> Found | None:
    if number not in CENTURIES:
        return None
    last = words.number(at + 2)
    if (
        last is not None
        and number < last < CENTURIES.stop
        and words.at(at + 1) == "-"
        and _tight(words, at, 3)
    ):
        return Found(at + 3, year(number, count=last + 1 - number))
    if _counts(words, at) or words.at(at - 1) not in YEAR_CUES:
        return None
    return Found(at + 1, year(number))
