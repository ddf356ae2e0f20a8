"""The features of a memory as an answer to a question, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.registry import Registry

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from engram_lab.retrieval.features.scene import Scene

__all__ = ["FEATURES", "Feature", "FeatureTable", "features_of"]


class FeatureTable(NamedTuple):
    """The features of all candidates of a question.

    Attributes:
        ids: The candidates: n memories, in the order of their making.
        names: Of the features.
        values: float64 [n, features], each in its own unit; zeros of what could not be told.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    values: NDArray[np.float64]

    def to_polars(self) -> pl.DataFrame:
        """Return a frame of the candidates, one column a feature."""
        import polars as pl

        columns = {name: self.values[:, at] for at, name in enumerate(self.names)}
        return pl.DataFrame({"id": list(self.ids), **columns})


Feature = Callable[["Scene"], "NDArray[np.float64] | None"]
"""Tells how each of n candidates answers a question: float64 [n], finite.

None says that the scene has nothing that it could be told from, such as no vectors. It depends on
the scene alone and changes nothing. A greater number need not be better: a weight says so.
"""

FEATURES: Registry[Feature] = Registry("feature", group="engram_lab.features")
"""What weights may name: `@FEATURES.register("mine")` before a function of a `Scene`."""


def features_of(scene: Scene, names: Sequence[str]) -> Mapping[str, NDArray[np.float64]]:
    """Return features of a scene by name, those that it cannot tell left out.

    Raises:
        InvalidInputError: A name is unknown, or a feature gives something else than n finite
            numbers.
    """
    found: dict[str, NDArray[np.float64]] = {}
    for name in names:
        told = FEATURES.get(name)(scene)
        if told is None:
            continue
        values = np.asarray(told, np.float64)
        if values.shape != scene.keys.shape or not np.isfinite(values).all():
            raise InvalidInputError(
                f"the feature {name!r} gave numbers of the shape {list(values.shape)}: it must "
                f"give {len(scene)} finite numbers, one a candidate"
            )
        found[name] = values
    return found
