"""The newest texts, in memory, until they are enough to become a segment."""

from __future__ import annotations

from typing import Final

import numpy as np

from engram_lab.retrieval.lexical.growing import Growing
from engram_lab.retrieval.lexical.segment import Postings, Rows

__all__ = ["Tail"]

_MAX_TEXTS: Final = 256
_MAX_POSTINGS: Final = 8192


class Tail:
    """Texts in the order they came; a term is found by looking at all of their terms.

    That is a scan of a few thousand numbers at most, quicker than keeping lists would be.
    """

    def __init__(self) -> None:
        self._keys = Growing(np.int64)
        self._lengths = Growing(np.int32)
        self._marks = Growing(np.uint64)
        self._ends = Growing(np.int64, np.zeros(1, np.int64))
        self._terms = Growing(np.int32)
        self._codes = Growing(np.uint32)
        self._slots = Growing(np.int32)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def is_full(self) -> bool:
        """Whether it is time to make a segment of it."""
        return len(self._keys) >= _MAX_TEXTS or len(self._terms) >= _MAX_POSTINGS

    def add(self, rows: Rows) -> None:
        """Add texts at the end."""
        slots = np.arange(len(self), len(self) + len(rows), dtype=np.int32)
        self._slots.extend(np.repeat(slots, np.diff(rows.row_ends)))
        self._ends.extend(rows.row_ends[1:] + len(self._terms))
        self._terms.extend(rows.row_terms)
        self._codes.extend(rows.row_codes)
        self._keys.extend(rows.keys)
        self._lengths.extend(rows.lengths)
        self._marks.extend(rows.marks)

    def postings(self, term: int) -> Postings | None:
        """Return where a term stands, None where it does nowhere."""
        places = (self._terms.values == term).nonzero()[0]
        if not len(places):
            return None
        return Postings(self._slots.values.take(places), self._codes.values.take(places))

    def rows(self) -> Rows:
        """Return the texts; they are the tail's own arrays, good until the next change."""
        return Rows(
            keys=self._keys.values,
            lengths=self._lengths.values,
            marks=self._marks.values,
            row_ends=self._ends.values,
            row_terms=self._terms.values,
            row_codes=self._codes.values,
        )
