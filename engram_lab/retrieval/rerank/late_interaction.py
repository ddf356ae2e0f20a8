"""Late interaction: each word of the question looks for its nearest word in a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.retrieval.rerank.pairs import PairReranker, content_of
from engram_lab.retrieval.tokens.codec import HalfFloats
from engram_lab.retrieval.tokens.maxsim import inverse_frequencies, nearest, weighted_mean
from engram_lab.retrieval.tokens.table import TokenTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engram_lab.core.types import Memory
    from engram_lab.retrieval.embedders.protocol import TokenEmbedder

__all__ = ["MaxSim", "late_interaction"]

_CACHE_BYTES: Final = 64 * 2**20


class MaxSim:
    """score(q, d) = Σ idf(i) · max cos(i, j) / Σ idf(i), over the tokens i of q and j of d.

    The division keeps scores from -1 to 1 and changes no order. A text without tokens has the score
    0, as has any text if the question has none. Tokens j of punctuation alone are left out where
    there are others.

    Source: Khattab and Zaharia, "ColBERT" (SIGIR 2020), equation 3, with the vectors of an encoder
    that was not trained for it; for the weights see `inverse_frequencies`.

    Args:
        embedder: Gives the vector of each token.
        frequency: In how many texts a token occurs, spelt as the embedder spells it in
            `TokenVectors.tokens`.
        count: How many texts there are.
        cache_bytes: How much of the texts' token vectors to keep, as half floats, where there is no
            table.
        table: Has the texts' tokens, of the same embedder; a new one in memory unless given.
    """

    def __init__(
        self,
        embedder: TokenEmbedder,
        *,
        frequency: Callable[[str], int],
        count: Callable[[], int],
        cache_bytes: int = _CACHE_BYTES,
        table: TokenTable | None = None,
    ) -> None:
        self._embedder = embedder
        self._frequency = frequency
        self._count = count
        if table is None:
            table = TokenTable(embedder, codec=HalfFloats(), most_bytes=cache_bytes)
        self._table = table

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the scores of texts; see `PairScorer.score`."""
        if not texts:
            return np.zeros(0)
        (asked,) = self._embedder.embed_tokens([query], kind="query")
        if not asked.tokens:
            return np.zeros(len(texts))
        weights = inverse_frequencies(asked.tokens, frequency=self._frequency, count=self._count())
        return weighted_mean(nearest(self._table, asked.values, texts), weights)


def late_interaction(
    embedder: TokenEmbedder,
    *,
    frequency: Callable[[str], int],
    count: Callable[[], int],
    share: float = 0.5,
    cache_bytes: int = _CACHE_BYTES,
    table: TokenTable | None = None,
    text_of: Callable[[Memory], str] = content_of,
) -> PairReranker:
    """Return the reranker that mixes `MaxSim` with the scores so far; see `PairReranker`."""
    scorer = MaxSim(
        embedder, frequency=frequency, count=count, cache_bytes=cache_bytes, table=table
    )
    return PairReranker(scorer=scorer, share=share, name="late_interaction", text_of=text_of)
