"""What all steps that link have in common: which links there are, and how one is planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.dreams import Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from engram_lab.consolidation.step import Scene
    from engram_lab.consolidation.view import View

__all__ = ["DIGITS", "Ties", "Wanted", "groups_of", "settled", "strongest"]

_SAME: Final = 1e-6
"""Cosines of the same vectors may differ by so much, by the way in which they are added up."""

DIGITS: Final = 9
"""Weights are rounded to so many places: below that is only the order in which was added."""


def groups_of(names: Sequence[str | None]) -> NDArray[np.int64]:
    """Return a number for each name, alike where the names are alike, int64 [n]."""
    numbers: dict[str | None, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)


def strongest(
    one: NDArray[np.int64], two: NDArray[np.int64], weights: NDArray[np.float64], most: int
) -> NDArray[np.bool_]:
    """Tell which pairs stay if none may have more than `most`: the heaviest first, bool [p].

    A pair stays while both have room for it; among equals the one of lesser rows comes first. So a
    pair goes because of those that stay alone: to choose again among these, and whatever of the
    others, chooses the same.
    """
    stays = np.ones(len(one), np.bool_)
    if not len(one):
        return stays
    degrees = np.bincount(np.concatenate([one, two]))
    crowded = np.flatnonzero((degrees[one] > most) | (degrees[two] > most))
    order = crowded[np.lexsort((two[crowded], one[crowded], -weights[crowded]))]
    room: dict[int, int] = {}
    for place, start, end in zip(
        order.tolist(), one[order].tolist(), two[order].tolist(), strict=True
    ):
        left = room.get(start, most), room.get(end, most)
        if min(left) > 0:
            room[start], room[end] = left[0] - 1, left[1] - 1
        else:
            stays[place] = False
    return stays


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Wanted:
    """Links that there should be, each pair once.

    Attributes:
        starts, ends: Rows, int64 [p].
        weights: float64 [p], 0 to 1.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.starts)

    def only(self, kept: NDArray[np.bool_]) -> Wanted:
        """Return some of them."""
        return Wanted(starts=self.starts[kept], ends=self.ends[kept], weights=self.weights[kept])

    def codes(self, size: int) -> NDArray[np.int64]:
        """Return a number for each pair, alike in both directions, int64 [p]."""
        low, high = np.minimum(self.starts, self.ends), np.maximum(self.starts, self.ends)
        return np.asarray(low * size + high, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Ties:
    """The open links of one type as pairs of rows of a view, in the order of their ids.

    Attributes:
        view: Whose rows.
        type: Of all of them.
        step: Who asks, and makes and changes its own alone.
        ids: [m].
        low, high: The two ends, `low` below `high`, int64 [m].
        weights: float64 [m].
        ours: Whether the step made it and it is not pinned: nothing else is ever changed, bool [m].
        forward: Whether it runs from `low` to `high`, bool [m].
        updated_at: [m].
    """

    view: View
    type: str
    step: str
    ids: list[str]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    weights: NDArray[np.float64]
    ours: NDArray[np.bool_]
    forward: NDArray[np.bool_]
    updated_at: list[datetime]

    @classmethod
    def of(
        cls, view: View, link_type: str, step: str, keys: NDArray[np.int64] | None = None
    ) -> Ties:
        """Read the links of a type, of some keys or all.

        Args:
            view: Whose links.
            link_type: Of this type alone.
            step: Who asks.
            keys: Links from or to these alone; all unless given.
        """
        links = view.links(keys, types=(link_type,))
        starts, ends = view.rows(links.from_keys), view.rows(links.to_keys)
        known = (starts >= 0) & (ends >= 0) & (starts != ends)
        kept = np.flatnonzero(known).tolist()
        starts, ends = starts[known], ends[known]
        sources = np.array([links.sources[place] == f"dream:{step}" for place in kept], np.bool_)
        return cls(
            view=view,
            type=link_type,
            step=step,
            ids=[links.ids[place] for place in kept],
            low=np.minimum(starts, ends),
            high=np.maximum(starts, ends),
            weights=links.weights[known],
            ours=sources & ~links.pinned[known],
            forward=starts < ends,
            updated_at=[links.updated_at[place] for place in kept],
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def codes(self) -> NDArray[np.int64]:
        """A number for each pair, alike in both directions, int64 [m]."""
        return self.low * len(self.view) + self.high

    @property
    def updated_s(self) -> NDArray[np.float64]:
        """Seconds since 1970 of the last change of each, float64 [m]."""
        return np.array([each.timestamp() for each in self.updated_at], np.float64)

    def changed(self, place: int, weight: float, *, reason: str) -> Change:
        """Plan another weight for one."""
        ends = (int(self.low[place]), int(self.high[place]))
        ids = tuple(self.view.columns.ids[row] for row in ends)
        starts, arrives = ids if self.forward[place] else ids[::-1]
        return Change(
            step=self.step,
            action="link",
            id=self.ids[place],
            fields={
                "from_id": starts,
                "to_id": arrives,
                "type": self.type,
                "weight": weight,
                "source": f"dream:{self.step}",
            },
            reason=reason,
            sources=ids,
            seen=self.updated_at[place],
        )

    def gone(self, place: int, *, reason: str) -> Change:
        """Plan the end of one."""
        ends = (int(self.low[place]), int(self.high[place]))
        return Change(
            step=self.step,
            action="unlink",
            id=self.ids[place],
            reason=reason,
            sources=tuple(self.view.columns.ids[row] for row in ends),
            seen=self.updated_at[place],
        )

    def made(self, scene: Scene, start: int, end: int, weight: float, *, reason: str) -> Change:
        """Plan a new one from row to row."""
        ids = (self.view.columns.ids[start], self.view.columns.ids[end])
        return Change(
            step=self.step,
            action="link",
            id=scene.new_id(self.step, *ids),
            fields={
                "from_id": ids[0],
                "to_id": ids[1],
                "type": self.type,
                "weight": weight,
                "source": f"dream:{self.step}",
            },
            reason=reason,
            sources=ids,
        )


def settled(
    ties: Ties,
    scene: Scene,
    wanted: Wanted,
    judged: NDArray[np.bool_],
    *,
    reason: str,
    gone: str,
) -> Iterator[Change]:
    """Plan what makes the links of a step what they should be.

    A pair that anybody else has linked by this type is left as it is, in whichever direction.

    Args:
        ties: The links that there are between the memories that are looked at.
        scene: Names what is made.
        wanted: What should be.
        judged: Which of the ties go if they are not wanted, of the step's own, bool [m].
        reason: Why a link is made or changed, as a clause.
        gone: Why one goes, as a clause.
    """
    codes = wanted.codes(len(ties.view))
    weights = np.round(wanted.weights, DIGITS).tolist()
    places = {code: place for place, code in enumerate(codes.tolist())}
    known = ties.codes.tolist()
    for place, code in enumerate(known):
        if not ties.ours[place]:
            continue
        if code not in places:
            if judged[place]:
                yield ties.gone(place, reason=gone)
        elif abs(weights[places[code]] - ties.weights[place]) > _SAME:
            yield ties.changed(place, weights[places[code]], reason=reason)
    for place in np.flatnonzero(~np.isin(codes, ties.codes)).tolist():
        start, end = int(wanted.starts[place]), int(wanted.ends[place])
        yield ties.made(scene, start, end, weights[place], reason=reason)
