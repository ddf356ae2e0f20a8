"""How well the time that a question mentions fits the times of texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.retrieval.times.turns import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.times.mentions import Interval
    from engram_lab.retrieval.times.periods import Grain
    from engram_lab.retrieval.times.turns import TurnTimes

__all__ = ["HALVES", "Fits", "fit", "fits"]

HALVES: Final[dict[Grain, float]] = {
    "day": 1.0,
    "week": 7.0,
    "month": 30.0,
    "season": 91.0,
    "year": 365.0,
    "decade": 3650.0,
}
"""After how many days between the time asked for and the time told the fit has halved."""

_MOST_YEARS: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fits:
    """How well the times of n texts fit a question, from 0 to 1; float64 [n] each.

    Attributes:
        said: By when the text was said.
        told: By the best of the times that it mentions.
    """

    said: NDArray[np.float64]
    told: NDArray[np.float64]


def fit(
    question: Sequence[Interval], times: TurnTimes, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the better of both fits; see `fits`. float64 [n]."""
    found = fits(question, times, rows)
    return np.maximum(found.said, found.told)


def fits(question: Sequence[Interval], times: TurnTimes, rows: NDArray[np.int64]) -> Fits:
    """Return how well texts fit the times that a question mentions.

    For a time asked for and one told, s = 2^(-gap / half) · share: gap is the days between them,
    0 where they meet; half is that of the grain asked for; share is the part of the time told
    that lies in the one asked for, or as much as could if they do not meet. So a text of the day
    asked for has 1, as has any day of the month asked for, and one that speaks of a whole year
    little for a day of it. Of several the best counts. A question without a time gives 0
    everywhere.

    The form is ours, in the spirit of the decay of Li and Croft, "Time-based language models"
    (CIKM 2003), equation 3, with the distance from the time asked for in place of the age.

    Args:
        question: What `mentions` gives. One whose year was not told is tried in every year in
            which a text was said.
        times: Of all texts.
        rows: Which texts; int64 [n].
    """
    rows = np.asarray(rows, np.int64)
    said, told = np.zeros(len(rows)), np.zeros(len(rows))
    if not question or not len(rows):
        return Fits(said=said, told=told)
    days = times.said[rows]
    known = np.flatnonzero(~np.isnan(days))
    first = times.offsets[rows]
    counts = times.offsets[rows + 1] - first
    owners = np.repeat(np.arange(len(rows)), counts)
    which = np.arange(len(owners)) + np.repeat(first - (np.cumsum(counts) - counts), counts)
    starts, ends = times.starts[which], times.ends[which]
    for start, end, half in _asked(question, days[known]):
        said[known] = np.maximum(
            said[known], _score(start, end, half, days[known], days[known] + DAY)
        )
        np.maximum.at(told, owners, _score(start, end, half, starts, ends))
    return Fits(said=said, told=told)


def _score(
    start: float,
    end: float,
    half: float,
    starts: NDArray[np.float64],
    ends: NDArray[np.float64],
) -> NDArray[np.float64]:
    lengths = ends - starts
    gap = np.maximum(0.0, np.maximum(starts - end, start - ends))
    common = np.minimum(ends, end) - np.maximum(starts, start)
    inside = np.where(common > 0, common, np.minimum(lengths, end - start))
    return np.exp2(-gap / half) * inside / lengths


def _asked(
    question: Sequence[Interval], said: NDArray[np.float64]
) -> Iterator[tuple[float, float, float]]:
    """Yield beginning, end and half-life in seconds of each time asked for."""
    for each in question:
        half = HALVES[each.grain] * DAY
        yield each.start.timestamp(), each.end.timestamp(), half
        if each.yearly and said.size:
            for start, end in _other_years(each, said):
                yield start, end, half


def _other_years(each: Interval, said: NDArray[np.float64]) -> Iterator[tuple[float, float]]:
    first, last = (datetime.fromtimestamp(at, UTC).year for at in (said.min(), said.max()))
    for year in range(max(first, last - _MOST_YEARS), last + 1):
        if year == each.start.year:
            continue
        try:
            start = each.start.replace(year=year)
            end = each.end.replace(year=each.end.year - each.start.year + year)
        except ValueError:  # the 29th of February
            continue
        yield start.timestamp(), end.timestamp()
