"""Which old memories belong together: by session, by links, by meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from engram_lab.consolidation.step import Scene
    from engram_lab.consolidation.view import View

__all__ = ["BONDS", "Group", "Grouping", "oldest_first"]

_NOT_BONDS: Final = frozenset({"contradicts", "derived_from", "merged_into", "supersedes"})
"""Links of these types say that two memories are not to be told in one breath, or are one."""


class Group(NamedTuple):
    """Rows of memories that belong together, oldest first, and by what they do."""

    rows: tuple[int, ...]
    bond: str


class _Edges(NamedTuple):
    one: NDArray[np.int64]
    two: NDArray[np.int64]
    weights: NDArray[np.float64]


class Grouping:
    """Finds groups among the rows of a view; no row is in two, none crosses scopes.

    Args:
        view: The memories.
        scene: Finds the nearest.
        free: Which rows may be grouped, bool [n].
        fresh: Which of them make it worth looking: a group has at least one, bool [n].
        least, most: How many memories a group may have.
        cosine: Least cosine of a pair that is bound by meaning.
        near: How many nearest of each are looked at.
        link_weight: Least weight of a link that binds.
    """

    def __init__(
        self,
        view: View,
        scene: Scene,
        *,
        free: NDArray[np.bool_],
        fresh: NDArray[np.bool_],
        least: int,
        most: int,
        cosine: float,
        near: int,
        link_weight: float,
    ) -> None:
        self._view = view
        self._scene = scene
        self._free = free.copy()
        self._fresh = fresh & free
        self._least, self._most = least, most
        self._cosine, self._near, self._link_weight = cosine, near, link_weight
        names = {each: place for place, each in enumerate(sorted(set(view.columns.scopes)))}
        self._scopes = np.array([names[each] for each in view.columns.scopes], np.int64)

    def groups(self, bonds: Sequence[str]) -> list[Group]:
        """Return the groups, bond by bond; what one took is not there for the next."""
        found: list[Group] = []
        for bond in bonds:
            for rows in BONDS[bond](self):
                self._free[rows] = self._fresh[rows] = False
                found.append(Group(oldest_first(self._view, rows), bond))
        return found

    def by_session(self) -> list[list[int]]:
        """Return sessions in the order of their turns, long ones in even parts."""
        sessions: dict[tuple[str, str], list[int]] = {}
        ids, scopes = self._view.columns.session_ids, self._view.columns.scopes
        for row in np.flatnonzero(self._free).tolist():
            session = ids[row]
            if session is not None:
                sessions.setdefault((scopes[row], session), []).append(row)
        found: list[list[int]] = []
        for _, rows in sorted(sessions.items()):
            if len(rows) >= self._least and self._fresh[rows].any():
                ordered = np.array(oldest_first(self._view, rows))
                parts = np.array_split(ordered, -(-len(rows) // self._most))
                found += [part.tolist() for part in parts if len(part) >= self._least]
        return found

    def by_link(self) -> list[list[int]]:
        """Return stars of links."""
        keys = self._view.columns.keys[self._fresh]
        if not len(keys):
            return []
        links = self._view.links(keys)
        bonds = np.array([each not in _NOT_BONDS for each in links.types], np.bool_)
        strong = bonds & (links.weights >= self._link_weight)
        return self._stars(
            self._view.rows(links.from_keys[strong]),
            self._view.rows(links.to_keys[strong]),
            links.weights[strong],
        )

    def by_cosine(self) -> list[list[int]]:
        """Return stars of nearest by meaning; none without vectors."""
        rows = np.flatnonzero(self._fresh)
        if self._scene.nearest is None or not len(rows):
            return []
        near = self._scene.nearest.near(self._view.columns.keys[rows], self._near)
        ones = np.repeat(rows, near.keys.shape[1])
        cosines = near.cosines.astype(np.float64).ravel()
        close = (near.keys.ravel() > 0) & (cosines >= self._cosine)
        return self._stars(ones[close], self._view.rows(near.keys.ravel()[close]), cosines[close])

    def _stars(
        self, one: NDArray[np.int64], two: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> list[list[int]]:
        """Return a centre each with those that are bound to it: no chain binds strangers.

        The row to which the most is bound comes first, and takes the strongest that are left.

        Source: Aslam, Pelekhov and Rus, "The Star Clustering Algorithm for Static and Dynamic
        Information Organization" (Journal of Graph Algorithms and Applications 8, 2004), §3.
        """
        edges = self._edges(one, two, weights)
        ends = np.concatenate([edges.one, edges.two])
        others = np.concatenate([edges.two, edges.one])
        both = np.concatenate([edges.weights, edges.weights])
        order = np.lexsort((others, -both, ends))
        ends, others, both = ends[order], others[order], both[order]
        centres, begins, counts = np.unique(ends, return_index=True, return_counts=True)
        degrees = np.add.reduceat(both, begins) if len(ends) else both
        taken = ~self._free
        found: list[list[int]] = []
        for place in np.lexsort((centres, -degrees)).tolist():
            centre = int(centres[place])
            if taken[centre] or counts[place] < self._least - 1:
                continue
            bound = others[begins[place] : begins[place] + counts[place]]
            rows = [centre, *bound[~taken[bound]][: self._most - 1].tolist()]
            if len(rows) >= self._least:
                taken[rows] = True
                found.append(rows)
        return found

    def _edges(
        self, one: NDArray[np.int64], two: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> _Edges:
        """Return each pair of free rows of one scope once, with its greatest weight."""
        inside = (one >= 0) & (two >= 0) & (one != two)
        one, two, weights = one[inside], two[inside], weights[inside]
        good = self._free[one] & self._free[two] & (self._scopes[one] == self._scopes[two])
        low, high = np.minimum(one, two)[good], np.maximum(one, two)[good]
        weights = weights[good]
        order = np.lexsort((-weights, high, low))
        low, high, weights = low[order], high[order], weights[order]
        first = np.ones(len(low), np.bool_)
        first[1:] = (np.diff(low) != 0) | (np.diff(high) != 0)
        return _Edges(low[first], high[first], weights[first])


BONDS: Final[Mapping[str, Callable[[Grouping], list[list[int]]]]] = {
    "session": Grouping.by_session,
    "link": Grouping.by_link,
    "cosine": Grouping.by_cosine,
}
"""What may bind a group, by the name that `dream.abstract_by` uses."""


def bonds_of(names: str) -> tuple[str, ...]:
    """Return the bonds that a setting names, by commas.

    Raises:
        InvalidInputError: One is unknown, or none is named.
    """
    bonds = tuple(dict.fromkeys(each.strip() for each in names.split(",") if each.strip()))
    if not bonds or (unknown := [each for each in bonds if each not in BONDS]):
        what = shown(unknown[0]) if bonds else shown(names)
        raise InvalidInputError(f"dream.abstract_by names {what}: allowed are {', '.join(BONDS)}")
    return bonds


def oldest_first(view: View, rows: Sequence[int]) -> tuple[int, ...]:
    """Return rows by when they happened, or were made; among equals by key."""
    columns = view.columns
    places = np.array(rows, np.int64)
    happened = np.where(
        np.isnan(columns.event_at[places]), columns.created_at[places], columns.event_at[places]
    )
    return tuple(places[np.lexsort((places, happened))].tolist())
