"""MaxSim from codes: for each word of a question, how near the nearest word of a text is.

Source: Khattab and Zaharia, "ColBERT" (SIGIR 2020), equation 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.tokens.table import TokenTable

__all__ = ["inverse_frequencies", "nearest", "weighted_mean"]


def nearest(
    table: TokenTable, asked: NDArray[np.float32], texts: Sequence[str]
) -> NDArray[np.float32]:
    """Return the highest cosine that each token of a question has with a token of each text.

    Several questions can be asked at once, their tokens one below the other: every column is by
    itself.

    Args:
        table: Has the texts' tokens, or makes them.
        asked: float32 [q, dim], unit rows: the tokens of the question.
        texts: n of them.

    Returns:
        float32 [n, q] from -1 to 1; a row of zeros for a text without tokens.

    Raises:
        InvalidInputError: `asked` has another shape, or the tokens of the texts another dimension.
        EmbedderError: The embedder failed.
    """
    if asked.ndim != 2:  # noqa: PLR2004
        raise InvalidInputError(f"asked has the shape {list(asked.shape)}: give float32 [q, dim]")
    found = np.zeros((len(texts), len(asked)), np.float32)
    codes = table.of(texts)
    lengths = np.fromiter(map(len, codes), np.int64, len(codes))
    told = np.flatnonzero(lengths)
    if not len(asked) or not told.size:
        return found
    width = table.codec.width(asked.shape[1])
    if table.dim not in {None, asked.shape[1]} or (lengths % width).any():
        raise InvalidInputError(
            f"the tokens of a text are no rows of {asked.shape[1]} numbers: ask with the embedder "
            "that the table has"
        )
    rows = np.frombuffer(b"".join(codes), np.uint8).reshape(-1, width)
    cosines = table.codec.cosines(rows, np.asarray(asked, np.float32))  # [tokens of all texts, q]
    sizes = lengths[told] // width
    found[told] = np.maximum.reduceat(cosines, np.cumsum(sizes) - sizes, axis=0)
    return found


def inverse_frequencies(
    tokens: Sequence[str], *, frequency: Callable[[str], int], count: int
) -> NDArray[np.float64]:
    """Return how much tokens say, by how rare they are: float64 [q], above 0.

    idf(i) = ln(1 + (N - df(i) + 0.5) / (df(i) + 0.5)).

    Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), equation 3.3,
        with 1 added under the logarithm.

    Args:
        tokens: q of them.
        frequency: In how many texts a token occurs; never taken for more than `count`.
        count: N, how many texts there are.
    """
    known = {token: min(frequency(token), count) for token in set(tokens)}
    held = np.array([known[token] for token in tokens], np.float64)
    return np.log1p((count - held + 0.5) / (held + 0.5))


def weighted_mean(near: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Σ weight · near / Σ weight: float64 [n], zeros where nothing is asked.

    Args:
        near: float32 [n, q]; see `nearest`.
        weights: float64 [q], above 0.
    """
    if not len(weights):
        return np.zeros(len(near))
    means: NDArray[np.float64] = near.astype(np.float64) @ weights / weights.sum()
    return means
