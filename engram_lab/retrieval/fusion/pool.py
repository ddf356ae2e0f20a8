"""The union of several rankings, side by side: what every fusion starts from and ends with."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Self

import numpy as np

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.fusion.protocol import Fused
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Pool"]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """All memories that any of several rankings holds, each once.

    Attributes:
        keys: int64 [n], rising.
        arms: The names of the rankings, in the order of the alphabet.
        rankings: The rankings, in the order of `arms`.
        places: For each ranking, where in `keys` its memories stand, in its order.
    """

    keys: NDArray[np.int64]
    arms: tuple[str, ...]
    rankings: tuple[Ranking, ...]
    places: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(cls, rankings: Mapping[str, Ranking]) -> Self:
        """Return the pool of rankings by the name of their arm."""
        arms = tuple(sorted(rankings))
        lists = tuple(rankings[arm] for arm in arms)
        if not lists:
            return cls(np.empty(0, np.int64), (), (), ())
        found = np.concatenate([each.keys for each in lists])
        found.sort()
        new = np.empty(len(found), np.bool_)
        new[:1] = True
        np.not_equal(found[1:], found[:-1], out=new[1:])
        keys = found[new]
        return cls(keys, arms, lists, tuple(keys.searchsorted(each.keys) for each in lists))

    def nothing(self) -> NDArray[np.float64]:
        """Return zeros, float64 [arms, n], to be filled with what each arm gives."""
        return np.zeros((len(self.arms), len(self.keys)))

    def fused(self, contributions: NDArray[np.float64]) -> Fused:
        """Return the memories ranked by what the arms give them.

        Args:
            contributions: float64 [arms, n], in the order of `arms` and `keys`.

        Raises:
            InvalidInputError: A sum is NaN or infinite.
        """
        total = np.zeros(len(self.keys))
        for each in contributions:
            total += each
        order = np.argsort(-total, kind="stable")  # the keys rise, so ties stand by rising key
        ranked = total[order]
        # What is not finite stands at an end; see `Ranking.of`.
        if ranked.size and not (isfinite(ranked[0]) and isfinite(ranked[-1])):
            raise InvalidInputError(
                "a fused score is NaN or infinite: the arms' scores or weights are too large"
            )
        return Fused(
            ranking=Ranking.of_sorted(self.keys[order], ranked),
            arms=self.arms,
            rankings=self.rankings,
            contributions=contributions.take(order, axis=1).T,
        )
