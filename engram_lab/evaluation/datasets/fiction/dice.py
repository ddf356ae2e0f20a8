"""Chance that gives the same on every machine and under every version of any library."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Dice"]

T = TypeVar("T")


class Dice:
    """Draws that follow from a path of names alone.

    Draw number i of a path is the first eight bytes, big-endian, of the SHA-256 of
    `path + "/" + i`, modulo the number of sides (the bias is below 2⁻⁵⁰ here). Whatever is drawn
    under one name leaves the draws under all others as they are.

    Args:
        path: Where these dice are thrown, such as `2026/conversation-3/names`.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._thrown = 0

    def under(self, name: str) -> Dice:
        """Return the dice of a place below this one; they are at their first draw."""
        return Dice(f"{self._path}/{name}")

    def below(self, sides: int) -> int:
        """Return a whole number from 0 up to and without `sides`."""
        digest = hashlib.sha256(f"{self._path}/{self._thrown}".encode()).digest()
        self._thrown += 1
        return int.from_bytes(digest[:8], "big") % sides

    def holds(self, percent: int) -> bool:
        """Return true in so many of a hundred draws."""
        return self.below(100) < percent

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[self.below(len(choices))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in another order (Fisher and Yates)."""
        rest = list(items)
        for last in range(len(rest) - 1, 0, -1):
            other = self.below(last + 1)
            rest[last], rest[other] = rest[other], rest[last]
        return rest
