"""When memories were used, one by one: as found, and as a law would have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.consolidation.decay.protocol import Uses
from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.consolidation.decay.protocol import Law

__all__ = ["Gaps", "Traces", "simulated"]

_HALVINGS: Final = 60
_MOST_ROUNDS: Final = 10_000


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Gaps:
    """The times between uses: of each, what was before it, how long it was, how it ended.

    Attributes:
        before: The uses up to its beginning, which is the last of them; with lags.
        days: How long it was, float64 [n].
        used: Whether a use ended it, or else the end of what was seen, bool [n].
    """

    before: Uses
    days: NDArray[np.float64]
    used: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Traces:
    """The uses of n memories, in days on one clock, seen up to `end`.

    Attributes:
        times: Of every use, float64 [sum of counts], memory by memory, rising within each; the
            first of each is its making.
        counts: Uses of each memory, int64 [n], from 1.
        end: Until when was looked; no use is later.

    Raises:
        InvalidInputError: Times fall within a memory, lie after the end, or are not as counted.
    """

    times: NDArray[np.float64]
    counts: NDArray[np.int64]
    end: float

    def __post_init__(self) -> None:
        if int(self.counts.sum()) != len(self.times) or (self.counts < 1).any():
            raise InvalidInputError("the times of uses are not as many as counted: each has one")
        within = np.ones(len(self.times), np.bool_)
        within[self._starts] = False
        if (within[1:] & (np.diff(self.times) < 0)).any() or (self.times > self.end).any():
            raise InvalidInputError(
                "the times of a memory's uses must rise, and none may lie after the end"
            )

    @classmethod
    def of(cls, uses: Sequence[Sequence[float]], *, end: float) -> Traces:
        """Return the traces of memories by the times of their uses, in days."""
        counts = np.array([len(each) for each in uses], np.int64)
        return cls(times=np.array([t for each in uses for t in each]), counts=counts, end=end)

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def _starts(self) -> NDArray[np.int64]:
        return np.asarray(np.cumsum(self.counts) - self.counts, np.int64)

    def at(self, moment: float) -> tuple[Uses, NDArray[np.int64]]:
        """Return the uses up to a moment of those memories that were made by then, and which."""
        owner = np.repeat(np.arange(len(self)), self.counts)
        seen = self.times <= moment
        counts = np.bincount(owner[seen], minlength=len(self)).astype(np.int64)
        rows = np.flatnonzero(counts)
        return Uses.exact(moment - self.times[seen], counts[rows]), rows.astype(np.int64)

    def used_within(self, moment: float, days: float) -> NDArray[np.bool_]:
        """Return for each memory whether it is used after a moment, at most so many days later."""
        owner = np.repeat(np.arange(len(self)), self.counts)
        later = (self.times > moment) & (self.times <= moment + days)
        return np.asarray(np.bincount(owner[later], minlength=len(self)) > 0)

    def gaps(self) -> Gaps:
        """Return every time between two uses, and from each last use to the end."""
        last = np.cumsum(self.counts) - 1
        following = np.append(self.times[1:], self.end)
        following[last] = self.end
        used = np.ones(len(self.times), np.bool_)
        used[last] = False
        place = np.arange(len(self.times)) - np.repeat(self._starts, self.counts)
        counts = (place + 1).astype(np.int64)
        # The lags of the k-th gap of a memory are those of its first k uses.
        total = int(counts.sum())
        begins = np.repeat(np.cumsum(counts) - counts, counts)
        first = np.repeat(np.repeat(self._starts, self.counts), counts)
        lags = np.repeat(self.times, counts) - self.times[first + np.arange(total) - begins]
        return Gaps(before=Uses.exact(lags, counts), days=following - self.times, used=used)


def simulated(
    law: Law, *, made: NDArray[np.float64], end: float, seed: int, most_uses: int = 1000
) -> Traces:
    """Return traces as a law would have them: each next use is drawn from its intensity.

    Of an exponential draw E, the next use comes when the integral of the intensity since the last
    one reaches E. As nothing else changes the intensity meanwhile, this is exact.

    Source: Daley and Vere-Jones, "An Introduction to the Theory of Point Processes" I (2003), §7.4:
    simulation by the inverse of the compensator.

    Args:
        law: Whose; it is asked with the time of every use.
        made: When each memory was made, in days, float64 [n], none after the end.
        end: Until when.
        seed: The same seed gives the same traces.
        most_uses: So many uses a memory has at most.
    """
    chance = np.random.default_rng(seed)
    uses = [[time] for time in made.tolist()]
    awake = [row for row, time in enumerate(made.tolist()) if time < end]
    for _ in range(min(most_uses, _MOST_ROUNDS) - 1):
        if not awake:
            break
        counts = np.array([len(uses[row]) for row in awake], np.int64)
        last = np.array([uses[row][-1] for row in awake])
        lags = np.concatenate([last[i] - np.array(uses[row]) for i, row in enumerate(awake)])
        days = _waits(
            law, Uses.exact(lags, counts), chance.exponential(size=len(awake)), end - last
        )
        still = []
        for row, time in zip(awake, (last + days).tolist(), strict=True):
            if time < end:
                uses[row].append(time)
                still.append(row)
        awake = still
    return Traces.of(uses, end=end)


def _waits(
    law: Law, uses: Uses, drawn: NDArray[np.float64], most: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return after how many days the integral reaches what was drawn; inf where not within most."""
    never = law.expected(uses, most) < drawn
    # By halves of the logarithm, as a wait may be of seconds or of years.
    low, high = np.log(np.full(len(uses), 1e-7)), np.log(np.fmax(most, 1e-7))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        short = law.expected(uses, np.exp(middle)) < drawn
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.where(never, np.inf, np.exp(high))
