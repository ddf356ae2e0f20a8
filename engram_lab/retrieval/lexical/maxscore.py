"""The best k texts for a query, exactly, without looking at all that cannot be among them.

Terms are taken from the rarest to the commonest. Once the k-th best text so far has more than all
the remaining terms together could add, a text that has none of the terms taken so far is out, and
the remaining, longest lists are only asked about the few that are left.

Source: Turtle and Flood, "Query evaluation: strategies and optimizations" (1995), section 4.2
(MaxScore), over arrays rather than one text at a time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Chunk", "Scorer", "TermList", "looked_up"]

# Measured costs of one posting, in nanoseconds: what decides between ways that agree on the result.
_DENSE_NS: Final = 1.0
_SPARSE_NS: Final = 3.0
_LOOKUP_NS: Final = 60.0
_WORTH_SKIPPING_NS: Final = 100_000.0
_SPARSE_SHARE: Final = 12  # lists with fewer than 1 of so many texts are better gathered than swept
_SWEEP_NS: Final = 0.5  # to look at every sum for a bound and at those above it, each
_GROUPS: Final = 4  # so many groups of texts for each text wanted give a good first bound
_TRIED_AGAIN: Final = 0.9  # after a vain try, when so much of the cost is left
_SLACK: Final = 1e-9  # far above what rounding can do to a sum


class Chunk(NamedTuple):
    """The postings of a term in one part of the index.

    Attributes:
        start: The slot where the part begins.
        stop: The slot where it ends.
        slots: int32 [m], rising, counted from `start`; None where `codes` has one for every slot.
        codes: [m] or [stop - start], places in the table of weights.
    """

    start: int
    stop: int
    slots: NDArray[np.int32] | None
    codes: NDArray[Any]


class TermList(NamedTuple):
    """A term of a query.

    Attributes:
        weights: What a posting adds to a score, by its code: float64 [c], the first 0.
        chunks: Its postings, by rising slot.
        bound: The most it can add to a score.
    """

    weights: NDArray[np.float64]
    chunks: Sequence[Chunk]
    bound: float


class Scorer:
    """Adds up scores, slot by slot. For one query at a time.

    A score is the sum of what the terms add, in their order, in float64: the same to the bit
    however the postings are cut into parts, and whichever way the sum was come by.
    """

    def __init__(self) -> None:
        self._sums = np.zeros(0)  # all 0 between two queries
        self._space = np.empty(0)

    def best(
        self,
        lists: Sequence[TermList],
        k: int,
        *,
        dead: NDArray[np.bool_],
        buried: NDArray[np.int64],
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return slots and scores that hold the best `k`, and all that tie with the last of them.

        Args:
            lists: The terms, each of a list no shorter than those before it.
            k: How many are wanted.
            dead: bool [n], True where a slot may not be found.
            buried: int64, the slots where `dead` is True.
        """
        run = self._run(len(dead))
        try:
            return run.best(lists, _Wanted(k, dead, buried))
        finally:
            run.clear()

    def among(
        self, lists: Sequence[TermList], slots: NDArray[np.int64], *, size: int
    ) -> NDArray[np.float64]:
        """Return the score of each of some slots, rising ones below `size`: float64 [n]."""
        if len(slots) * len(lists) * _LOOKUP_NS < sum(map(_cost, lists)):
            scores = np.zeros(len(slots))
            for each in lists:
                scores += looked_up(each, slots)
            return scores
        run = self._run(size)
        try:
            for each in lists:
                run.add(each)
            return run.sums.take(slots, mode="clip")
        finally:
            run.clear()

    def _run(self, size: int) -> _Run:
        if len(self._sums) < size:
            room = size + size // 4
            self._sums, self._space = np.zeros(room), np.empty(room)
        return _Run(self._sums[:size], self._space)


_Gathered: TypeAlias = "tuple[int, NDArray[np.int32], NDArray[np.float64]]"
"""Where a chunk begins, its slots, and their sums."""


class _Wanted(NamedTuple):
    k: int
    dead: NDArray[np.bool_]
    buried: NDArray[np.int64]


