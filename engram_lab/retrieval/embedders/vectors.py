"""What goes into an embedder, and what comes out, is checked here: the same for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast, get_args

import numpy as np

from engram_lab.core.errors import EmbedderError, InvalidInputError, shown
from engram_lab.retrieval.embedders.protocol import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KINDS", "check_kind", "check_texts", "unit_rows"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


def check_texts(texts: object) -> list[str]:
    """Return the texts as a list.

    Raises:
        InvalidInputError: It is a single text, no sequence, or holds what is no text; says where.
    """
    if isinstance(texts, str | bytes):
        raise InvalidInputError(
            f"texts is the single text {shown(texts)}: give a list of texts, such as [text]"
        )
    try:
        rows = list(cast("Any", texts))
    except TypeError:
        raise InvalidInputError(
            f"texts is a {type(texts).__name__}: give a list of texts"
        ) from None
    for row, text in enumerate(rows):
        if not isinstance(text, str):
            raise InvalidInputError(f"the text is a {type(text).__name__}: give a str", row=row)
        if not text.isascii():
            _check_encodable(text, row)
    return rows


def _check_encodable(text: str, row: int) -> None:
    """Refuse half a surrogate pair: no tokenizer and no provider can be sent one."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"the text holds half a surrogate pair at character {error.start}: remove it", row=row
        ) from None


def check_kind(kind: object) -> Kind:
    """Return the kind of texts.

    Raises:
        InvalidInputError: It is unknown.
    """
    for each in KINDS:
        if kind == each:
            return each
    raise InvalidInputError(f"kind is {shown(kind)}: allowed are {', '.join(KINDS)}")


def unit_rows(values: Any, n: int, dim: int) -> NDArray[np.float32]:
    """Return what a model gave as float32 [n, dim] with rows of length 1; rows of zeros stay.

    Args:
        values: Numbers [n, dim], of any type and of any size that is finite.
        n: How many texts there were.
        dim: How many numbers a vector must have.

    Raises:
        EmbedderError: They have another shape, or one of them is NaN or infinite.
    """
    try:
        rows = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise EmbedderError(f"the model gave no table of {n} by {dim} numbers: {error}") from error
    if n == 0 and rows.size == 0:
        return np.empty((0, dim), np.float32)
    if rows.shape != (n, dim):
        raise EmbedderError(
            f"the model gave numbers of the shape {list(rows.shape)} instead of {[n, dim]}: "
            "check which model is set and how many dimensions it has"
        )
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)
    if not np.isfinite(largest).all():
        row = int(np.argmin(np.isfinite(largest[:, 0])))
        raise EmbedderError(f"the model gave NaN or infinity for text {row}: its vector is refused")
    # Divided by the largest first, as the squares of very large or small numbers do not fit.
    rows = rows / np.where(largest == 0, 1, largest)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths == 0, 1, lengths)).astype(np.float32)
