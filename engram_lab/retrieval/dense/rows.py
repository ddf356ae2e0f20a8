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
    """float32 [n, dim], to which rows are only ever added.

    Args:
        sealed: The first rows, float32 [m, dim], which are never changed nor copied.
    """

    def __init__(self, sealed: NDArray[np.float32]) -> None:
        self._sealed = sealed
        self._more = np.empty((0, sealed.shape[1]), np.float32)
        self._size = len(sealed)

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

    def between(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the rows from `start` to before `stop`, uncopied where they lie together."""
        m = len(self._sealed)
        if stop <= m:
            return self._sealed[start:stop]
        if start >= m:
            return self._more[start - m : stop - m]
        return np.concatenate([self._sealed[start:], self._more[: stop - m]])

    def take(self, slots: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the rows of slots, float32 [n, dim], copied."""
        m = len(self._sealed)
        if not m:
            return self._more.take(slots, axis=0)
        later = slots >= m
        if not later.any():
            return self._sealed.take(slots, axis=0)
        rows = np.empty((len(slots), self._more.shape[1]), np.float32)
        rows[later] = self._more[slots[later] - m]
        rows[~later] = self._sealed[slots[~later]]
        return rows

    def scores(self, query: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float32]:
        """Return the inner products with all rows from `start` to before `stop`."""
        m = len(self._sealed)
        if start >= m or stop <= m:
            return inner_products(self.between(start, stop), query)
        first = inner_products(self._sealed[start:], query)
        return np.concatenate([first, inner_products(self._more[: stop - m], query)])

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
