"""The vectors of one embedder by key: what is held, before any index speeds it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from engram_lab.retrieval.dense.keyslots import KeySlots
from engram_lab.retrieval.dense.rows import Rows, grown

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["VectorTable"]


class VectorTable:
    """Rows in slots, each with the key of its memory; a slot is used once.

    A vector that changes goes into a new slot and leaves the old one dead, so that what an index
    knows of a slot stays true.

    Args:
        keys: int64 [n], the key of each slot.
        live: bool [n], which slots count.
        sealed: float32 [m, dim], the first m rows, which may lie in a file.
        more: float32 [n - m, dim], the others.
    """

    def __init__(
        self,
        keys: NDArray[np.int64],
        live: NDArray[np.bool_],
        sealed: NDArray[np.float32],
        more: NDArray[np.float32],
    ) -> None:
        self.rows = Rows(sealed)
        self.rows.append(more)
        self._keys = np.array(keys)
        self._live = np.array(live)
        self.size = int(np.count_nonzero(live))
        slots = np.flatnonzero(live)
        order = np.argsort(keys[slots], kind="stable")
        self._by_key = KeySlots(keys[slots][order], slots[order])

    @classmethod
    def empty(cls, dim: int) -> Self:
        """Return one that holds nothing."""
        nothing = np.empty((0, dim), np.float32)
        return cls(np.empty(0, np.int64), np.empty(0, np.bool_), nothing, nothing)

    @property
    def slots(self) -> int:
        """How many slots were used; the next one has this number."""
        return len(self.rows)

    @property
    def dead(self) -> int:
        """How many slots count no more."""
        return len(self.rows) - self.size

    @property
    def keys(self) -> NDArray[np.int64]:
        """The key of each slot: int64 [slots]."""
        return self._keys[: len(self.rows)]

    @property
    def live(self) -> NDArray[np.bool_]:
        """Which slots count: bool [slots]."""
        return self._live[: len(self.rows)]

    def find(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the live slot of each key, int64 [n], -1 where there is none."""
        return self._by_key.find(keys)

    def put(self, keys: NDArray[np.int64], values: NDArray[np.float32]) -> int:
        """Hold these vectors, in place of any former ones, and return how many differ from them.

        Args:
            keys: int64 [n], rising.
            values: float32 [n, dim].
        """
        former = self._by_key.find(keys)
        known = np.flatnonzero(former >= 0)
        if len(known):
            same = (self.rows.take(former[known]) == values[known]).all(axis=1)
            changed = np.ones(len(keys), np.bool_)
            changed[known[same]] = False
            self._kill(former[known[~same]])
            keys, values = keys[changed], values[changed]
        start, end = len(self.rows), len(self.rows) + len(keys)
        self.rows.append(values)
        self._keys = grown(self._keys, end)
        self._live = grown(self._live, end)
        self._keys[start:end] = keys
        self._live[start:end] = True
        self._by_key.put(keys, np.arange(start, end))
        self.size += len(keys)
        return len(keys)

    def remove(self, keys: NDArray[np.int64]) -> int:
        """Hold the vectors of these keys no more, int64 [n], and return how many there were."""
        slots = self._by_key.find(keys)
        slots = slots[slots >= 0]
        self._kill(slots)
        self._by_key.remove(keys)
        return len(slots)

    def keep(self, keys: NDArray[np.int64]) -> int:
        """Hold the vectors of these keys alone, int64 [n], rising; return how many went."""
        held = self.keys[self.live]
        if not len(keys):
            return self.remove(held)
        at = np.minimum(keys.searchsorted(held), len(keys) - 1)
        return self.remove(held[keys[at] != held])

    def _kill(self, slots: NDArray[np.int64]) -> None:
        self._live[slots] = False
        self.size -= len(slots)

    def compacted(self) -> Self:
        """Return a table of the live vectors alone, by rising key."""
        if not self.dead and (self.keys[1:] > self.keys[:-1]).all():
            return self
        slots = np.flatnonzero(self.live)
        slots = slots[np.argsort(self.keys[slots], kind="stable")]
        rows = self.rows.take(slots)
        return type(self)(self.keys[slots], np.ones(len(slots), np.bool_), rows[:0], rows)
