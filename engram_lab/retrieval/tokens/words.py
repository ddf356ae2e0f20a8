"""Which tokens of a text are worth a vector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import TokenVectors

__all__ = ["WORDS", "worded"]

WORDS: Final = "words-1"
"""The name of this choice: what was chosen otherwise is of no use."""


def worded(vectors: TokenVectors) -> NDArray[np.float32]:
    """Return the vectors of tokens that hold a letter or a digit, all where none does.

    A fifth of the tokens of what people say to each other is punctuation. Its vectors are as near
    to any word of the sentence as to another full stop: without them less is stored, and texts are
    found slightly better.

    Returns:
        float32 [m, dim], in their order.
    """
    kept = _places(vectors.tokens)
    return vectors.values[kept] if 0 < len(kept) < len(vectors.tokens) else vectors.values


def _places(tokens: Sequence[str]) -> list[int]:
    return [at for at, token in enumerate(tokens) if any(map(str.isalnum, token))]
