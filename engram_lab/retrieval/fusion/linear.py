"""A learned linear fusion: what each arm says of a memory, weighed as evidence has taught."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import numpy as np

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.retrieval.fusion.min_max import MinMax
from engram_lab.retrieval.fusion.pool import Pool
from engram_lab.retrieval.fusion.rrf import RRF_K
from engram_lab.retrieval.fusion.weights import is_finite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.fusion.protocol import Fused, Normaliser
    from engram_lab.retrieval.ranking import Ranking

__all__ = ["FEATURES", "ArmWeights", "LinearFusion", "LinearWeights", "features_of"]

FEATURES: Final = ("score", "rank", "presence")
"""What is known of a memory in an arm; see `features_of`."""


class ArmWeights(NamedTuple):
    """How much the score, the reciprocal rank and the mere presence in an arm count."""

    score: float
    rank: float
    presence: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LinearWeights:
    """The weights of a linear fusion, as plain numbers that a file can keep.

    Attributes:
        arms: The weights of each arm by its name.

    Raises:
        InvalidInputError: A weight is no finite number.
    """

    arms: Mapping[str, ArmWeights] = field(hash=False)

    def __post_init__(self) -> None:
        checked = {}
        for arm, given in self.arms.items():
            for weight in given:
                if not is_finite(weight):
                    raise InvalidInputError(
                        f"arm {arm!r} has the weight {shown(weight)}: give finite numbers"
                    )
            checked[arm] = ArmWeights(*map(float, given))
        object.__setattr__(self, "arms", MappingProxyType(checked))

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Return the weights by arm and feature, as JSON can hold them."""
        return {arm: weights._asdict() for arm, weights in sorted(self.arms.items())}

    @classmethod
    def from_dict(cls, record: Mapping[str, Mapping[str, Any]]) -> Self:
        """Return the weights of `to_dict`.

        Raises:
            InvalidInputError: An arm has other features than these, or a weight is no finite
                number.
        """
        for arm, given in record.items():
            if set(given) != set(FEATURES):
                raise InvalidInputError(
                    f"arm {arm!r} has weights for {', '.join(sorted(given)) or 'nothing'}: "
                    f"give those for {', '.join(FEATURES)}"
                )
        return cls(arms={arm: ArmWeights(**given) for arm, given in record.items()})


@dataclass(frozen=True, kw_only=True)
class LinearFusion:
    """Score(d) = Σ over arms and features of weight · (feature of d - its mean over the question).

    Within one question the means change no order; they make the weights those of differences
    between memories of one question, which is all that a ranking is about. A score above 0 says:
    better than the mean of what was found. An arm that has no weights is refused; an arm that has
    weights and was not asked says nothing.

    Source: the form of Vogt and Cottrell, "Fusion via a Linear Combination of Scores" (Information
    Retrieval 1, 1999), with ranks and presence beside the scores.

    Attributes:
        weights: Learned by `fit`, or set by hand.
        normaliser: What brings the scores of each arm onto one scale; the one it was learned with.
        k: The constant of the reciprocal rank; the one it was learned with.
    """

    weights: LinearWeights
    normaliser: Normaliser = field(default_factory=MinMax)
    k: float = RRF_K

    def fuse(self, rankings: Mapping[str, Ranking]) -> Fused:
        """Return the fusion; see `Fusion.fuse`.

        Raises:
            InvalidInputError: There are no weights for an arm.
        """
        pool = Pool.of(rankings)
        for arm in pool.arms:
            if arm not in self.weights.arms:
                raise InvalidInputError(
                    f"arm {arm!r} has no learned weights: there are those of "
                    f"{', '.join(sorted(self.weights.arms)) or 'no arm'}"
                )
        features = features_of(pool, pool.arms, normaliser=self.normaliser, k=self.k)
        given = pool.nothing()
        for row, arm, of_arm in zip(given, pool.arms, features, strict=True):
            for weight, feature in zip(self.weights.arms[arm], of_arm, strict=True):
                row[:] += weight * feature
        return pool.fused(given)


def features_of(
    pool: Pool, arms: Sequence[str], *, normaliser: Normaliser, k: float
) -> NDArray[np.float64]:
    """Return what arms say of each memory of a pool: float64 [arms, 3, n], each row of mean 0.

    The features are the normalised score; (k + 1) / (k + rank), which is 1 at the first place; and
    whether the arm has it, as 1 or 0. Where it has it not, the last two are 0.

    Args:
        pool: The memories.
        arms: Which arms, in this order; of one that is not in the pool all features are 0.
        normaliser: What brings the scores of each arm onto one scale.
        k: The constant of the reciprocal rank.
    """
    features = np.zeros((len(arms), len(FEATURES), len(pool.keys)))
    known = {arm: at for at, arm in enumerate(pool.arms)}
    for rows, arm in zip(features, arms, strict=True):
        at = known.get(arm)
        if at is None or not len(pool.rankings[at]):
            continue
        places = pool.places[at]
        values, absent = normaliser.normalise(pool.rankings[at].scores, arm=arm)
        rows[0] = absent
        rows[0, places] = values
        rows[1, places] = (k + 1) / np.arange(k + 1, k + 1 + len(places))
        rows[2, places] = 1.0
        rows[:] -= rows.sum(axis=1, keepdims=True) / rows.shape[1]
    return features
