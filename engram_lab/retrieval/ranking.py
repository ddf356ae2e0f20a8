"""A ranking: memories by key, best first, as one sorted and validated value."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["NOWHERE", "Ranking"]

NOWHERE: Final[tuple[int | None, float | None]] = (None, None)
"""The rank and the score of what a ranking has not."""

_FEW: Final = 512
"""Up to so many scores a full sort costs no more than choosing the best first."""


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
            InvalidInputError: The lengths differ, a key is no whole number or comes twice, a score
                is no finite number, or the limit is below 0.
        """
        names = _whole_numbers(keys)
        values = np.asarray(scores, dtype=np.float64)
        if names.ndim != 1 or names.shape != values.shape:
            raise InvalidInputError(
                f"keys have the shape {list(names.shape)} and scores {list(values.shape)}: "
                "give one score for each key"
            )
        if not names.size:
            return cls.empty()
        rising = bool((names[1:] > names[:-1]).all())
        if not rising and not _differ(names):
            raise InvalidInputError("a key comes twice: a ranking holds each memory once")
        if limit is not None:
            names, values = _best(names, values, _checked(limit))
        order = np.argsort(-values, kind="stable") if rising else np.lexsort((names, -values))
        names, values = names[order], values[order]
        # What is not finite stands at an end: +inf comes first; -inf, then NaN, come last.
        if names.size and not (isfinite(values[0]) and isfinite(values[-1])):
            raise _not_finite()
        return cls.of_sorted(names[:limit], values[:limit])

    @classmethod
    def of_sorted(cls, keys: NDArray[np.int64], scores: NDArray[np.float64]) -> Self:
        """Return the ranking of arrays in its order already, which it takes over unchecked.

        For those who sorted them on the way; the arrays are made read-only, not copied.
        """
        keys.setflags(write=False)
        scores.setflags(write=False)
        return cls(keys, scores)

    @classmethod
    def empty(cls) -> Self:
        """Return the ranking of nothing."""
        return cls.of_sorted(np.empty(0, np.int64), np.empty(0, np.float64))

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

    def places(self) -> dict[int, tuple[int, float]]:
        """Return the rank, from 1, and the score of each key."""
        scores = enumerate(self.scores.tolist(), 1)
        return dict(zip(self.keys.tolist(), scores, strict=True))

    def found(self, keys: NDArray[np.int64]) -> list[tuple[int | None, float | None]]:
        """Return the rank, from 1, and the score of some keys, `NOWHERE` for one that is not here.

        For few keys of a long ranking, as making all of `places` takes longer.

        Args:
            keys: int64 [m].
        """
        if not len(self):
            return [NOWHERE] * len(keys)
        by_key = self.keys.argsort()
        at = self.keys.searchsorted(keys, sorter=by_key)
        at[at == len(self)] = 0
        places = by_key[at]
        there = (self.keys[places] == keys).tolist()
        return [
            (place + 1, score) if here else NOWHERE
            for place, score, here in zip(
                places.tolist(), self.scores[places].tolist(), there, strict=True
            )
        ]

    def top(self, limit: int) -> Self:
        """Return the ranking of the best `limit`.

        Raises:
            InvalidInputError: The limit is below 0.
        """
        if _checked(limit) >= len(self):
            return self
        return type(self)(self.keys[:limit], self.scores[:limit])

    def only(self, kept: NDArray[np.bool_]) -> Self:
        """Return the ranking without the places where `kept`, bool [n], is False.

        Raises:
            InvalidInputError: `kept` is no such array.
        """
        if kept.dtype != np.bool_ or kept.shape != self.keys.shape:
            raise InvalidInputError(
                f"`kept` is {kept.dtype} {list(kept.shape)}: give bool {list(self.keys.shape)}"
            )
        if np.count_nonzero(kept) == len(self):
            return self
        return self.of_sorted(self.keys[kept], self.scores[kept])


def _whole_numbers(keys: Any) -> NDArray[np.int64]:
    given = np.asarray(keys)
    if given.dtype == np.int64:
        return given
    if given.size and (given.dtype.kind not in "iu" or not np.can_cast(given.dtype, np.int64)):
        raise InvalidInputError(f"keys are {given.dtype}: give whole numbers of 64 bits")
    return given.astype(np.int64)


def _differ(names: NDArray[np.int64]) -> bool:
    ascending = np.sort(names)
    return not np.count_nonzero(ascending[1:] == ascending[:-1])


def _best(
    names: NDArray[np.int64], values: NDArray[np.float64], limit: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Leave out most of what the limit will cut, none of the ties at the cut."""
    if len(names) <= max(_FEW, 2 * limit) or not limit:
        return names, values
    if not np.isfinite(values).all():  # the cut might hide it
        raise _not_finite()
    at = len(values) - limit
    kept = values >= np.partition(values, at)[at]
    return names[kept], values[kept]


def _checked(limit: int) -> int:
    if limit < 0:  # a slice would leave out so many at the end
        raise InvalidInputError(f"limit is {limit}: give a whole number from 0")
    return limit


def _not_finite() -> InvalidInputError:
    return InvalidInputError("a score is NaN or infinite: a ranking needs finite numbers")
