"""A question as vectors, and what compares them: the semantic half of a recall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engram_lab.core.errors import EmbedderError
from engram_lab.retrieval.embedders.checked import embed_checked
from engram_lab.retrieval.features.forms import embedded

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.config.retrieval import Strategy
    from engram_lab.retrieval.dense import DenseIndex
    from engram_lab.retrieval.embedders import Embedder
    from engram_lab.retrieval.features.forms import Embedded, Forms
    from engram_lab.retrieval.question import Question
    from engram_lab.retrieval.tokens import TokenTable

__all__ = ["Dense", "Meaning", "meaning_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dense:
    """The semantic half: what makes vectors, and the index of those of the memories."""

    embedder: Embedder
    index: DenseIndex
    tokens: TokenTable | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    """The semantic half, and the vector of the question, or why there is none.

    Where features may look at it, its other forms as well.
    """

    half: Dense | None = None
    vector: NDArray[np.float32] | None = None
    forms: Embedded | None = None
    obstacle: str | None = None


def meaning_of(
    dense: Callable[[], Dense | None],
    wanted: Strategy,
    question: Question,
    forms: Forms | None,
    *,
    past: bool,
) -> Meaning:
    """Return the question as a vector, where it may be wanted.

    Under `auto` a model that fails is a reason to search by words alone, and is told.

    Args:
        dense: Returns the semantic half, None where there is none by choice.
        wanted: The strategy.
        question: The question.
        forms: It as features compare it; None where none will.
        past: Whether the past is asked, which has no index.

    Raises:
        EmbedderError: The strategy wants a vector, and none can be made.
    """
    if wanted == "keyword" or (wanted == "auto" and question.exact):
        return Meaning()
    try:
        half = dense()
        if half is None:
            return Meaning(obstacle="embedding.model is 'none', so no memory has a vector")
        if wanted == "auto" and not half.index.size and not past:
            return Meaning(half=half)
        if forms is None:
            made = None
            vector = embed_checked(half.embedder, [question.text], kind="query")[0]
        else:
            made = embedded(forms, half.embedder, with_tokens=half.tokens is not None)
            vector = made.vectors["asked"]
    except EmbedderError as error:
        if wanted != "auto":
            raise
        return Meaning(obstacle=str(error))
    if not vector.any():
        return Meaning(obstacle="nothing in the question can be made a vector of")
    return Meaning(half=half, vector=vector, forms=made)
