"""What links lead to: activation that spreads from what answers the question best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.retrieval.features.late import late
from engram_lab.retrieval.features.meaning import cosine_in_first_person
from engram_lab.retrieval.features.registry import FEATURES
from engram_lab.retrieval.features.words import words_without_names
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.retrieval.features.scene import Scene

__all__ = ["links"]

_SEEDS: Final = 20
"""Of how many of the best activation starts; what comes after adds little and costs as much."""


@FEATURES.register("links")
def links(scene: Scene) -> NDArray[np.float64]:
    """Return the activation that reaches a candidate over links from the best by MaxSim.

    By the cosine where there are no tokens, and by words where there are no vectors; see
    `retrieval.spreading`.
    """
    reached = np.zeros(len(scene))
    if scene.spread is None or not len(scene):
        return reached
    values = late(scene)
    if values is None:
        values = cosine_in_first_person(scene)
    if values is None:
        values = words_without_names(scene)
    found = scene.spread(Ranking.of(scene.keys, values).top(_SEEDS))
    places = scene.keys.searchsorted(found.keys).clip(max=len(scene) - 1)
    known = scene.keys[places] == found.keys
    reached[places[known]] = found.scores[known]
    return reached
