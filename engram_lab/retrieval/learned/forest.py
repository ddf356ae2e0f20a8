"""Trees as plain numbers: what each leaf gives, and which features led there."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["LEAF", "Forest"]

LEAF: Final = -1
"""In place of a feature: here a tree ends."""


@dataclass(frozen=True, kw_only=True)
class Forest:
    """Binary trees whose leaves add up to a score.

    The nodes of all trees stand one after the other, those of a tree with each node before the
    nodes below it: first all that lies to its left, then all that lies to its right. So the left
    child of node i is node i + 1.

    Attributes:
        names: Of the features.
        starts: The first node of each tree, rising from 0.
        split: For each node the place in `names` of the feature that parts it, or `LEAF`.
        threshold: Up to it, itself included, a value goes to the left; 0 for a leaf.
        right: The node to the right; 0 for a leaf.
        value: What a leaf gives; for another node the mean of the leaves below it over the rows
            that the tree was grown on.

    Raises:
        InvalidInputError: The numbers are no such trees.
    """

    names: tuple[str, ...]
    starts: tuple[int, ...]
    split: tuple[int, ...]
    threshold: tuple[float, ...]
    right: tuple[int, ...]
    value: tuple[float, ...]

    def __post_init__(self) -> None:
        nodes = len(self.split)
        ends = (*self.starts[1:], nodes)
        sound = (
            len(self.threshold) == len(self.right) == len(self.value) == nodes
            and self.starts[:1] == (0,)
            and all(start < end for start, end in zip(self.starts, ends, strict=True))
            and all(map(math.isfinite, (*self.threshold, *self.value)))
            and all(
                each == LEAF or (0 <= each < len(self.names) and node + 1 < self.right[node] < end)
                for start, end in zip(self.starts, ends, strict=True)
                for node, each in enumerate(self.split[start:end], start)
            )
        )
        if not sound:
            raise InvalidInputError(
                f"{nodes} nodes of {len(self.starts)} trees do not make trees: give them as they "
                "were learned, each node before those below it, with finite numbers"
            )

    @property
    def used(self) -> tuple[str, ...]:
        """The features that part any node, in the order of `names`."""
        places = sorted(set(self.split) - {LEAF})
        return tuple(self.names[place] for place in places)

    @cached_property
    def base(self) -> float:
        """What all trees give before anything is known of a row."""
        return math.fsum(self.value[start] for start in self.starts)

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of the leaves that each row comes to: float64 [n].

        Args:
            values: float64 [n, features], in the order of `names`.
        """
        _, _, _, value = self._arrays
        total = np.zeros(len(values))
        for leaves in self._leaves(values):
            total += value[leaves]
        return total

    def contributions(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what each feature gave to each row: float64 [n, features].

        Whenever a feature parts the way, it is given the change of the node's value. So the sum of
        a row is its score less `base`.

        Source: Saabas, "Interpreting random forests" (2014): prediction = bias + Σ contributions,
        along the path from the root to the leaf.

        Args:
            values: See `scores`.
        """
        given = np.zeros((len(values), len(self.names)))
        for leaves in self._leaves(values):
            given += self._paths[leaves]
        return given

    def _leaves(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the leaf that each row comes to in each tree: int64 [trees, n]."""
        split, threshold, right, _ = self._arrays
        rows = np.arange(len(values))
        at = np.repeat(np.array(self.starts, np.int64)[:, None], len(values), axis=1)
        while (inner := split[at] != LEAF).any():
            goes_left = values[rows, split[at]] <= threshold[at]
            at = np.where(inner, np.where(goes_left, at + 1, right[at]), at)
        return at

    @cached_property
    def _arrays(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        return (
            np.array(self.split, np.int64),
            np.array(self.threshold, np.float64),
            np.array(self.right, np.int64),
            np.array(self.value, np.float64),
        )

    @cached_property
    def _paths(self) -> NDArray[np.float64]:
        """What each feature gave on the way to each node: float64 [nodes, features]."""
        paths = np.zeros((len(self.split), len(self.names)))
        for node, feature in enumerate(self.split):
            if feature == LEAF:
                continue
            for child in (node + 1, self.right[node]):
                paths[child] = paths[node]
                paths[child, feature] += self.value[child] - self.value[node]
        return paths

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {each.name: list(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Return the trees of `to_dict`.

        Raises:
            InvalidInputError: They are none.
        """
        kinds: dict[str, tuple[type, ...]] = {
            "names": (str,),
            "starts": (int,),
            "split": (int,),
            "threshold": (int, float),
            "right": (int,),
            "value": (int, float),
        }
        if set(given) != set(kinds):
            raise InvalidInputError(
                f"trees have {shown(', '.join(sorted(given)))}: give {', '.join(sorted(kinds))}"
            )
        for name, kind in kinds.items():
            _check_list(name, given[name], kind)
        return cls(
            names=tuple(given["names"]),
            starts=tuple(given["starts"]),
            split=tuple(given["split"]),
            threshold=tuple(map(float, given["threshold"])),
            right=tuple(given["right"]),
            value=tuple(map(float, given["value"])),
        )


def _check_list(name: str, found: Any, kinds: Sequence[type]) -> None:
    if not isinstance(found, list) or not all(
        isinstance(each, tuple(kinds)) and not isinstance(each, bool) for each in found
    ):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise InvalidInputError(f"`{name}` of trees is {shown(found)}: give a list of {wanted}")
