"""The nearest by meaning, as a dream asks for them, from the index of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engram_lab.consolidation import Near
from engram_lab.retrieval.embedders.checked import embed_checked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.dense import DenseIndex
    from engram_lab.retrieval.embedders import Embedder

__all__ = ["IndexedNearest"]


class IndexedNearest:
    """Finds the nearest through a dense index that was brought up to date.

    Args:
        index: Which.
        embedder: What made its vectors.
    """

    def __init__(self, index: DenseIndex, embedder: Embedder) -> None:
        self._index = index
        self._embedder = embedder

    def near(self, keys: NDArray[np.int64], k: int) -> Near:
        """Return for each memory up to `k` others whose vectors are nearest; see `Nearest`."""
        return Near(*self._index.nearest_of(keys, k))

    def vectors(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors of memories in order, float32 [n, dim], and whether each has one."""
        return self._index.vectors(keys)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of length 1 of texts, float32 [n, dim]; zeros of one that has no words.

        Raises:
            EmbedderError: The model failed.
        """
        vectors = embed_checked(self._embedder, texts, kind="document")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
