"""A segment: the postings of many texts, never changed once made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Postings", "Rows", "Segment"]

_DENSE_SHARE: Final = 4  # a term in more than 1 of so many texts is stored for every text
_ROW_ARRAYS: Final = ("keys", "lengths", "marks", "row_ends", "row_terms", "row_codes")


class Postings(NamedTuple):
    """Where a term stands.

    Attributes:
        slots: int32 [m], rising; None where `codes` has one for every text.
        codes: Numbers of `Pairs`: [m], or one for every text, 0 where the term is not there.
    """

    slots: NDArray[np.int32] | None
    codes: NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Texts by slot, and the terms of each.

    Attributes:
        keys: int64 [n].
        lengths: int32 [n], in terms.
        marks: uint64 [n], the same for the same text.
        row_ends: int64 [n + 1]: the terms of slot i are those from `row_ends[i]` on.
        row_terms: int32 [p], numbers of the vocabulary, rising within a text.
        row_codes: [p], numbers of `Pairs`.
    """

    keys: NDArray[np.int64]
    lengths: NDArray[np.int32]
    marks: NDArray[np.uint64]
    row_ends: NDArray[np.int64]
    row_terms: NDArray[np.int32]
    row_codes: NDArray[Any]

    def __len__(self) -> int:
        return len(self.keys)

    def terms_of(self, slot: int) -> NDArray[np.int32]:
        """Return the numbers of the terms of a text."""
        return self.row_terms[self.row_ends[slot] : self.row_ends[slot + 1]]

    def take(self, slots: NDArray[np.int64]) -> Rows:
        """Return the texts at these slots, in this order."""
        starts = self.row_ends[slots]
        counts = self.row_ends[slots + 1] - starts
        ends = np.zeros(len(slots) + 1, np.int64)
        np.cumsum(counts, out=ends[1:])
        places = np.arange(ends[-1]) + np.repeat(starts - ends[:-1], counts)
        return Rows(
            keys=self.keys[slots],
            lengths=self.lengths[slots],
            marks=self.marks[slots],
            row_ends=ends,
            row_terms=self.row_terms[places],
            row_codes=self.row_codes[places],
        )

    @staticmethod
    def joined(parts: Sequence[Rows]) -> Rows:
        """Return the texts of all parts, one part after the other."""
        if not parts:
            return _NO_ROWS
        ends = [np.zeros(1, np.int64)]
        size = 0
        for part in parts:
            ends.append(part.row_ends[1:] + size)
            size += len(part.row_terms)
        return Rows(
            row_ends=np.concatenate(ends),
            **{
                name: np.concatenate([getattr(part, name) for part in parts])
                for name in _ROW_ARRAYS
                if name != "row_ends"
            },
        )

    def row_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in _ROW_ARRAYS}


_NO_ROWS: Final = Rows(
    keys=np.empty(0, np.int64),
    lengths=np.empty(0, np.int32),
    marks=np.empty(0, np.uint64),
    row_ends=np.zeros(1, np.int64),
    row_terms=np.empty(0, np.int32),
    row_codes=np.empty(0, np.uint16),
)


@dataclass(frozen=True, kw_only=True)
class Segment(Rows):
    """Texts by slot in the order of their keys, and where each term stands among them.

    Attributes:
        term_numbers: int32 [t], rising: the terms with a list of postings.
        term_starts: int64 [t + 1], where the list of each begins.
        slots: int32 [q], rising within a list.
        codes: [q].
        dense_numbers: int32 [d], rising: the terms that stand in a great share of the texts.
        dense_codes: [d, n], a code for each text.
    """

    term_numbers: NDArray[np.int32]
    term_starts: NDArray[np.int64]
    slots: NDArray[np.int32]
    codes: NDArray[Any]
    dense_numbers: NDArray[np.int32]
    dense_codes: NDArray[Any]

    @classmethod
    def of(cls, rows: Rows) -> Self:
        """Return the segment of some texts, each key once."""
        if len(rows) > 1 and (rows.keys[1:] < rows.keys[:-1]).any():
            rows = rows.take(np.argsort(rows.keys))
        n = len(rows)
        width: Any = np.uint16 if rows.row_codes.max(initial=0) < 1 << 16 else np.uint32
        of_row = rows.row_codes.astype(width)
        # One sort of (term, place) pairs in a single number, as texts are many and terms repeat.
        pairs = (rows.row_terms.astype(np.int64) << 32) | np.arange(len(of_row))
        pairs.sort()
        places = pairs & 0xFFFFFFFF
        terms = (pairs >> 32).astype(np.int32)
        del pairs
        of_place = np.repeat(np.arange(n, dtype=np.int32), np.diff(rows.row_ends))
        slots, codes = of_place[places], of_row[places]
        first = np.flatnonzero(np.diff(terms, prepend=-1))
        numbers, starts = terms[first], np.append(first, len(terms))
        counts = np.diff(starts)
        dense = counts * _DENSE_SHARE > max(n, 64)
        dense_codes = np.zeros((int(dense.sum()), n), width)
        for row, term in enumerate(np.flatnonzero(dense).tolist()):
            within = slice(starts[term], starts[term + 1])
            dense_codes[row, slots[within]] = codes[within]
        kept = np.repeat(~dense, counts)
        return cls(
            **{**rows.row_arrays(), "row_codes": of_row},
            term_numbers=numbers[~dense],
            term_starts=np.append(0, np.cumsum(counts[~dense])),
            slots=slots[kept],
            codes=codes[kept],
            dense_numbers=numbers[dense],
            dense_codes=dense_codes,
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the segment that `arrays` was asked of; arrays of other names are passed over."""
        return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def postings(self, term: int) -> Postings | None:
        """Return where a term stands, None where it does nowhere."""
        place = _place(self.term_numbers, term)
        if place >= 0:
            within = slice(int(self.term_starts[place]), int(self.term_starts[place + 1]))
            return Postings(self.slots[within], self.codes[within])
        place = _place(self.dense_numbers, term)
        return Postings(None, self.dense_codes[place]) if place >= 0 else None

    def all_terms(self) -> NDArray[np.int32]:
        """Return the numbers of all terms that stand here, rising."""
        return np.sort(np.concatenate((self.term_numbers, self.dense_numbers)))

    def with_terms(self, numbers: NDArray[np.int32]) -> Segment:
        """Return the same where `numbers[i]`, rising over terms here, is the new number of i."""
        return replace(
            self,
            row_terms=numbers[self.row_terms],
            term_numbers=numbers[self.term_numbers],
            dense_numbers=numbers[self.dense_numbers],
        )

    def slots_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the slot of each key, rising ones: int64 [n], -1 where it is not here."""
        if not len(self):
            return np.full(len(keys), -1)
        places = np.minimum(self.keys.searchsorted(keys), len(self) - 1)
        return np.where(self.keys[places] == keys, places, -1)


def _place(numbers: NDArray[np.int32], number: int) -> int:
    wanted = np.int32(number)  # of the same type, or the whole array would be converted
    place = int(numbers.searchsorted(wanted))
    return place if place < len(numbers) and numbers[place] == wanted else -1
