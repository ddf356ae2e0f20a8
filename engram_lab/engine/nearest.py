"""The nearest by meaning, as a dream asks for them, from the index of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.consolidation import Near

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.retrieval.dense import DenseIndex

__all__ = ["IndexedNearest"]


class IndexedNearest:
    """Finds the nearest through a dense index that was brought up to date.

    Args:
        index: Which.
    """

    def __init__(self, index: DenseIndex) -> None:
        self._index = index

    def near(self, keys: NDArray[np.int64], k: int) -> Near:
        """Return for each memory up to `k` others whose vectors are nearest; see `Nearest`."""
        return Near(*self._index.nearest_of(keys, k))

    def vectors(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors of memories in order, float32 [n, dim], and whether each has one."""
        return self._index.vectors(keys)
