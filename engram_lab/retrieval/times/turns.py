"""What a store's texts tell of time, as arrays that are made once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.retrieval.times.mentions import day_of, read
from engram_lab.retrieval.times.reading import words_of
from engram_lab.retrieval.times.relative import amount_of
from engram_lab.retrieval.times.words import BEFORE_LENGTHS, COUNTS, NUMBERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from engram_lab.retrieval.times.reading import Words

__all__ = ["DAY", "TurnTimes", "of_turns", "together"]

DAY: Final = 86_400.0
"""Seconds."""

_EPOCH: Final = date(1970, 1, 1).toordinal()
_COUNTING: Final = frozenset({"a", "an", "half", *COUNTS, *NUMBERS})


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TurnTimes:
    """What n texts tell of time; times are seconds since 1970, UTC.

    Attributes:
        said: The beginning of the day on which each was said, NaN if unknown; float64 [n].
        starts: Where the m intervals begin that the texts mention; float64 [m].
        ends: Where they end; float64 [m].
        offsets: The intervals of text i are `offsets[i]` up to `offsets[i + 1]`; int64 [n + 1].
        tells_time: The text mentions a time, be it resolved or not; bool [n].
        tells_length: It tells how long something took, or how long ago it was; bool [n].
    """

    said: NDArray[np.float64]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    offsets: NDArray[np.int64]
    tells_time: NDArray[np.bool_]
    tells_length: NDArray[np.bool_]


def of_turns(texts: Sequence[str], spoken_at: Sequence[datetime | None]) -> TurnTimes:
    """Return what texts tell of time.

    Args:
        texts: Their words, without the speaker.
        spoken_at: When each was said; what it mentions is seen from there. None is unknown.

    Raises:
        ValueError: There are not as many times as texts.
    """
    spans: list[tuple[float, float]] = []
    said, counts, flags = [], [0], []
    for text, moment in zip(texts, spoken_at, strict=True):
        anchor = None if moment is None else day_of(moment)
        words = words_of(text, anchor)
        found = [period for _, period in read(words)]
        periods = [period for period in found if period is not None]
        said.append(np.nan if anchor is None else _seconds(anchor))
        spans.extend((_seconds(period.start), _seconds(period.end)) for period in periods)
        counts.append(len(periods))
        flags.append((bool(found), _tells_length(words)))
    edges = np.array(spans, np.float64).reshape(-1, 2)
    told = np.array(flags, np.bool_).reshape(-1, 2)
    return TurnTimes(
        said=np.array(said, np.float64),
        starts=edges[:, 0].copy(),
        ends=edges[:, 1].copy(),
        offsets=np.cumsum(counts, dtype=np.int64),
        tells_time=told[:, 0].copy(),
        tells_length=told[:, 1].copy(),
    )


def together(first: TurnTimes, second: TurnTimes) -> TurnTimes:
    """Return the times of some texts followed by those of others, as when a store grows."""
    return TurnTimes(
        said=np.concatenate((first.said, second.said)),
        starts=np.concatenate((first.starts, second.starts)),
        ends=np.concatenate((first.ends, second.ends)),
        offsets=np.concatenate((first.offsets, second.offsets[1:] + first.offsets[-1])),
        tells_time=np.concatenate((first.tells_time, second.tells_time)),
        tells_length=np.concatenate((first.tells_length, second.tells_length)),
    )


def _tells_length(words: Words) -> bool:
    return any(
        _is_length(words, at)
        for at, word in enumerate(words.lower)
        if word in _COUNTING or word[0].isdigit()
    )


def _is_length(words: Words, at: int) -> bool:
    """Tell whether a length of time begins here; `a week` may be how often, so it needs more."""
    word = words.lower[at]
    hyphen = words.at(at + 1) == "-"
    read_on = amount_of(words, at)
    if hyphen and read_on is None:
        return words.at(at + 2) in {"day", "week", "month", "year", "hour", "minute"}
    if read_on is None:
        return False
    return word not in {"a", "an"} or read_on[3] > at + 2 or words.at(at - 1) in BEFORE_LENGTHS


def _seconds(day: int) -> float:
    return (day - _EPOCH) * DAY
