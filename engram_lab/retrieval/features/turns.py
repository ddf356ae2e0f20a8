"""What kind of turn a memory is: whose, a question or an answer, long or short."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.retrieval.features.registry import FEATURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.retrieval.features.scene import Scene

__all__ = [
    "after_question",
    "image",
    "length",
    "names_something",
    "question",
    "speaker",
    "tells_of_oneself",
]

_NAMED: Final = re.compile(r"[a-z,;:] (?!I\b)[A-Z][a-z]")
_OF_ONESELF: Final = re.compile(
    "|".join(rf"{word}(?<!\w{word})\b" for word in ("I", "me", "my", "mine", "we", "our", "us"))
)
"""As whole words. What stands before is looked at last, so that only these letters are met."""


@FEATURES.register("speaker")
def speaker(scene: Scene) -> NDArray[np.float64]:
    """Return 1 where one whom the question names speaks, -1 where another does, else 0."""
    return scene.speakers.astype(np.float64)


@FEATURES.register("question")
def question(scene: Scene) -> NDArray[np.float64]:
    """Return 1 for a turn that ends with a question mark: it asks, and seldom answers."""
    return scene.of_turns(scene.turns.question)


@FEATURES.register("after-question")
def after_question(scene: Scene) -> NDArray[np.float64]:
    """Return 1 for a turn after one that asks."""
    if not len(scene.turns):
        return np.zeros(len(scene))
    asks = scene.turns.question[scene.rows] & (scene.rows >= 0)
    return scene.before(asks.astype(np.float64))


@FEATURES.register("length")
def length(scene: Scene) -> NDArray[np.float64]:
    """Return ln(1 + words)."""
    return scene.of_turns(scene.turns.log_length)


@FEATURES.register("image")
def image(scene: Scene) -> NDArray[np.float64]:
    """Return 1 for a turn that shares an image."""
    return scene.of_turns(scene.turns.image)


@FEATURES.register("tells-of-oneself")
def tells_of_oneself(scene: Scene) -> NDArray[np.float64]:
    """Return 1 for a turn in the first person: what somebody tells of themselves."""
    texts = scene.turns.texts
    told = [row >= 0 and _OF_ONESELF.search(texts[row]) is not None for row in scene.own.tolist()]
    return np.array(told, np.float64)


@FEATURES.register("names-something")
def names_something(scene: Scene) -> NDArray[np.float64]:
    """Return 1 for a turn with a capital inside a sentence: the name of somebody or something."""
    texts = scene.turns.texts
    told = [row >= 0 and _NAMED.search(texts[row]) is not None for row in scene.own.tolist()]
    return np.array(told, np.float64)
