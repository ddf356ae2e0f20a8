"""Late interaction: how near each token of the question comes to one of the memory, or beside it.

Source: Khattab and Zaharia, "ColBERT" (SIGIR 2020), equation 3, weighted by how rare a token is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.retrieval.features.registry import FEATURES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.retrieval.features.scene import Scene

__all__ = [
    "late",
    "late_answer",
    "late_before",
    "late_of_turn_before",
    "late_of_window",
    "late_times_length",
]


@FEATURES.register("late")
def late(scene: Scene) -> NDArray[np.float64] | None:
    """Return MaxSim of the question as the speaker whom it is about would put it."""
    return None if scene.near is None else scene.near[: len(scene)] @ scene.weights


@FEATURES.register("late-with-before")
def late_before(scene: Scene) -> NDArray[np.float64] | None:
    """Return MaxSim over the turn and the one before, which often asks what this one answers."""
    if scene.near is None:
        return None
    return scene.greatest(scene.near, after=False) @ scene.weights


@FEATURES.register("late-of-window")
def late_of_window(scene: Scene) -> NDArray[np.float64] | None:
    """Return MaxSim over the turn and both beside it."""
    if scene.near is None:
        return None
    near = scene.near if scene.near_all is None else scene.near_all()
    return scene.greatest(near, after=True) @ scene.weights


@FEATURES.register("late-of-turn-before")
def late_of_turn_before(scene: Scene) -> NDArray[np.float64] | None:
    """Return MaxSim of the turn before alone."""
    return None if scene.near is None else scene.before(scene.near) @ scene.weights


@FEATURES.register("late-answer")
def late_answer(scene: Scene) -> NDArray[np.float64] | None:
    """Return MaxSim of the turn before where that is a question, else 0: this one may answer it."""
    before = late_of_turn_before(scene)
    if before is None or not len(scene.turns):
        return before
    asks = scene.turns.question[scene.rows] & (scene.rows >= 0)
    return before * scene.before(asks.astype(before.dtype))


@FEATURES.register("late-times-length")
def late_times_length(scene: Scene) -> NDArray[np.float64] | None:
    """Return MaxSim times ln(1 + words): a long turn that fits holds more than a short one."""
    values = late(scene)
    return None if values is None else values * scene.of_turns(scene.turns.log_length)
