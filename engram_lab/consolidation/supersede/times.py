"""What is newer than what, and from when to when each of a chain of values held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from engram_lab.consolidation.view import View

__all__ = ["Chains", "Found", "Times"]


class Found(NamedTuple):
    """That one row says otherwise than another, which is older."""

    sure: float
    newer: int
    older: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Times:
    """From when on memories hold, and when they were told.

    Attributes:
        moments: `valid_from`, else `event_at`, else when it was recorded, in seconds since 1970,
            float64 [n].
        created: When it was recorded, float64 [n].
        ranks: Place in the order of both, then of keys, int64 [n].
    """

    moments: NDArray[np.float64]
    created: NDArray[np.float64]
    ranks: NDArray[np.int64]

    @classmethod
    def of(cls, view: View) -> Self:
        """Return the times of a view."""
        columns = view.columns
        told = np.where(np.isnan(columns.event_at), columns.created_at, columns.event_at)
        moments = np.where(np.isnan(columns.valid_from), told, columns.valid_from)
        ranks = np.empty(len(view), np.int64)
        ranks[np.lexsort((columns.keys, columns.created_at, moments))] = np.arange(len(view))
        return cls(moments=moments, created=columns.created_at, ranks=ranks)

    def key(self, row: int) -> tuple[float, float]:
        """Return what tells which of two is newer."""
        return float(self.moments[row]), float(self.created[row])

    def ordered(self, pair: tuple[int, int]) -> tuple[int, int]:
        """Return two rows, the older first."""
        one, other = pair
        return pair if self.ranks[one] < self.ranks[other] else (other, one)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Chains:
    """What took whose place, each older one by the first that said otherwise.

    Attributes:
        followed: By older row, what took its place.
        begins: By newer row, since when it holds, in seconds since 1970.
    """

    followed: dict[int, Found]
    begins: dict[int, float]

    @classmethod
    def of(cls, found: Iterable[Found], times: Times) -> Self:
        """Return the chains of what was found."""
        said = sorted(
            found,
            key=lambda each: (*times.key(each.newer), -each.sure, each.newer, each.older),
        )
        followed: dict[int, Found] = {}
        by_newer: dict[int, list[int]] = {}
        for each in said:
            by_newer.setdefault(each.newer, []).append(each.older)
            if each.older not in followed and not _leads_to(followed, each.newer, each.older):
                followed[each.older] = each
        against = {(each.newer, each.older) for each in said}
        begins = {
            row: _beginning(row, olders, followed, against, times)
            for row, olders in sorted(by_newer.items())
        }
        return cls(followed=followed, begins=begins)


def _leads_to(followed: dict[int, Found], row: int, other: int) -> bool:
    """Tell whether following what took the place of a row comes to another."""
    while (after := followed.get(row)) is not None:
        row = after.newer
        if row == other:
            return True
    return False


def _beginning(
    row: int,
    olders: list[int],
    followed: dict[int, Found],
    against: set[tuple[int, int]],
    times: Times,
) -> float:
    """Return since when a row holds: since the first of its value took the place of the older.

    One that tells again what was told before begins where that did, unless something else held in
    between.
    """
    own = float(times.moments[row])
    latest = max(float(times.moments[older]) for older in olders)
    for older in olders:
        if (after := followed.get(older)) is None or after.newer == row:
            continue
        first = after.newer
        began = float(times.moments[first])
        ended = followed.get(first)
        over = ended is not None and float(times.moments[ended.newer]) <= own
        apart = (row, first) in against or (first, row) in against
        told_first = times.created[first] < times.created[row]
        if latest < began < own and not over and not apart and told_first:
            own = began
    return own
