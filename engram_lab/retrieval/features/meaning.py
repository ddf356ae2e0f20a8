"""How near the meaning of a memory lies to the question, in each form in which it can be put."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.retrieval.features.registry import FEATURES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.retrieval.features.scene import Scene

__all__ = [
    "cosine",
    "cosine_in_first_person",
    "cosine_of_window",
]


@FEATURES.register("cosine")
def cosine(scene: Scene) -> NDArray[np.float64] | None:
    """Return the cosine to the question as asked."""
    return _cosine(scene, "asked")


@FEATURES.register("cosine-in-first-person")
def cosine_in_first_person(scene: Scene) -> NDArray[np.float64] | None:
    """Return the cosine to the question as the one whom it is about would put it."""
    return _cosine(scene, "first_person")


@FEATURES.register("cosine-of-window")
def cosine_of_window(scene: Scene) -> NDArray[np.float64] | None:
    """Return the cosine in the first person, with half of those of the turns before and after."""
    values = scene.cosines.get("first_person")
    if values is None:
        return None
    return values[: len(scene)] + 0.5 * (scene.before(values) + scene.after(values))


def _cosine(scene: Scene, form: str) -> NDArray[np.float64] | None:
    values = scene.cosines.get(form)
    return None if values is None else values[: len(scene)]
