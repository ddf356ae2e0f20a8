"""The present, as the arms search it: through the indexes, within a selection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from engram_lab.retrieval.keyword import query_words, rank_by_text
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.succession import SUPERSEDES
from engram_lab.retrieval.within import ranked_within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.core.protocols import LinkRows, Store
    from engram_lab.core.selection import Selection
    from engram_lab.core.types import Memory
    from engram_lab.retrieval.dense import DenseIndex
    from engram_lab.retrieval.lexical.index import LexicalIndex
    from engram_lab.retrieval.question import Question
    from engram_lab.retrieval.surroundings import Surroundings
    from engram_lab.retrieval.within import Search

__all__ = ["Present"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Present:
    """The memories of a selection, as they are.

    Attributes:
        view: The store as whoever asks may reach it.
        selection: Of the present.
        lexical: The index of words; None for the store's own.
        index: The index of vectors.
        embedder: Fingerprint of what made them.
        hidden: What the selection leaves out, where that is little.
    """

    view: Store
    selection: Selection
    lexical: LexicalIndex | None
    index: DenseIndex | None
    embedder: str | None
    hidden: NDArray[np.int64] | None

    def by_words(self, question: Question, k: int) -> Ranking:
        """Return the best `k` that hold any of the words, by BM25."""
        if question.exact:
            return rank_by_text(self.view, question.exact, self.selection, k)
        if self.lexical is None or not question.terms:  # stop words stand in the text index alone
            return rank_by_text(self.view, query_words(question.text), self.selection, k)
        search = partial(self.lexical.search, question.terms)
        return self._within(search, k)

    def by_meaning(self, query: NDArray[np.float32], k: int) -> Ranking:
        """Return the best `k` by the cosine to a query, float32 [dim]."""
        if self.index is None:
            return Ranking.empty()
        search = partial(self.index.search, query)
        return self._within(search, k)

    def _within(self, search: Search, k: int) -> Ranking:
        return ranked_within(search, self.view.corpus, self.selection, k, hidden=self.hidden)

    def fetch(self, keys: NDArray[np.int64]) -> Sequence[Memory | None]:
        """Return the memories in the order of keys, None where the selection holds none."""
        return self.view.corpus.fetch(keys, self.selection)

    def around(
        self, surroundings: Surroundings, question: str, found: Ranking
    ) -> Mapping[str, Ranking]:
        """Return what lies around what was found, as more arms."""
        return surroundings.arms(self.view.corpus, question, found, self.selection)

    def newer(self, keys: NDArray[np.int64]) -> LinkRows:
        """Return the links to memories from what superseded them, as they hold when asked for."""
        valid_at = self.selection.valid_at
        return self.view.corpus.links(keys, valid_at=valid_at, types=(SUPERSEDES,))

    def vectors(self, memories: Sequence[Memory]) -> list[NDArray[np.float32] | None]:
        """Return the vectors of memories, None where there is none."""
        if self.embedder is None:
            return [None] * len(memories)
        found = self.view.vectors.get(self.embedder, [each.id for each in memories])
        return [None if each is None else each.values for each in found]
