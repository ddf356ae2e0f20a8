"""The same search through the bm25s package, to experiment with its other variants of BM25.

Source: Lù, "BM25S: Orders of magnitude faster lexical search via eager sparse scoring" (2024).
"""

from __future__ import annotations

from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.core.errors import InvalidInputError, MissingDependencyError
from engram_lab.retrieval.lexical.analyser import Analyser
from engram_lab.retrieval.lexical.bm25 import K1, B, check_parameters
from engram_lab.retrieval.lexical.digest import searched_text
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engram_lab.core.protocols import Corpus

__all__ = ["METHODS", "Bm25sIndex"]

METHODS: Final = ("lucene", "robertson", "atire", "bm25l", "bm25+")


class Bm25sIndex:
    """Scores computed beforehand: every change of the store means to build it all anew.

    Args:
        corpus: The store, as its owner sees it.
        analyser: Makes terms of texts; the English one unless told.
        k1: See `bm25.saturation`.
        b: See `bm25.saturation`.
        method: One of `METHODS`.
        delta: What "bm25l" and "bm25+" add for a term that is there at all.

    Raises:
        InvalidInputError: k1 or b is out of range, or there is no such method.
        MissingDependencyError: bm25s is not installed.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        analyser: Analyser | None = None,
        k1: float = K1,
        b: float = B,
        method: str = "lucene",
        delta: float = 0.5,
    ) -> None:
        check_parameters(k1=k1, b=b)
        if method not in METHODS:
            raise InvalidInputError(
                f"the method {method!r} is unknown: choose one of {', '.join(METHODS)}"
            )
        try:
            bm25s: Any = import_module("bm25s")  # it has no types
        except ImportError:
            raise MissingDependencyError(
                "bm25s", feature="BM25 through bm25s", extra="bm25s"
            ) from None
        self.analyser: Final = analyser or Analyser()
        self._new: Callable[[], Any] = lambda: bm25s.BM25(
            method=method, k1=k1, b=b, delta=delta, dtype="float64", backend="numpy"
        )
        self._corpus = corpus
        self._lock = RLock()
        self._index: Any = None
        self._keys = np.empty(0, np.int64)
        self._number = -1

    @property
    def number(self) -> int:
        """The newest change that is taken into account; 0 before the first `catch_up`."""
        return max(self._number, 0)

    @property
    def size(self) -> int:
        """How many texts are in it."""
        return len(self._keys)

    def catch_up(self) -> int:
        """Build it anew where anything changed, and return how many texts were taken in."""
        with self._lock:
            if self._corpus.last() == self._number:
                return 0
            keys: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
            terms: list[list[str]] = []
            number = 0
            for changes in self._corpus.all_texts():
                number = changes.number
                keys.append(changes.keys)
                texts = map(searched_text, changes.contents, changes.tags)
                terms += map(self.analyser.terms, texts)
            self._index = None
            if any(terms):
                self._index = self._new()
                self._index.index(terms, show_progress=False)
            self._keys, self._number = np.concatenate(keys), number
            return self.size

    def search(
        self, terms: Sequence[str], k: int, *, allowed: NDArray[np.int64] | None = None
    ) -> Ranking:
        """Return the best `k` texts that have any of the terms; see `LexicalIndex.search`."""
        if k < 1:
            raise InvalidInputError(f"k is {k}: give a whole number from 1")
        with self._lock:
            if self._index is None:
                return Ranking.empty()
            numbers = self._index.get_tokens_ids(list(dict.fromkeys(terms)))
            if not numbers:
                return Ranking.empty()
            scores = self._index.get_scores_from_ids(numbers)
            absent = 0.0  # what bm25l and bm25+ give to a text with none of the terms
            if self._index.nonoccurrence_array is not None:
                absent = float(self._index.nonoccurrence_array[numbers].sum())
            found = np.flatnonzero(scores > absent + 1e-9)
            if allowed is not None:
                found = found[np.isin(self._keys[found], allowed, assume_unique=True)]
            return Ranking.of(self._keys[found], scores[found], limit=k)

    def close(self) -> None:
        """Let go of everything; a second call does nothing. Used again, it begins anew."""
        with self._lock:
            self._index, self._keys, self._number = None, np.empty(0, np.int64), -1
