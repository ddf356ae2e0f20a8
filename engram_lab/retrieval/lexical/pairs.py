"""What a term is worth in a text depends on two small numbers, so few pairs of them cover all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engram_lab.retrieval.lexical.bm25 import saturation

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Pairs"]


class Pairs:
    """The distinct pairs (how often a term stands in a text, how long the text is), numbered.

    Postings hold such a number in the place of a score. Scores then never grow old: when the
    average length moves, a table of some hundred entries is computed anew, and every posting with
    it. The number 0 means "not there" and is worth 0.

    Args:
        k1: See `bm25.saturation`.
        b: See `bm25.saturation`.
        frequencies: int32 [n], with 0 in the first place.
        lengths: int32 [n].
    """

    def __init__(
        self,
        *,
        k1: float,
        b: float,
        frequencies: NDArray[np.int32] | None = None,
        lengths: NDArray[np.int32] | None = None,
    ) -> None:
        self._k1 = k1
        self._b = b
        self._frequencies = [0] if frequencies is None else frequencies.tolist()
        self._lengths = [0] if lengths is None else lengths.tolist()
        known = zip(self._frequencies, self._lengths, strict=True)
        self._codes = {pair: code for code, pair in enumerate(known)}
        self._average = 0.0
        self._table = np.zeros(1)
        self._greatest = 0.0

    def __len__(self) -> int:
        return len(self._frequencies)

    def codes(
        self, frequencies: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the number of each pair: int64 [n]; unknown ones become known."""
        distinct, places = np.unique((frequencies << 32) | lengths, return_inverse=True)
        numbers = [self._code(pair >> 32, pair & 0xFFFFFFFF) for pair in distinct.tolist()]
        return np.array(numbers, np.int64)[places]

    def _code(self, frequency: int, length: int) -> int:
        code = self._codes.setdefault((frequency, length), len(self._codes))
        if code == len(self._frequencies):
            self._frequencies.append(frequency)
            self._lengths.append(length)
        return code

    def table(self, average: float) -> tuple[NDArray[np.float64], float]:
        """Return the saturation of each pair at an average length, and the greatest of them.

        float64 [n], the first 0.
        """
        if average != self._average or len(self._table) != len(self):
            self._table, self._greatest = self.computed(average, k1=self._k1, b=self._b)
            self._average = average
        return self._table, self._greatest

    def computed(self, average: float, *, k1: float, b: float) -> tuple[NDArray[np.float64], float]:
        """Return the table under other parameters than those of the index."""
        frequencies, lengths = self.arrays()
        table = np.zeros(len(self))
        table[1:] = saturation(frequencies[1:], lengths[1:], average, k1=k1, b=b)
        return table, float(table.max())

    def arrays(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return frequencies and lengths by number: int32 [n] each."""
        return np.array(self._frequencies, np.int32), np.array(self._lengths, np.int32)
