"""What a law of forgetting is: what was used so long ago and so often is how present now?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import numpy as np

from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["DAY_S", "Law", "Uses", "check_above", "forecast"]

DAY_S: Final = 86_400.0
"""Seconds of a day."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Uses:
    """When each of n memories was used, the first time when it was made. All times in days.

    Attributes:
        idle: Since its last use, float64 [n], from 0.
        age: Since its first use, float64 [n], not below `idle`.
        count: How many uses, float64 [n], from 1.
        lags: Since each single use, float64 [sum of count], memory by memory, in any order within
            one; None where only the three numbers above are known.
        starts: Where the lags of each memory begin, int64 [n]; None without lags.
    """

    idle: NDArray[np.float64]
    age: NDArray[np.float64]
    count: NDArray[np.float64]
    lags: NDArray[np.float64] | None = None
    starts: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.idle)

    @classmethod
    def of(cls, *, idle: ArrayLike, age: ArrayLike, count: ArrayLike) -> Uses:
        """Return uses from days and counts that may break the rules above; each is mended.

        What lies in the future happened now; what was never used was made; nan is as if made now.
        """
        idle_days = np.fmax(np.nan_to_num(np.asarray(idle, np.float64), nan=0.0), 0.0)
        age_days = np.fmax(np.nan_to_num(np.asarray(age, np.float64), nan=0.0), idle_days)
        return cls(idle=idle_days, age=age_days, count=np.fmax(np.asarray(count, np.float64), 1.0))

    @classmethod
    def exact(cls, lags: NDArray[np.float64], counts: NDArray[np.int64]) -> Uses:
        """Return uses from the days since each single use, memory by memory.

        Args:
            lags: float64 [sum of counts]; one below 0 lies in the future, and happened now.
            counts: How many are of each memory, int64 [n], from 1.

        Raises:
            InvalidInputError: A memory has none, or there are more or fewer lags than counted.
        """
        if len(counts) and counts.min() < 1:
            raise InvalidInputError("a memory has no use: count its making as the first")
        if int(counts.sum()) != len(lags):
            raise InvalidInputError(f"there are {len(lags)} lags and {int(counts.sum())} counted")
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)[: len(counts)]
        days = np.fmax(lags, 0.0)
        if not len(counts):
            nothing = np.empty(0)
            return cls(idle=nothing, age=nothing, count=nothing, lags=days, starts=starts)
        return cls(
            idle=np.minimum.reduceat(days, starts),
            age=np.maximum.reduceat(days, starts),
            count=counts.astype(np.float64),
            lags=days,
            starts=starts,
        )

    def later(self, days: ArrayLike) -> Uses:
        """Return the same uses as they are so many days later, float64 [n] or a number from 0."""
        more = np.broadcast_to(np.asarray(days, np.float64), self.idle.shape)
        lags = None
        if self.lags is not None:
            lags = self.lags + np.repeat(more, self.count.astype(np.int64))
        return Uses(
            idle=self.idle + more,
            age=self.age + more,
            count=self.count,
            lags=lags,
            starts=self.starts,
        )


@runtime_checkable
class Law(Protocol):
    """How what is not used fades. It orders memories; it never multiplies what they say away.

    Guarantees: `retention` lies in [0, 1] and never rises while time passes without a use; a
    further use never lowers it. `intensity` is at least 0, and `expected` is its integral. Vectors
    go in and come out; memories do not depend on one another.
    """

    @property
    def name(self) -> str:
        """Its registered name."""
        ...

    @property
    def parameters(self) -> Mapping[str, float]:
        """Its numbers by name."""
        ...

    def retention(self, uses: Uses) -> NDArray[np.float64]:
        """Return how present each memory is now, float64 [n], from 0 to 1."""
        ...

    def intensity(self, uses: Uses) -> NDArray[np.float64]:
        """Return how many uses a day are to be expected of each now, float64 [n]."""
        ...

    def expected(self, uses: Uses, days: ArrayLike) -> NDArray[np.float64]:
        """Return the integral of the intensity over the coming days without a use, float64 [n].

        Args:
            uses: Up to now.
            days: Over how many, float64 [n] or a number, from 0.
        """
        ...


def forecast(law: Law, uses: Uses, days: ArrayLike) -> NDArray[np.float64]:
    """Return the probability that each memory is used again within so many days, float64 [n].

    P = 1 - exp(-Λ), with Λ the integral of the law's intensity while nothing happens: exact for a
    process whose intensity depends on past uses alone, as these do not change before the next one.

    Source: Daley and Vere-Jones, "An Introduction to the Theory of Point Processes" I (2003), §7.2:
    the survivor function of a conditional intensity. That the need of a memory follows from how
    recently and how often it was needed: Anderson and Schooler, "Reflections of the Environment in
    Memory" (Psychological Science 2, 1991).
    """
    return np.asarray(-np.expm1(-law.expected(uses, days)), np.float64)


def check_above(value: object, *, field: str, least: float = 0.0) -> float:
    """Return a finite number above `least`.

    Raises:
        InvalidInputError: It is none.
    """
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not least < float(value) < np.inf:  # type: ignore[arg-type]
        raise InvalidInputError(f"{field} is {shown(value)}: give a number above {least:g}")
    return float(value)  # type: ignore[arg-type]
