"""Which memories still hold, and which stand for others that a recall no longer finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.consolidation.view import View

__all__ = ["Holding"]

_GIST_LINK: Final = "derived_from"
_LINKS: Final = ("merged_into", "supersedes", _GIST_LINK)
_TYPES: Final = tuple(range(len(_LINKS)))
_LONGEST_CHAIN: Final = 64
"""Beyond so many successors all count as equally old; a circle of them ends here."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Holding:
    """What links and validity say of the rows of a view.

    Attributes:
        closed: No longer true: its validity ended, or something supersedes it, bool [n].
        depth: How many times it was superseded, counting through, at most 64, int64 [n].
        stands: It speaks for others: these are archived and were merged into it, or it is their
            gist; or it supersedes them, bool [n].
        absorbed: It was merged into another, bool [n].
        newer, older: Rows of which the first supersedes the second, int64 [m].
    """

    closed: NDArray[np.bool_]
    depth: NDArray[np.int64]
    stands: NDArray[np.bool_]
    absorbed: NDArray[np.bool_]
    newer: NDArray[np.int64]
    older: NDArray[np.int64]

    @classmethod
    def of(cls, view: View, now_s: float) -> Self:
        """Return what holds at a moment, in seconds since 1970."""
        ends, types = _ends(view)
        near, far = ends[:, 0], ends[:, 1]
        merged, over, told = (types == each for each in _TYPES)
        n, archived = len(view), view.columns.archived
        stands, absorbed = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        absorbed[near[merged]] = True
        # Whom somebody brought back speaks for itself again.
        stands[far[merged & archived[near]]] = True
        stands[near[told & archived[far]]] = True
        stands[near[over]] = True
        newer, older = near[over], far[over]
        closed = view.columns.valid_to <= now_s
        closed[older] = True
        return cls(
            closed=closed,
            depth=_depth(newer, older, n),
            stands=stands & ~closed,
            absorbed=absorbed,
            newer=newer,
            older=older,
        )

    def bound(self, stays: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which supersede, directly or through others, what stays findable, bool [n].

        Hidden themselves, they would leave the outdated word as the last one.
        """
        reached = stays.copy()
        while (more := self.newer[reached[self.older] & ~reached[self.newer]]).size:
            reached[more] = True
        bound = np.zeros(len(stays), np.bool_)
        bound[self.newer[reached[self.older]]] = True
        return bound


def _ends(view: View) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of both ends of links, int64 [m, 2], and the place of each type, int64 [m].

    Those that earlier steps plan are among them. Of `derived_from` only those of gists count: what
    people link so, says what they will.
    """
    links = view.links(types=_LINKS)
    known = list(
        zip(
            view.rows(links.from_keys).tolist(),
            view.rows(links.to_keys).tolist(),
            links.types,
            strict=True,
        )
    )
    found = [
        (near, far, _LINKS.index(type_))
        for near, far, type_ in known + view.planned_links(_LINKS)
        if min(near, far) >= 0 and near != far and (type_ != _GIST_LINK or _is_gist(view, near))
    ]
    table = np.array(found, np.int64).reshape(len(found), 3)
    return table[:, :2], table[:, 2]


def _is_gist(view: View, row: int) -> bool:
    return (view.columns.sources[row] or "").startswith("dream:")


def _depth(newer: NDArray[np.int64], older: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    depth = np.zeros(n, np.int64)
    for _ in range(_LONGEST_CHAIN):
        deeper = depth.copy()
        np.maximum.at(deeper, older, np.minimum(depth[newer] + 1, _LONGEST_CHAIN))
        if (deeper == depth).all():
            break
        depth = deeper
    return depth
