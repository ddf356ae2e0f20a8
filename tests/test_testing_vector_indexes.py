"""`check_vector_index` passes what is sound, and tells every way in which one may not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.retrieval.dense import VECTOR_INDEXES
from engram_lab.testing import ConformanceError, check_vector_index

if TYPE_CHECKING:
    from engram_lab.retrieval.dense import VectorIndexOptions


@pytest.mark.parametrize("name", ["flat", "hnsw", "ivf"])
def test_our_own_indexes_are_sound(name: str) -> None:
    check_vector_index(VECTOR_INDEXES.get(name))


class Spoilt:
    """An exact index that does one thing wrong."""

    def __init__(self, options: VectorIndexOptions, fault: str) -> None:
        self._index: Any = VECTOR_INDEXES.get("flat")(options)
        self._fault = fault
        self._asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    @property
    def size(self) -> int:
        return int(self._index.size) - (self._fault == "size")

    def restore(self, data: Any) -> None:
        if self._fault != "restore":
            self._index.restore(data)

    def blot(self, slots: Any) -> None:
        if self._fault == "unblotted":
            return
        if self._fault == "others":
            slots = np.arange(self._index.size)
        self._index.blot(slots[:-1] if self._fault == "last" and len(slots) > 1 else slots)

    def search(self, query: Any, k: int, *, allowed: Any = None, effort: int = 1) -> Any:
        self._asked += 1
        fault = self._fault
        if fault == "raises":
            raise ValueError("no")
        if fault == "sign":
            query = -query
        if fault == "chance" and self._asked > 60:
            query = np.roll(query, 1)
        found = self._index.search(
            query, k, allowed=None if fault == "allowed" else allowed, effort=effort
        )
        if fault == "twice" and len(found):
            found = np.append(found[:-1], found[0])
        if fault == "more":
            found = np.append(found, [len(found) + 400])
        if fault == "range" and len(found):
            found = np.append(found[:-1], 10_000)
        return found


@pytest.mark.parametrize(
    ("fault", "law"),
    [
        ("size", "holds the rows"),
        ("raises", "ValueError was raised: no"),
        ("sign", "what is nearest is found"),
        ("allowed", "only what is allowed"),
        ("twice", "each once"),
        ("more", "no more than were wanted"),
        ("range", "slots of rows"),
        ("restore", "what was dumped is restored"),
        ("unblotted", "what was blotted is in no dump. Instead, 1 of 1 rows"),
        ("last", "what was blotted is in no dump. Instead, 1 of 50 rows"),
        ("others", "what was not blotted is found as before"),
    ],
)
def test_a_fault_is_told_with_the_law_that_it_breaks(fault: str, law: str) -> None:
    with pytest.raises(ConformanceError, match=law):
        check_vector_index(lambda options: Spoilt(options, fault))
