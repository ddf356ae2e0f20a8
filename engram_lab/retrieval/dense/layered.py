"""An index over most of the vectors, and exact search over those that came since.

What the index proposes is scored anew from the vectors, together with all that it does not cover
yet, so that a memory scores the same whichever index found it, and is found as soon as it is held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.dense.exact import best_places
from engram_lab.retrieval.dense.registry import EXACT, VECTOR_INDEXES
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.retrieval.dense.protocol import VectorIndex, VectorIndexOptions
    from engram_lab.retrieval.dense.table import VectorTable

__all__ = ["Layered"]

_LEAST_INDEXED: Final = 256
"""Fewer vectors are always gone through one by one."""

_LEAST_TAIL: Final = 256
"""So many rows are scored in 10 µs, less than what calling an index costs."""

_TAIL_SHARE: Final = 1 / 256
"""Of a large index the rows outside may be more: to score them stays a small part of a search."""

_MOST_ADDED: Final = 1024
"""Rows that are added to an index at a time: in a graph of a million, about half a second."""

_LARGE_TAIL: Final = 1 / 4
"""Where so large a share lies outside, no search is spared by adding little at a time."""

_MOST_DEAD: Final = 0.3
"""Share of dead slots from which all is built anew without them."""

_TRIED: Final = 64
"""Rows with which an index is tried: their neighbours are hundreds, enough to tell one percent."""

_TRIED_AGAIN: Final = 2
"""It is tried again when it holds so many times as many rows."""

_NEIGHBOURS: Final = 10
"""How many nearest rows of each are looked for."""

_EFFORTS: Final = (1, 2, 4, 8)
"""How much more than it was told an index may look at, so that it finds nearly all of them."""

_WANTED: Final = 0.99
"""The share of them that is aimed at."""

_ACCEPTED: Final = 0.98
"""The share with which an index serves, where there is another way."""

_WIDER: Final = 16
"""Rows asked for beyond those wanted and a quarter more: scores by 8-bit codes are rough."""

_ROWS_FOR_EACH: Final = 64
"""Rows that are scored one by one in the time that an index takes for each it looks at."""


class Layered:
    """Vectors by key with what makes searching them fast.

    Args:
        table: The vectors.
        options: For an index to be built.
        kind: What the index is: a name of `VECTOR_INDEXES`, or `exact` for none.
        chosen: The kind that was chosen; another where an index of it served badly.
        index: Holds the first slots of the table; None where the kind is `exact`.
        built: How many rows it held when it was built.
        effort: How much more than it was told the index looks at.
        tried: How many rows it held when that was found out; 0 where it never was.
    """

    def __init__(
        self,
        table: VectorTable,
        options: VectorIndexOptions,
        *,
        kind: str = EXACT,
        chosen: str = EXACT,
        index: VectorIndex | None = None,
        built: int = 0,
        effort: int = 1,
        tried: int = 0,
    ) -> None:
        self.table = table
        self.kind = kind
        self.chosen = chosen
        self.index = index
        self.built = built
        self.effort = effort
        self.tried = tried
        self.shape = 0
        self.options = options

    @property
    def covered(self) -> int:
        """How many of the first slots the index holds."""
        return 0 if self.index is None else self.index.size

    def settle(self, kind: str, *, spare: str | None = None) -> None:
        """Do what the vectors that came and went make worth doing, a little at a time.

        Rows are added to the index as many come, at most a thousand at a time while they are few
        beside those it holds. All is built anew, on one thread, where the kind changed, a third of
        the slots is dead, or the index outgrew what it was built for: each time for a share of all
        rows, so that the time spent is a constant for each row in the end.

        Args:
            kind: Which index is wanted.
            spare: Which, where one of that kind finds too little; where this does too, none at all.
                None for the kind that is wanted, looking at what it was told, whatever it finds.
        """
        index, table = self.index, self.table
        least = _LEAST_INDEXED if index is None else _LEAST_INDEXED // 2
        target = kind if table.size >= least else EXACT
        dead = table.dead > _LEAST_TAIL + _MOST_DEAD * table.slots
        if target != self.chosen or dead or (index is not None and index.outgrown(self.built)):
            self.rebuild(target, spare=spare)
        elif index is not None:
            if spare is not None and index.size > _TRIED_AGAIN * self.tried:
                self.effort, self.tried = self._effort_for(index)[0], index.size
                self.shape += 1
            tail = table.slots - index.size
            excess = tail - max(_LEAST_TAIL, int(index.size * _TAIL_SHARE))
            if tail <= index.size * _LARGE_TAIL:
                excess = min(excess, _MOST_ADDED)
            if excess > 0:
                self._cover(index, index.size + excess)

    def rebuild(self, kind: str, *, spare: str | None = None) -> None:
        """Leave out what is dead, order the rest by key, and build an index; see `settle`."""
        self.table = self.table.compacted()
        self.kind = self.chosen = EXACT
        self.index, self.built, self.effort, self.tried = None, 0, 1, 0
        self.shape += 1
        if kind == EXACT or not self.table.size:
            return
        self.chosen = kind
        for each in dict.fromkeys((kind, spare or kind)):
            index = VECTOR_INDEXES.get(each)(self.options)
            index.build(self.table.rows.between(0, self.table.slots))
            effort, found = (1, 1.0) if spare is None else self._effort_for(index)
            if found >= _ACCEPTED:
                self.kind, self.index, self.built = each, index, index.size
                self.effort, self.tried = effort, 0 if spare is None else index.size
                return

    def blot(self) -> None:
        """Make what dead slots held unreadable, so that no file comes to hold it.

        The slots stay, so this costs what reading and writing the index does, and no building.
        """
        dead = np.flatnonzero(~self.table.live)
        if not len(dead):
            return
        self.table.rows.blot(dead)
        within = dead[dead < self.covered]
        if self.index is not None and len(within):
            self.index.blot(within)
        self.shape += 1

    def _effort_for(self, index: VectorIndex) -> tuple[int, float]:
        """Return how much more an index should look at, and the share of neighbours it then finds.

        How well an index does depends on the vectors: on how many dimensions they fill, and on how
        many are nearly the same. So it is asked for the neighbours of some of its own rows.
        """
        rows, live = self.table.rows, self.table.live[: index.size]
        slots = np.flatnonzero(live)
        count = len(slots)
        if index.exact or not count:
            return 1, 1.0
        mask = None if count == index.size else live
        k = min(_NEIGHBOURS, count)
        places = slots[np.linspace(0, count - 1, _TRIED).astype(np.int64)]
        trials = []
        for row in rows.take(places):
            scores = rows.scores(row, 0, index.size)[slots]
            trials.append((row, np.partition(scores, count - k)[count - k]))
        effort, share = 1, 0.0
        for effort in _EFFORTS:
            found = 0
            for row, least in trials:
                near = index.search(row, _widened(k), allowed=mask, effort=effort)
                found += min(k, int(np.count_nonzero(rows.scores_of(row, near) >= least)))
            share = found / (k * _TRIED)
            if share >= _WANTED:
                break
        return effort, share

    def _cover(self, index: VectorIndex, end: int) -> None:
        index.add(self.table.rows.between(index.size, end))
        self.shape += 1

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        allowed: NDArray[np.int64] | None,
        *,
        effort: int | None = None,
    ) -> Ranking:
        """Return the best `k`, among the allowed keys alone where these are given.

        An index looks as far as it was found to need to, unless told an `effort`.

        Raises:
            InvalidInputError: Numbers so large that a score is infinite.
        """
        table = self.table
        slots = None
        if allowed is not None:
            slots = table.find(allowed)
            slots = slots[slots >= 0]
        effort = self.effort if effort is None else effort
        found, scores = self._proposed(query, k, slots, effort) or self._all(query, slots)
        if not np.isfinite(scores).all():
            raise InvalidInputError(
                "a query or a vector holds numbers so large that their product is infinite: "
                "scale vectors to length 1"
            )
        best = best_places(scores, k)
        keys = table.keys[best if found is None else found[best]]
        values = scores[best].astype(np.float64)
        order = np.lexsort((keys, -values))[:k]
        return Ranking.of_sorted(keys[order], values[order])

    def _all(
        self, query: NDArray[np.float32], slots: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.int64] | None, NDArray[np.float32]]:
        """Return slots and scores of all that is allowed; None for every slot in turn."""
        rows = self.table.rows
        if slots is None:
            scores = rows.scores(query, 0, len(rows))
            if not self.table.dead:
                return None, scores
            slots = np.flatnonzero(self.table.live)
            return slots, scores[slots]
        if 4 * len(slots) > len(rows):  # reading all in order is as fast as picking every fourth
            return slots, rows.scores(query, 0, len(rows))[slots]
        return slots, rows.scores_of(query, slots)

    def _proposed(
        self, query: NDArray[np.float32], k: int, slots: NDArray[np.int64] | None, effort: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]] | None:
        """Return slots and scores of what the index proposes, and of the rows that it lacks.

        None where the index has no say: there is none, to score all that is allowed costs less, or
        it found too few.
        """
        index, table = self.index, self.table
        if index is None:
            return None
        wider = _widened(k)
        count = table.size if slots is None else len(slots)
        if count * count <= _ROWS_FOR_EACH * wider * effort * table.slots:
            return None
        covered = index.size
        mask: NDArray[np.bool_] | None = None
        tail: NDArray[np.int64] | None = None
        if slots is not None:
            mask = np.zeros(covered, np.bool_)
            mask[slots[slots < covered]] = True
            tail = slots[slots >= covered]
        elif table.dead:
            mask = table.live[:covered]
            tail = covered + np.flatnonzero(table.live[covered:])
        near = index.search(query, wider, allowed=mask, effort=effort)
        outside = table.slots - covered if tail is None else len(tail)
        if len(near) < min(wider, count - outside):
            return None
        scores = table.rows.scores_of(query, near)
        left_out = len(near) == wider
        if index.exact and left_out and self._in_doubt(query, near, scores, k):
            return None
        if not outside:
            return near, scores
        if tail is None:
            tail = np.arange(covered, table.slots)
            more = table.rows.scores(query, covered, table.slots)
        else:
            more = table.rows.scores_of(query, tail)
        return np.concatenate([near, tail]), np.concatenate([scores, more])

    def _in_doubt(
        self,
        query: NDArray[np.float32],
        near: NDArray[np.int64],
        scores: NDArray[np.float32],
        k: int,
    ) -> bool:
        """Tell whether a row left out may score as high as the best `k`, but for rounding.

        Source: Higham, "Accuracy and Stability of Numerical Algorithms" (2002), equation 3.5: a sum
        of n products in floating point is off by no more than n units of rounding times the
        product of the lengths, here twice, as the index rounds in its way and the score in its own.
        """
        rows = self.table.rows.take(near)
        with np.errstate(over="ignore", invalid="ignore"):
            length = np.sqrt(np.vecdot(rows, rows).max()) * np.linalg.norm(query)
            off = 2 * len(query) * np.finfo(np.float32).eps * length
            return bool(np.sort(scores)[-k] - scores.min() <= off)


def _widened(k: int) -> int:
    """Return how many to ask an index for where so many are wanted."""
    return k + k // 4 + _WIDER