class _Run:
    """One query on its way."""

    def __init__(self, sums: NDArray[np.float64], space: NDArray[np.float64]) -> None:
        self.sums = sums
        self._space = space
        self._added: list[Chunk] = []
        self._gathered: list[_Gathered] = []
        self._touched = 0
        self._is_sparse = True

    def best(
        self, lists: Sequence[TermList], wanted: _Wanted
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        costs = [_cost(each) for each in lists]
        cost = sum(costs)  # of the terms that are left
        most = sum(each.bound for each in lists)  # what they can add
        had = 0.0
        tried = math.inf
        for place, each in enumerate(lists):
            self.add(each)
            cost -= costs[place]
            most -= each.bound
            had += each.bound
            if cost < _WORTH_SKIPPING_NS or self._touched < wanted.k or had <= most:
                continue
            if not self._is_sparse and cost < _WORTH_SKIPPING_NS + _SWEEP_NS * len(self.sums):
                continue
            if cost > tried * _TRIED_AGAIN:
                continue
            tried = cost
            least = self._bound(wanted) * (1 - _SLACK) - most * (1 + _SLACK) - had * _SLACK
            if least <= 0:
                continue
            slots, scores = self._from(least, wanted)
            rest = lists[place + 1 :]
            if len(slots) * len(rest) * _LOOKUP_NS < cost:
                for term in rest:
                    scores += looked_up(term, slots)
                return slots, scores
        return self._from(self._bound(wanted), wanted)

    def add(self, term: TermList) -> None:
        """Add what a term adds to every text."""
        weights = term.weights
        self._gathered = []
        self._added += term.chunks
        for start, stop, slots, codes in term.chunks:
            sums = self.sums[start:stop]
            if slots is None:
                self._is_sparse = False
                sums += weights.take(codes, None, self._space[: stop - start], "clip")
            else:
                np.add.at(sums, slots, weights.take(codes, None, None, "clip"))
            self._touched += len(codes)
        if self._touched * _SPARSE_SHARE > len(self.sums):
            self._is_sparse = False

    def clear(self) -> None:
        """Leave the sums as they were found: 0."""
        if self._touched * _SPARSE_SHARE > len(self.sums):
            self.sums.fill(0.0)
            return
        for chunk in self._added:
            if chunk.slots is None:
                self.sums[chunk.start : chunk.stop] = 0.0
            else:
                self.sums[chunk.start : chunk.stop][chunk.slots] = 0.0

    def _bound(self, wanted: _Wanted) -> float:
        """Return a number that at least `k` texts reach, 0 where there may be fewer."""
        if self._is_sparse:  # the texts of one chunk are distinct, those of several need not be
            return max(
                (_kth(values, wanted.k) for _, _, values in self._gather(wanted)), default=0.0
            )
        self.sums[wanted.buried] = 0.0
        return _kth(self.sums, wanted.k)

    def _from(self, least: float, wanted: _Wanted) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the slots with a sum of at least `least` and above 0, rising, and their sums."""
        if self._is_sparse:
            found = []
            for start, local, values in self._gather(wanted):
                places = (values >= least if least > 0 else values).nonzero()[0]
                found.append(local.take(places).astype(np.int64) + start)
            slots = np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)
        else:
            self.sums[wanted.buried] = 0.0
            slots = (self.sums >= least if least > 0 else self.sums).nonzero()[0]
        return slots, self.sums.take(slots, mode="clip")

    def _gather(self, wanted: _Wanted) -> list[_Gathered]:
        """Return the sums of the texts of each chunk, 0 for those that may not be found."""
        if not self._gathered:
            for start, stop, slots, _ in self._added:
                if slots is not None:
                    values = self.sums[start:stop].take(slots, mode="clip")
                    if len(wanted.buried):
                        values[wanted.dead[start:stop].take(slots, mode="clip")] = 0.0
                    self._gathered.append((start, slots, values))
        return self._gathered


def _kth(values: NDArray[np.float64], k: int) -> float:
    """Return a number that at least `k` of the values reach, about the k-th greatest; or 0.

    The greatest values of some groups are values of distinct places, so the k-th greatest of those
    will do, and maxima are found much faster than order.
    """
    if len(values) < k:
        return 0.0
    if (height := len(values) // (_GROUPS * k)) > 1:
        width = len(values) // height
        values = values[: height * width].reshape(height, width).max(axis=0)
    return float(np.sort(values)[-k])  # a partition is slower where many are equal, as zeros are


def looked_up(term: TermList, slots: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what a term adds at some slots, rising ones: float64 [n]."""
    added = np.zeros(len(slots))
    for start, stop, within, codes in term.chunks:
        first, last = slots.searchsorted((start, stop))
        local = slots[first:last] - start
        if within is None:
            found = codes.take(local, mode="clip")
        else:
            wanted = local.astype(np.int32)  # of the same type, or the list would be converted
            places = within.searchsorted(wanted)
            found = codes.take(places, mode="clip")
            found[within.take(places, mode="clip") != wanted] = 0
        added[first:last] = term.weights.take(found, mode="clip")
    return added


def _cost(term: TermList) -> float:
    """Return how long it takes to add a term up, in nanoseconds."""
    return sum(
        len(codes) * (_DENSE_NS if slots is None else _SPARSE_NS)
        for _, _, slots, codes in term.chunks
    )
