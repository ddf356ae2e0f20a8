"""Mentions of time in English texts, as intervals.

Where a mention could mean several times, one rule decides:

- Days are days in UTC, weeks begin on Monday, seasons are whole months of the northern year and
  winter begins in December of its year.
- A day, month, season or holiday without its year is the one whose beginning is nearest to the
  anchor, before it or after; after `last`, `this` and `next` it is the last that is over, the one
  of this year, the next to begin.
- `Last Friday` is the last before today, `next Friday` the first after it, `this Friday` that of
  this week; a bare `Friday` is the last one, today included, and `on the 7th` likewise.
- `Last week`, `last month`, `last year` are those of the calendar; `the past week` and `the last
  three months` reach back from today. `The weekend` is the last to begin, today included.
- `Two weeks ago` is the calendar week so many before this one; a few are two to five, a couple
  two, several three to seven.
- `The week before 9 June` is the seven days up to it; `two weeks before 9 June` is that one day,
  told to the week. `Early`, `mid` and `late` are thirds.
- Of 5/7/2023 the month stands first, unless it can be none; of 07.05.2023 the day does.
- `May`, `march`, `sun`, `fall`, a number of four digits count where their neighbours say so:
  `in May`, `May 7`, `last Sun`, `in the fall`, `in 2022`.
- `Recently`, `soon` and `these days` are too vague to be one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from engram_lab.retrieval.times.composed import composed, simple
from engram_lab.retrieval.times.holidays import FIRST_OF_NAMES
from engram_lab.retrieval.times.periods import Grain, Period, joined
from engram_lab.retrieval.times.reading import Found, Words, words_of
from engram_lab.retrieval.times.words import (
    COUNTS,
    DEICTIC,
    MONTHS,
    NUMBERS,
    ORDINALS,
    PARTS,
    SEASONS,
    SHORT_MONTHS,
    SHORT_WEEKDAYS,
    TODAY,
    UNITS,
    WEEKDAYS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Interval", "day_of", "mentions", "read"]

_FIRST: Final = frozenset(
    {"a", "an", "half", "in", "other"}.union(
        *(COUNTS, DEICTIC, MONTHS, NUMBERS, ORDINALS, PARTS, SEASONS, SHORT_MONTHS),
        *(SHORT_WEEKDAYS, TODAY, UNITS, WEEKDAYS),
        FIRST_OF_NAMES,
    )
)
_LAST_DAY: Final = date.max.toordinal()
_UNTIL: Final = frozenset({"to", "until", "till", "through", "and", "-"})
_OPENS: Final = frozenset({"from", "between"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A time that a text mentions.

    Attributes:
        span: Where the mention stands in the text, from and up to without.
        start: Its first moment, UTC.
        end: The moment after its last.
        grain: How finely it was told.
        yearly: Its year was not told, so it is the one nearest to the anchor.
    """

    span: tuple[int, int]
    start: datetime
    end: datetime
    grain: Grain
    yearly: bool = False


def mentions(text: str, *, anchor: datetime | None) -> tuple[Interval, ...]:
    """Return the times that a text mentions, in its order; none overlaps another.

    Args:
        text: Any text.
        anchor: When it was said or asked; its day in UTC is today, and a time without a zone is
            UTC. Without it only mentions count that name their year.
    """
    found = read(words_of(text, None if anchor is None else day_of(anchor)))
    return tuple(_interval(span, period) for span, period in found if period is not None)


def read(words: Words) -> list[tuple[tuple[int, int], Period | None]]:
    """Return where each mention stands in the text and its days.

    The days are None where only an anchor would fix them.
    """
    return [
        ((words.spans[start][0], words.spans[found.stop - 1][1]), found.period)
        for start, found in _all(words)
    ]


def _all(words: Words) -> Iterator[tuple[int, Found]]:
    at = 0
    while at < len(words.lower):
        found = _here(words, at)
        if found is None:
            at += 1
            continue
        found = _range(words, at, found)
        yield at, found
        at = found.stop


def _here(words: Words, at: int) -> Found | None:
    word = words.at(at)
    if word not in _FIRST and not word[:1].isdigit():
        return None
    try:
        found = composed(words, at) or simple(words, at)
    except (ValueError, OverflowError):  # no such day, or outside the years 1 to 9999
        return None
    if found and found.period and not 0 < found.period.start < found.period.end <= _LAST_DAY:
        return None
    return found


def _range(words: Words, at: int, first: Found) -> Found:
    """Read on to the end of `from July to September 2023`, `between May 7 and May 9`."""
    before = words.at(at - 2) if words.at(at - 1) == "the" else words.at(at - 1)
    if before not in _OPENS or words.at(first.stop) not in _UNTIL:
        return first
    second = _here(words, words.past(first.stop + 1, "the"))
    if second is None:
        return first
    if first.period is None or second.period is None:
        return Found(second.stop, second.period)
    both = joined(first.period, second.period)
    return first if both is None else Found(second.stop, both)


def _interval(span: tuple[int, int], period: Period) -> Interval:
    return Interval(
        span=span,
        start=_moment(period.start),
        end=_moment(period.end),
        grain=period.grain,
        yearly=period.yearly,
    )


def day_of(moment: datetime) -> int:
    """Return the day of a moment in UTC, as `date.toordinal` counts; without a zone it is UTC."""
    if moment.tzinfo is None:
        return moment.toordinal()
    try:
        return moment.astimezone(UTC).toordinal()
    except OverflowError:
        return moment.toordinal()


def _moment(day: int) -> datetime:
    return datetime.fromordinal(day).replace(tzinfo=UTC)
