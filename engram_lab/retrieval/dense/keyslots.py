"""Where the vector of a memory lies: from keys to slots, for many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KeySlots"]

_MOST_NEW: Final = 4096
"""A key is inserted into so many others in microseconds; into a million it takes milliseconds."""

_MANY: Final = 8
"""Keys are many that are more than one for so many that are known."""

_DENSE: Final = 8
"""Known keys are dense that fill more than one in so many numbers of their range."""

_GONE: Final = -1


class KeySlots:
    """A map from keys to slots: a large sorted table, and a small one of what came since.

    Args:
        keys: int64 [n], rising.
        slots: int64 [n].
    """

    def __init__(self, keys: NDArray[np.int64], slots: NDArray[np.int64]) -> None:
        self._keys, self._slots = keys, slots
        self._new_keys = np.empty(0, np.int64)
        self._new_slots = np.empty(0, np.int64)

    def find(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the slot of each key, int64 [n], -1 where there is none."""
        slots = _looked_up(self._keys, self._slots, keys)
        if len(self._new_keys):
            new = _looked_up(self._new_keys, self._new_slots, keys)
            slots = np.where(new == _GONE, slots, new)
        return slots

    def put(self, keys: NDArray[np.int64], slots: NDArray[np.int64]) -> None:
        """Say where keys lie from now on: int64 [n], rising, and int64 [n]."""
        unknown = np.ones(len(keys), np.bool_)
        for known, places in ((self._keys, self._slots), (self._new_keys, self._new_slots)):
            at, found = _places(known, keys)
            places[at[found]] = slots[found]
            unknown &= ~found
        if unknown.any():
            at = self._new_keys.searchsorted(keys[unknown])
            self._new_keys = np.insert(self._new_keys, at, keys[unknown])
            self._new_slots = np.insert(self._new_slots, at, slots[unknown])
        if len(self._new_keys) > _MOST_NEW:
            self._merge()

    def remove(self, keys: NDArray[np.int64]) -> None:
        """Forget where keys lie, int64 [n]; those that are not known are passed over."""
        for known, places in ((self._keys, self._slots), (self._new_keys, self._new_slots)):
            at, found = _places(known, keys)
            places[at[found]] = _GONE

    def _merge(self) -> None:
        keys = np.concatenate([self._keys, self._new_keys])
        slots = np.concatenate([self._slots, self._new_slots])
        kept = slots != _GONE
        keys, slots = keys[kept], slots[kept]
        order = np.argsort(keys, kind="stable")  # two sorted runs: merged rather than sorted
        self._keys, self._slots = keys[order], slots[order]
        self._new_keys, self._new_slots = self._new_keys[:0], self._new_slots[:0]


def _places(
    known: NDArray[np.int64], keys: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return where each key stands in a sorted table, and whether it does."""
    at = known.searchsorted(keys)
    if not len(known):
        return at, np.zeros(len(keys), np.bool_)
    inside = np.minimum(at, len(known) - 1)
    return inside, known[inside] == keys


def _looked_up(
    known: NDArray[np.int64], places: NDArray[np.int64], keys: NDArray[np.int64]
) -> NDArray[np.int64]:
    if not len(known):
        return np.full(len(keys), _GONE)
    low, span = int(known[0]), int(known[-1]) - int(known[0]) + 1
    if len(keys) * _MANY > len(known) and span <= _DENSE * len(known):
        # To write all places down by key, once, costs less than so many searches.
        written = np.full(span + 1, _GONE)
        written[known - low] = places
        inside = (keys >= low) & (keys < low + span)
        return written[np.where(inside, keys - low, span)]
    at, found = _places(known, keys)
    return np.where(found, places[at], _GONE)
