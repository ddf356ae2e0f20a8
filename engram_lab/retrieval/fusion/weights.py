"""How much the word of each arm counts."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING

from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["check_weights", "is_finite", "weights_of"]


def check_weights(weights: Mapping[str, float]) -> Mapping[str, float]:
    """Return the weights of arms by name, read-only; none at all means that all count the same.

    Raises:
        InvalidInputError: A weight is no finite number from 0, or all of them are 0.
    """
    for arm, weight in weights.items():
        if not is_finite(weight) or weight < 0:
            raise InvalidInputError(
                f"the weight of arm {arm!r} is {shown(weight)}: give a finite number from 0"
            )
    if weights and not any(weights.values()):
        raise InvalidInputError("all weights are 0: give at least one arm a weight above 0")
    return MappingProxyType({arm: float(weight) for arm, weight in weights.items()})


def weights_of(weights: Mapping[str, float], arms: Sequence[str]) -> list[float]:
    """Return the weight of each arm; where there are none at all, 1 for each.

    Raises:
        InvalidInputError: There are weights, and none for one of the arms: as likely as not its
            name is misspelt.
    """
    if not weights:
        return [1.0] * len(arms)
    for arm in arms:
        if arm not in weights:
            raise InvalidInputError(
                f"arm {arm!r} has no weight: there are weights for {', '.join(sorted(weights))}; "
                "0 leaves an arm out"
            )
    return [weights[arm] for arm in arms]


def is_finite(value: object) -> bool:
    """Tell whether a value is a finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)
