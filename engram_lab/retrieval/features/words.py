"""How the words of a question stand in a memory, in the turns beside it, and in its session.

A word is worth what BM25 gives for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.retrieval.features.registry import FEATURES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.retrieval.features.scene import Scene

__all__ = [
    "words",
    "words_of_session",
    "words_of_window",
    "words_without_names",
]


@FEATURES.register("words")
def words(scene: Scene) -> NDArray[np.float64]:
    """Return BM25 of the whole question."""
    total: NDArray[np.float64] = scene.words[: len(scene)].sum(axis=1)
    return total


@FEATURES.register("words-without-names")
def words_without_names(scene: Scene) -> NDArray[np.float64]:
    """Return BM25 of the words that name no speaker: a turn that holds a name speaks to its bearer.

    "Thanks, Melanie!" is what Melanie did not say.
    """
    total: NDArray[np.float64] = scene.words[: len(scene)][:, ~scene.names].sum(axis=1)
    return total


@FEATURES.register("words-of-window")
def words_of_window(scene: Scene) -> NDArray[np.float64]:
    """Return the same, each word counted where it is worth most: before, here or after."""
    total: NDArray[np.float64] = scene.greatest(scene.words[:, ~scene.names], after=True).sum(
        axis=1
    )
    return total


@FEATURES.register("words-of-session")
def words_of_session(scene: Scene) -> NDArray[np.float64]:
    """Return the mean of the same over the three best turns of the session."""
    return scene.of_sessions(scene.words[:, ~scene.names].sum(axis=1))
