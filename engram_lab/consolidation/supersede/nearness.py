"""How near frames are by meaning: by vectors of the frames, each once, else by their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engram_lab.consolidation.merge.words import FUNCTION_WORDS
from engram_lab.consolidation.supersede.forms import root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.consolidation.step import Nearest

__all__ = ["alike"]

_LITTLE = FUNCTION_WORDS


def alike(texts: Sequence[tuple[str, str]], nearest: Nearest | None) -> NDArray[np.float64]:
    """Return how near the frames of pairs are, float64 [pairs]; 1 where they are equal.

    Only frames that differ from one they are compared with are encoded, each once.
    """
    found = np.ones(len(texts), np.float64)
    apart = [at for at, (one, other) in enumerate(texts) if one != other]
    if not apart:
        return found
    if nearest is None:
        found[apart] = [_by_words(*texts[at]) for at in apart]
        return found
    unique = {text: at for at, text in enumerate(sorted({t for at in apart for t in texts[at]}))}
    vectors = nearest.encode(list(unique))
    ones = vectors[[unique[texts[at][0]] for at in apart]]
    others = vectors[[unique[texts[at][1]] for at in apart]]
    found[apart] = np.einsum("nd,nd->n", ones, others)
    return found


def _by_words(one: str, other: str) -> float:
    """Return twice the shared words by all of them (Dice), 0 to 1."""
    ours, theirs = ({root(word) for word in each.split()} - _LITTLE for each in (one, other))
    total = len(ours) + len(theirs)
    return 2 * len(ours & theirs) / total if total else 0.0
