"""How active each memory was in each recall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from engram_lab.consolidation.view import View
    from engram_lab.core.types import RecalledMemory, RecallEvent

__all__ = ["Activity", "PairSums", "activity_of"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PairSums:
    """What recalls tell of pairs of memories: sums over the recalls e, each of weight w(e).

    With x(e) and y(e) the activity of the two of a pair in a recall, 0 where they were not found.

    Attributes:
        low, high: Rows of the two, int64 [p], `low` below `high`; each pair once.
        together: Σ w·x·y, float64 [p].
        times: Σ w over the recalls in which both were active, float64 [p].
    """

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    together: NDArray[np.float64]
    times: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Activity:
    """A sparse table: memories that were active, by recall and then by rank.

    Attributes:
        size: How many rows the view has.
        events: Which recall, int64 [m], rising.
        rows: Which memory, int64 [m], each once in a recall.
        values: How active, above 0 and at most 1, float64 [m].
        weights: What each recall counts for, above 0 and at most 1, float64 [events].
        found: In how many recalls each row was ever found, these included, float64 [size].
        recalls: How many recalls there ever were, these included.
    """

    size: int
    events: NDArray[np.int64]
    rows: NDArray[np.int64]
    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    found: NDArray[np.float64]
    recalls: float

    def active(self) -> NDArray[np.int64]:
        """Return the rows that were active at all, rising."""
        return np.unique(self.rows)

    def sums(self, power: int) -> NDArray[np.float64]:
        """Return Σ w·x to a power for each row of the view, float64 [size]."""
        told = self.weights[self.events] * self.values**power
        return np.bincount(self.rows, told, self.size).astype(np.float64)

    def pairs(self, groups: NDArray[np.int64]) -> PairSums:
        """Return the sums of all pairs that were active together and are of one group.

        Args:
            groups: The group of each row of the view, int64 [size].
        """
        codes, together, times = [], [], []
        most = int(np.bincount(self.events).max(initial=0))
        for apart in range(1, most):
            one, two = self.rows[:-apart], self.rows[apart:]
            both = (self.events[:-apart] == self.events[apart:]) & (groups[one] == groups[two])
            weights = self.weights[self.events[:-apart][both]]
            one, two = one[both], two[both]
            codes.append(np.minimum(one, two) * self.size + np.maximum(one, two))
            together.append(weights * self.values[:-apart][both] * self.values[apart:][both])
            times.append(weights)
        if not codes:
            nothing, none = np.empty(0, np.int64), np.empty(0)
            return PairSums(low=nothing, high=nothing, together=none, times=none)
        distinct, places = np.unique(np.concatenate(codes), return_inverse=True)
        return PairSums(
            low=distinct // self.size,
            high=distinct % self.size,
            together=_sums(places, together, len(distinct)),
            times=_sums(places, times, len(distinct)),
        )


def activity_of(
    view: View,
    events: Iterable[RecallEvent],
    *,
    now_s: float,
    half_life_s: float,
    most: int,
    slope: float,
    score_share: float,
) -> Activity:
    """Return how active the memories of a view were in some recalls.

    The r-th of a recall, counted from 1, has the activity r^-slope · (score ÷ best score)^share, so
    that few strong hits count and the tail of an answer hardly. Scores count only where all of a
    recall are 0 or more. A recall that lies back by a half-life counts half. One that was asked
    before in the same words and was answered with the same memories tells little that is new: n of
    them count together as 1 + ln n.

    Recalls are taken in the order of time and id, so that the order in which they are given makes
    no difference, not even in the last bit.

    How often each was ever found is told by its accesses, as each recall is one of all that it
    finds, and how many recalls there ever were by the sum of them.

    Args:
        view: Memories that are not in it, or archived, are passed over.
        events: The recalls.
        now_s: Seconds since 1970.
        half_life_s: Seconds after which a recall counts half; inf for never.
        most: How many of the best of a recall are looked at.
        slope: How fast activity falls with the rank; 0 for not at all.
        score_share: How much scores count; 0 for not at all.
    """
    ordered = sorted(events, key=lambda event: (event.at, event.id))
    asked: dict[tuple[str, tuple[int, ...]], list[int]] = {}
    numbers: list[int] = []
    rows: list[int] = []
    values: list[float] = []
    ages = np.zeros(len(ordered))
    for number, event in enumerate(ordered):
        ages[number] = max(0.0, now_s - event.at.timestamp())
        found = _active(view, event.hits, most=most, slope=slope, score_share=score_share)
        asked.setdefault((_words(event.query), tuple(found)), []).append(number)
        numbers += [number] * len(found)
        rows += found
        values += found.values()
    weights = np.exp2(-ages / half_life_s)
    for same in asked.values():
        if len(same) > 1:
            weights[same] *= (1.0 + np.log(len(same))) / len(same)
    accesses = view.columns.access_count
    hits = sum(len(event.hits) for event in ordered)
    told = np.array(rows, np.int64)
    return Activity(
        size=len(view),
        events=np.array(numbers, np.int64),
        rows=told,
        values=np.array(values, np.float64),
        weights=weights,
        found=np.maximum(np.bincount(told, minlength=len(view)), accesses).astype(np.float64),
        recalls=max(float(len(ordered)), len(ordered) * float(accesses.sum()) / max(1, hits)),
    )


def _sums(
    places: NDArray[np.int64], parts: list[NDArray[np.float64]], size: int
) -> NDArray[np.float64]:
    return np.bincount(places, np.concatenate(parts), size).astype(np.float64)


def _words(query: str) -> str:
    return " ".join(query.casefold().split())


def _active(
    view: View,
    hits: Sequence[RecalledMemory],
    *,
    most: int,
    slope: float,
    score_share: float,
) -> dict[int, float]:
    """Return the activity of each row that a recall found, best first."""
    best = sorted(hits, key=lambda hit: (hit.rank, hit.memory_id))[:most]
    scores = [hit.score for hit in best]
    top = max(scores, default=0.0)
    told = score_share > 0 and top > 0 and min(scores) >= 0
    archived = view.columns.archived
    active: dict[int, float] = {}
    for place, hit in enumerate(best, start=1):
        row = view.row_of(hit.memory_id)
        if row < 0 or archived[row] or row in active:
            continue
        value = float(place**-slope)
        if told:
            value *= (hit.score / top) ** score_share
        if value > 0:
            active[row] = value
    return active
