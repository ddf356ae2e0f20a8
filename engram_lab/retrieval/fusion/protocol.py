"""What a fusion is: several rankings in, one out, with what each of them gave to every place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from engram_lab.retrieval.ranking import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.retrieval.ranking import Ranking

__all__ = ["Contribution", "Fused", "Fusion", "Normalised", "Normaliser"]


class Contribution(NamedTuple):
    """What one arm gave to a memory: `rank` from 1 and `score` are None where it had it not."""

    arm: str
    rank: int | None
    score: float | None
    value: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fused:
    """One ranking made of several, and how each of its scores came about.

    Attributes:
        ranking: All memories that any arm had, n of them.
        arms: The names of the arms, in the order of the alphabet.
        rankings: What each arm had found, in the order of `arms`.
        contributions: float64 [n, arms]. The score of a memory is the sum of its row, added from
            left to right, to the last bit.
    """

    ranking: Ranking
    arms: tuple[str, ...]
    rankings: tuple[Ranking, ...]
    contributions: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ranking)

    def top(self, limit: int) -> Self:
        """Return the best `limit`. Raises what `Ranking.top` does."""
        return self._with(self.ranking.top(limit), self.contributions[:limit])

    def only(self, kept: NDArray[np.bool_]) -> Self:
        """Return it without the places where `kept`, bool [n], is False.

        Raises what `Ranking.only` does.
        """
        return self._with(self.ranking.only(kept), self.contributions[kept])

    def _with(self, ranking: Ranking, contributions: NDArray[np.float64]) -> Self:
        return type(self)(
            ranking=ranking, arms=self.arms, rankings=self.rankings, contributions=contributions
        )

    def explain(self, place: int) -> tuple[Contribution, ...]:
        """Return what each arm gave to the memory at a place, from 0, in the order of `arms`."""
        key = int(self.ranking.keys[place])
        rows = zip(self.arms, self.rankings, self.contributions[place].tolist(), strict=True)
        return tuple(
            Contribution(arm, *ranking.places().get(key, NOWHERE), value)
            for arm, ranking, value in rows
        )


class Fusion(Protocol):
    """Makes one ranking of several.

    Guarantees: the fused ranking holds exactly the memories that any arm holds, each once; it does
    not depend on the order in which the arms are given, nor on the order in which their memories
    were found; nothing is kept from one call to the next, so that threads may share it.

    Not guaranteed: that scores of different questions can be compared, or are above 0.
    """

    def fuse(self, rankings: Mapping[str, Ranking]) -> Fused:
        """Return the fusion of rankings by the name of their arm; an arm may be empty.

        Raises:
            InvalidInputError: The fusion knows nothing of an arm that it must know, such as its
                weight.
        """
        ...


class Normalised(NamedTuple):
    """The scores of one arm on a common scale: float64 [n], and that of what the arm had not.

    `absent` is never above the lowest of the values.
    """

    values: NDArray[np.float64]
    absent: float


class Normaliser(Protocol):
    """Brings the scores of one arm onto a scale that it shares with others.

    Guarantees: a higher score never gets a lower value.
    """

    def normalise(self, scores: NDArray[np.float64], *, arm: str) -> Normalised:
        """Return the values of scores, float64 [n], never rising; n may be 0.

        Raises:
            InvalidInputError: It knows nothing of an arm that it must know.
        """
        ...
