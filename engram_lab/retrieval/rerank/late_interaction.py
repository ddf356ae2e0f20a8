"""Late interaction: each word of the question looks for its nearest word in a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.retrieval.rerank.pairs import PairReranker, content_of
from engram_lab.retrieval.rerank.token_cache import TokenCache, widened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engram_lab.core.types import Memory
    from engram_lab.retrieval.embedders.protocol import TokenEmbedder

__all__ = ["MaxSim", "late_interaction"]

_CACHE_BYTES: Final = 64 * 2**20


class MaxSim:
    """score(q, d) = Σ idf(i) · max cos(i, j) / Σ idf(i), over the tokens i of q and j of d.

    idf(i) = ln(1 + (N - df(i) + 0.5) / (df(i) + 0.5)). The division keeps scores from -1 to 1 and
    changes no order. A text without tokens has the score 0, as has any text if the question has
    none.

    Source: Khattab and Zaharia, "ColBERT" (SIGIR 2020), equation 3, with the vectors of an encoder
    that was not trained for it; the weights are the inverse document frequency of Robertson and
    Zaragoza, "The Probabilistic Relevance Framework" (2009), equation 3.3, kept above 0.

    Args:
        embedder: Gives the vector of each token.
        frequency: In how many texts a token occurs, spelt as the embedder spells it in
            `TokenVectors.tokens`.
        count: How many texts there are.
        cache_bytes: How much of the texts' token vectors to keep.
    """

    def __init__(
        self,
        embedder: TokenEmbedder,
        *,
        frequency: Callable[[str], int],
        count: Callable[[], int],
        cache_bytes: int = _CACHE_BYTES,
    ) -> None:
        self._embedder = embedder
        self._frequency = frequency
        self._count = count
        self._cache = TokenCache(embedder, most_bytes=cache_bytes)

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the scores of texts; see `PairScorer.score`."""
        scores = np.zeros(len(texts))
        if not texts:
            return scores
        (asked,) = self._embedder.embed_tokens([query], kind="query")
        of_texts = self._cache.of(texts)
        sizes = np.array([len(each) for each in of_texts])
        told = np.flatnonzero(sizes)
        if not asked.tokens or not told.size:
            return scores
        words = widened(np.concatenate([of_texts[at] for at in told]))
        cosines = words @ asked.values.T  # [tokens of all texts, tokens of the question]
        starts = np.concatenate(([0], np.cumsum(sizes[told])[:-1]))
        nearest = np.maximum.reduceat(cosines, starts, axis=0)
        weights = self._idf(asked.tokens)
        scores[told] = nearest.astype(np.float64) @ weights / weights.sum()
        return scores

    def _idf(self, tokens: Sequence[str]) -> NDArray[np.float64]:
        count = self._count()
        known = {token: self._frequency(token) for token in set(tokens)}
        held = np.array([min(known[token], count) for token in tokens], np.float64)
        return np.log1p((count - held + 0.5) / (held + 0.5))


def late_interaction(
    embedder: TokenEmbedder,
    *,
    frequency: Callable[[str], int],
    count: Callable[[], int],
    share: float = 0.5,
    cache_bytes: int = _CACHE_BYTES,
    text_of: Callable[[Memory], str] = content_of,
) -> PairReranker:
    """Return the reranker that mixes `MaxSim` with the scores so far; see `PairReranker`."""
    scorer = MaxSim(embedder, frequency=frequency, count=count, cache_bytes=cache_bytes)
    return PairReranker(scorer=scorer, share=share, name="late_interaction", text_of=text_of)
