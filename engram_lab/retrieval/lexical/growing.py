"""An array that grows at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

__all__ = ["Growing"]


class Growing:
    """One-dimensional numbers of one type; room doubles, so that adding one costs little.

    Args:
        dtype: The type.
        values: What it holds from the start.
    """

    def __init__(self, dtype: DTypeLike, values: NDArray[Any] | None = None) -> None:
        self._room = np.empty(64, dtype)
        self._size = 0
        if values is not None:
            self.extend(values)

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> NDArray[Any]:
        """The numbers, as a view that may be written until it grows or shrinks."""
        return self._room[: self._size]

    def extend(self, values: NDArray[Any]) -> None:
        """Add numbers at the end."""
        size = self._size + len(values)
        self._reserve(size)
        self._room[self._size : size] = values
        self._size = size

    def resize(self, size: int) -> None:
        """Cut it off at a size, or fill it up to one with zeros."""
        self._reserve(size)
        self._room[self._size : size] = 0
        self._size = size

    def _reserve(self, size: int) -> None:
        if size > len(self._room):
            room = np.empty(max(size, 2 * len(self._room)), self._room.dtype)
            room[: self._size] = self._room[: self._size]
            self._room = room
