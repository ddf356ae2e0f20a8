"""A question as vectors, and what compares them: the semantic half of a recall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.embedders.checked import embed_checked
from engram_lab.retrieval.features.forms import embedded

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

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
    given: ArrayLike | None = None,
) -> Meaning:
    """Return the question as a vector, where it may be wanted.

    Under `auto` a model that fails is a reason to search by words alone, and is told.

    Args:
        dense: Returns the semantic half, None where there is none by choice.
        wanted: The strategy.
        question: The question.
        forms: It as features compare it; None where none will.
        past: Whether the past is asked, which has no index.
        given: The vector of the question, instead of what the model makes of its text.

    Raises:
        EmbedderError: The strategy wants a vector, and none can be made.
        InvalidInputError: The vector that is given is none that can be compared.
    """
    if wanted == "keyword" and given is not None:
        raise InvalidInputError(
            "a vector was given, and the strategy 'keyword' compares none: say semantic or hybrid"
        )
    if wanted == "keyword" or (wanted == "auto" and question.exact):
        return Meaning()
    try:
        half = dense()
        if half is None:
            return Meaning(obstacle="embedding.model is 'none', so no memory has a vector")
        if wanted == "auto" and not half.index.size and not past:
            return Meaning(half=half)
        if given is not None:
            made, vector = None, _unit(given, half.embedder.dim)
        elif forms is None:
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


def _unit(given: ArrayLike, dim: int) -> NDArray[np.float32]:
    """Return a vector that somebody gave as float32 [dim], of length 1.

    Raises:
        InvalidInputError: It has another shape, is not finite, or has no direction.
    """
    try:
        vector = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError(f"vector is no row of numbers: give [{dim}]") from None
    if vector.shape != (dim,):
        raise InvalidInputError(
            f"vector has the shape {list(vector.shape)}, and the embedder makes [{dim}]: "
            "give one that it made"
        )
    length = np.linalg.norm(vector)
    if not np.isfinite(length) or length == 0:
        raise InvalidInputError("vector holds NaN, infinity or zeros alone: it points nowhere")
    return np.asarray(vector / length, np.float32)
