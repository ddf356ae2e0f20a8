"""The terms of an index, each with a number: those of a file, mapped into memory, and new ones."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Vocabulary"]

_MAX_SEEN: Final = 500_000  # terms whose number is remembered beside the file
_MISSING: Final = -1


class Vocabulary:
    """Numbers terms from 0 in the order they come.

    Terms of a file are found by their 64-bit hash among sorted hashes, and then compared byte for
    byte, so that two terms of one hash are two terms.

    Args:
        arrays: What `arrays` of another vocabulary returned; empty unless told.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]] | None = None) -> None:
        given = arrays or _packed([])
        self._bytes: NDArray[np.uint8] = given["term_bytes"]
        self._ends: NDArray[np.int64] = given["term_ends"]
        self._hashes: NDArray[np.uint64] = given["term_hashes"]
        self._order: NDArray[np.int32] = given["term_order"]
        self._fresh: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self._filed = len(self._ends) - 1

    def __len__(self) -> int:
        return self._filed + len(self._fresh)

    def find(self, term: str) -> int:
        """Return the number of a term, -1 where it is not known."""
        number = self._seen.get(term)
        if number is None:
            number = self._fresh.get(term)
            if number is None:
                number = self._find_filed(term)
            if number != _MISSING:
                self._remember(term, number)
        return number

    def add(self, terms: Sequence[str]) -> list[int]:
        """Return the number of each term; unknown ones become known."""
        seen = self._seen
        numbers = [seen.get(term, _MISSING) for term in terms]
        if _MISSING in numbers:
            for place, number in enumerate(numbers):
                if number == _MISSING:
                    numbers[place] = self._add(terms[place])
        return numbers

    def _add(self, term: str) -> int:
        number = self.find(term)
        if number == _MISSING:
            self._fresh[term] = number = len(self)
            self._remember(term, number)
        return number

    def _remember(self, term: str, number: int) -> None:
        if len(self._seen) >= _MAX_SEEN:
            self._seen.clear()
        self._seen[term] = number

    def _find_filed(self, term: str) -> int:
        if not self._filed:
            return _MISSING
        data = _encoded(term)
        wanted = np.uint64(_hash(data))
        place = int(self._hashes.searchsorted(wanted))
        while place < self._filed and self._hashes[place] == wanted:
            number = int(self._order[place])
            if self._filed_bytes(number) == data:
                return number
            place += 1
        return _MISSING

    def _filed_bytes(self, number: int) -> bytes:
        return self._bytes[self._ends[number] : self._ends[number + 1]].tobytes()

    def terms(self) -> list[str]:
        """Return all terms in the order of their numbers."""
        ends = self._ends.tolist()
        data = self._bytes.tobytes()
        filed = [data[start:end].decode("utf-8", "surrogatepass") for start, end in pairwise(ends)]
        return filed + list(self._fresh)

    def arrays(self, kept: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
        """Return the vocabulary of the terms with these numbers, in their order, for a file."""
        terms = self.terms()
        return _packed([terms[number] for number in kept.tolist()])


def _packed(terms: list[str]) -> dict[str, NDArray[Any]]:
    data = [_encoded(term) for term in terms]
    ends = np.zeros(len(data) + 1, np.int64)
    np.cumsum([len(each) for each in data], out=ends[1:])
    hashes = np.array([_hash(each) for each in data], np.uint64)
    order = np.argsort(hashes, kind="stable")
    return {
        "term_bytes": np.frombuffer(b"".join(data), np.uint8),
        "term_ends": ends,
        "term_hashes": hashes[order],
        "term_order": order.astype(np.int32),
    }


def _encoded(term: str) -> bytes:
    return term.encode("utf-8", "surrogatepass")


def _hash(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
