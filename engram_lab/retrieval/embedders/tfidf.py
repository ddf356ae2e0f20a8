"""Words weighted by how rare they are among the texts it was fitted on: small, exact."""

from __future__ import annotations

import hashlib
from collections import Counter
from math import log
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from engram_lab.core.checks import check_limit
from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.embedders.hashing import words_of
from engram_lab.retrieval.embedders.vectors import check_kind, check_texts, unit_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Kind

__all__ = ["TfidfEmbedder"]

_MOST_TERMS: Final = 4096


class TfidfEmbedder:
    """One place for each word of the texts it was fitted on; made by `fit`.

    A text has, for each word t, (1 + ln tf(t)) idf(t), and is then made of length 1;
    idf(t) = ln((1 + n) / (1 + df(t))) + 1, with n texts fitted on, df(t) of them with the word. A
    word that was not among them counts nothing.

    Args:
        idf: The words, in the order of their places, with their weights.

    Source: Salton & Buckley 1988, "Term-Weighting Approaches in Automatic Text Retrieval"; the idf
        is Spärck Jones 1972, smoothed as if one more text held every word.
    """

    def __init__(self, idf: Mapping[str, float]) -> None:
        if not idf:
            raise InvalidInputError("no word is given: fit on texts with at least one word")
        self._places = {term: place for place, term in enumerate(idf)}
        self._idf = np.array(list(idf.values()))
        state = "\n".join(f"{term} {weight!r}" for term, weight in idf.items())
        self._fingerprint = f"tfidf/1/{hashlib.sha256(state.encode()).hexdigest()[:16]}"

    @classmethod
    def fit(cls, texts: Sequence[str], *, most_terms: int = _MOST_TERMS) -> Self:
        """Return the embedder of the words in these texts.

        Args:
            texts: What to learn from; their order does not matter.
            most_terms: Keep so many words at most, those in most texts; ties by the alphabet.

        Raises:
            InvalidInputError: There is no word in them.
        """
        check_limit(most_terms, field="most_terms")
        rows = check_texts(texts)
        holding = Counter(term for text in rows for term in set(words_of(text)))
        kept = sorted(holding, key=lambda term: (-holding[term], term))[:most_terms]
        return cls({term: log((1 + len(rows)) / (1 + holding[term])) + 1 for term in sorted(kept)})

    @property
    def fingerprint(self) -> str:
        """A hash of the words and their weights."""
        return self._fingerprint

    @property
    def dim(self) -> int:
        """How many words were kept."""
        return len(self._idf)

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        """Return float32 [n, dim]; see `Embedder.embed`. A text of unknown words gives zeros."""
        check_kind(kind)
        rows = check_texts(texts)
        values = np.zeros((len(rows), self.dim))
        for row, text in enumerate(rows):
            counts = Counter(word for word in words_of(text) if word in self._places)
            for term, count in counts.items():
                values[row, self._places[term]] = 1 + log(count)
        return unit_rows(values * self._idf, len(rows), self.dim)
