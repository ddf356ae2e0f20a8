"""Rows of vectors: those of a file, mapped into memory, and those that came since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from engram_lab.retrieval.dense.exact import inner_products

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Rows", "grown"]

_Number = TypeVar("_Number", bound=np.generic)

_CHUNK: Final = 1024
"""Rows that are gathered at a time: few enough to stay in the cache until they are used."""


def grown(array: NDArray[_Number], size: int) -> NDArray[_Number]:
    """Return an array with room for `size` rows, twice as much as needed at most."""
    if size <= len(array):
        return array
    room = np.empty((max(size, 2 * len(array), 16), *array.shape[1:]), array.dtype)
    room[: len(array)] = array
    return room


class Rows:
    """float32 [n, dim], to which rows are added, and in which some are blotted.

    Args:
        sealed: The first rows, float32 [m, dim], which are never changed.
    """

    def __init__(self, sealed: NDArray[np.float32]) -> None:
        self._sealed = sealed
        self._more = np.empty((0, sealed.shape[1]), np.float32)
        self._size = len(sealed)
        self._blotted: NDArray[np.bool_] | None = None  # which sealed rows count as zeros

    def __len__(self) -> int:
        return self._size

    @property
    def sealed(self) -> int:
        """How many of the first rows lie in a file."""
        return len(self._sealed)

    def append(self, values: NDArray[np.float32]) -> None:
        """Add rows, float32 [m, dim]."""
        start = self._size - len(self._sealed)
        self._more = grown(self._more, start + len(values))
        self._more[start : start + len(values)] = values
        self._size += len(values)

    def blot(self, slots: NDArray[np.int64]) -> None:
        """Put zeros in place of the rows of slots.

        What lies in a file stays there, and is read no more.
        """
        m = len(self._sealed)
        self._more[slots[slots >= m] - m] = 0
        first = slots[slots < m]
        if len(first):
            if self._blotted is None:
                self._blotted = np.zeros(m, np.bool_)
            self._blotted[first] = True

    def between(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the rows from `start` to before `stop`, uncopied where they lie together."""
        m = len(self._sealed)
        if start >= m:
            return self._more[start - m : stop - m]
        rows = self._sealed[start:stop]
        if stop > m:
            rows = np.concatenate([rows, self._more[: stop - m]])
        if self._blotted is not None:
            hidden = np.flatnonzero(self._blotted[start:stop])
            if len(hidden):
                rows = np.array(rows) if stop <= m else rows
                rows[hidden] = 0
        return rows

    def take(self, slots: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the rows of slots, float32 [n, dim], copied."""
        m = len(self._sealed)
        if not m:
            return self._more.take(slots, axis=0)
        later = slots >= m
        if not later.any():
            rows = self._sealed.take(slots, axis=0)
        else:
            rows = np.empty((len(slots), self._more.shape[1]), np.float32)
            rows[later] = self._more[slots[later] - m]
            rows[~later] = self._sealed[slots[~later]]
        if self._blotted is not None:
            rows[self._blotted[np.minimum(slots, m - 1)] & ~later] = 0
        return rows

    def scores(self, query: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float32]:
        """Return the inner products with all rows from `start` to before `stop`."""
        m = len(self._sealed)
        if start >= m:
            return inner_products(self._more[start - m : stop - m], query)
        scores = inner_products(self._sealed[start:stop], query)
        if self._blotted is not None:
            scores[self._blotted[start:stop]] = 0
        if stop <= m:
            return scores
        return np.concatenate([scores, inner_products(self._more[: stop - m], query)])

    def scores_of(
        self, query: NDArray[np.float32], slots: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return the inner products with the rows of slots."""
        if len(slots) <= _CHUNK:
            return inner_products(self.take(slots), query)
        scores = np.empty(len(slots), np.float32)
        for at in range(0, len(slots), _CHUNK):
            rows = self.take(slots[at : at + _CHUNK])
            scores[at : at + _CHUNK] = inner_products(rows, query)
        return scores
