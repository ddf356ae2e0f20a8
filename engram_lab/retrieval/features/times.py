"""How the time of a turn, and the times that it mentions, fit those that the question is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engram_lab.retrieval.features.registry import FEATURES
from engram_lab.retrieval.times import fits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.features.scene import Scene
    from engram_lab.retrieval.times import Fits, Interval

__all__ = ["tells_how_long", "tells_when", "time_relative", "time_said", "time_told"]


@FEATURES.register("time-said")
def time_said(scene: Scene) -> NDArray[np.float64]:
    """Return how well the day on which a turn was said fits a time in the question; see `fits`."""
    found = _fits(scene, scene.mentions)
    return _placed(scene, None if found is None else found.said)


@FEATURES.register("time-told")
def time_told(scene: Scene) -> NDArray[np.float64]:
    """Return how well a time that a turn mentions fits a time in the question; see `fits`."""
    found = _fits(scene, scene.mentions)
    return _placed(scene, None if found is None else found.told)


@FEATURES.register("time-relative")
def time_relative(scene: Scene) -> NDArray[np.float64]:
    """Return the better of both for a time such as `last year`, which depends on who asks when."""
    found = _fits(scene, scene.relative)
    return _placed(scene, None if found is None else np.maximum(found.said, found.told))


@FEATURES.register("tells-when")
def tells_when(scene: Scene) -> NDArray[np.float64]:
    """Return 1 for a turn that tells a time, or how long, where the question asks when."""
    if scene.asked is None or not scene.asked.time or scene.times is None:
        return np.zeros(len(scene))
    return scene.of_turns(scene.times.tells_time | scene.times.tells_length)


@FEATURES.register("tells-how-long")
def tells_how_long(scene: Scene) -> NDArray[np.float64]:
    """Return 1 for a turn that tells a length of time, where the question asks how long."""
    if scene.asked is None or not scene.asked.length or scene.times is None:
        return np.zeros(len(scene))
    return scene.of_turns(scene.times.tells_length)


def _fits(scene: Scene, mentions: Sequence[Interval]) -> Fits | None:
    if not mentions or scene.times is None:
        return None
    return fits(mentions, scene.times, scene.own[scene.own >= 0])


def _placed(scene: Scene, values: NDArray[np.float64] | None) -> NDArray[np.float64]:
    placed = np.zeros(len(scene))
    if values is not None:
        placed[scene.own >= 0] = values
    return placed
