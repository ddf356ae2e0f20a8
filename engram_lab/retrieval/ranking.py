"""A ranking: memories by key, best first, as one sorted and validated value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Ranking"]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Memories by key with their scores, the highest score first, ties by rising key.

    Made by `of`, which sorts and checks; the arrays are read-only.

    Attributes:
        keys: int64 [n], each once.
        scores: float64 [n], finite, never rising.
    """

    keys: NDArray[np.int64]
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, keys: Any, scores: Any, *, limit: int | None = None) -> Self:
        """Return the ranking of keys with their scores, given in any order.

        Args:
            keys: Whole numbers, each once; n of them.
            scores: Numbers, n of them.
            limit: Keep so many of the best.

        Raises:
            InvalidInputError: The lengths differ, a score is no finite number, or a key comes
                twice.
        """
        names = np.asarray(keys, dtype=np.int64)
        values = np.asarray(scores, dtype=np.float64)
        if names.ndim != 1 or names.shape != values.shape:
            raise InvalidInputError(
                f"keys have the shape {list(names.shape)} and scores {list(values.shape)}: "
                "give one score for each key"
            )
        if not np.isfinite(values).all():
            raise InvalidInputError("a score is NaN or infinite: a ranking needs finite numbers")
        order = np.lexsort((names, -values))
        ranked, values = names[order], values[order]
        if len(np.unique(names)) != len(names):
            raise InvalidInputError("a key comes twice: a ranking holds each memory once")
        return cls._frozen(ranked[:limit], values[:limit])

    @classmethod
    def _frozen(cls, keys: NDArray[np.int64], scores: NDArray[np.float64]) -> Self:
        keys.flags.writeable = False
        scores.flags.writeable = False
        return cls(keys, scores)

    @classmethod
    def empty(cls) -> Self:
        """Return the ranking of nothing."""
        return cls._frozen(np.empty(0, np.int64), np.empty(0, np.float64))

    @classmethod
    def of_pairs(cls, pairs: Iterable[tuple[int, float]]) -> Self:
        """Return the ranking of `(key, score)` pairs, given in any order; raises what `of` does."""
        given = list(pairs)
        return cls.of([key for key, _ in given], [score for _, score in given])

    def __len__(self) -> int:
        return len(self.keys)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ranking):
            return NotImplemented
        return np.array_equal(self.keys, other.keys) and np.array_equal(self.scores, other.scores)

    __hash__ = None  # type: ignore[assignment] # it holds arrays

    def top(self, limit: int) -> Self:
        """Return the ranking of the best `limit`."""
        return self if limit >= len(self) else type(self)(self.keys[:limit], self.scores[:limit])

    def only(self, kept: NDArray[np.bool_]) -> Self:
        """Return the ranking without the places where `kept`, bool [n], is False."""
        return self if kept.all() else self._frozen(self.keys[kept], self.scores[kept])
