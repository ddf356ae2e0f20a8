"""Recall in the past: over what the store held at a moment, which no index holds.

Every text of that state is read, so it costs as much as the store is large. Statistics of words are
those of all that could be read then, as they would have been then. A memory that has not changed
since is compared by the vector it has; the others are embedded for the occasion.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from engram_lab.core.protocols import LinkRows
from engram_lab.core.selection import Selection
from engram_lab.core.text import public_text
from engram_lab.retrieval.dense.exact import inner_products
from engram_lab.retrieval.embedders.checked import embed_checked
from engram_lab.retrieval.lexical.bm25 import idf, saturation
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from engram_lab.core.protocols import Store
    from engram_lab.core.types import Memory
    from engram_lab.retrieval.embedders import Embedder
    from engram_lab.retrieval.lexical.analyser import Analyser
    from engram_lab.retrieval.question import Question
    from engram_lab.retrieval.surroundings import Surroundings

__all__ = ["Bm25", "Past"]

_PAGE: Final = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Bm25:
    """How texts become words, and with which parameters they are scored."""

    analyser: Analyser
    k1: float
    b: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """The memories of a selection as they were; each is known by its place, counted from 1."""

    view: Store
    selection: Selection
    memories: tuple[Memory, ...]
    bm25: Bm25
    embedder: Embedder | None

    @classmethod
    def of(cls, view: Store, selection: Selection, bm25: Bm25, embedder: Embedder | None) -> Self:
        """Return what a selection with `as_of` holds, in the order of ids.

        Args:
            view: The store as whoever asks may reach it.
            selection: Of the past.
            bm25: How texts become words, and are scored.
            embedder: Makes the vectors.
        """
        memories = tuple(_selected(view, selection))
        return cls(view=view, selection=selection, memories=memories, bm25=bm25, embedder=embedder)

    def by_words(self, question: Question, k: int) -> Ranking:
        """Return the best `k` by BM25 over these texts; see `lexical.bm25`.

        Phrases and beginnings are but words here.
        """
        terms_of = self.bm25.analyser.terms
        texts = (*self.memories, *self._others())
        counts = [Counter(terms_of(_indexed(each))) for each in texts]
        lengths = np.array([each.total() for each in counts], np.int64)
        scores = np.zeros(len(counts))
        average = float(lengths.mean()) if lengths.any() else 1.0
        by_term = {
            term: np.array([each[term] for each in counts], np.int64) for term in question.terms
        }
        # The rarest first, as in the index: a sum depends on its order in the last bits.
        for _, tf in sorted(by_term.items(), key=lambda each: (np.count_nonzero(each[1]), each[0])):
            at = np.flatnonzero(tf)
            if at.size:
                share = saturation(tf[at], lengths[at], average, k1=self.bm25.k1, b=self.bm25.b)
                scores[at] += idf(len(at), len(counts)) * share
        found = np.flatnonzero(scores[: len(self.memories)])
        return Ranking.of(found + 1, scores[found], limit=k)

    def _others(self) -> list[Memory]:
        """Return what could be read then beside the selection: its words count for statistics."""
        wide = Selection(as_of=self.selection.as_of, archived=True)
        known = {memory.id for memory in self.memories}
        return [memory for memory in _selected(self.view, wide) if memory.id not in known]

    def by_meaning(self, query: NDArray[np.float32], k: int) -> Ranking:
        """Return the best `k` by the cosine to a query, float32 [dim]."""
        if not self.memories:
            return Ranking.empty()
        scores = inner_products(self._all_vectors(query.shape[0]), query)
        return Ranking.of(np.arange(1, len(scores) + 1), scores, limit=k)

    def _all_vectors(self, dim: int) -> NDArray[np.float32]:
        """Return float32 [n, dim]: what is stored of a text that stands unchanged, else anew."""
        values = np.zeros((len(self.memories), dim), np.float32)
        if self.embedder is None:
            return values
        anew: list[int] = []
        for at, known in enumerate(self.vectors(self.memories)):
            if known is None:
                anew.append(at)
            else:
                values[at] = known
        if anew:
            texts = [public_text(self.memories[at].content) for at in anew]
            values[anew] = embed_checked(self.embedder, texts, kind="document")
        return values

    def fetch(self, keys: NDArray[np.int64]) -> list[Memory | None]:
        """Return the memories at places."""
        return [self.memories[key - 1] for key in keys.tolist()]

    def around(
        self,
        surroundings: Surroundings,  # noqa: ARG002 - links and turns are kept of the present alone
        question: str,  # noqa: ARG002
        found: Ranking,  # noqa: ARG002
    ) -> Mapping[str, Ranking]:
        """Return no more arms."""
        return {}

    def newer(self, keys: NDArray[np.int64]) -> LinkRows:  # noqa: ARG002 - as in `around`
        """Return no links."""
        nothing = np.empty(0, np.int64)
        return LinkRows(from_keys=nothing, to_keys=nothing, weights=np.empty(0))

    def vectors(self, memories: Sequence[Memory]) -> list[NDArray[np.float32] | None]:
        """Return the stored vectors of memories whose text is the same today, None for others."""
        if self.embedder is None:
            return [None] * len(memories)
        ids = [each.id for each in memories]
        today = self.view.memories.get_many(ids)
        stored = self.view.vectors.get(self.embedder.fingerprint, ids)
        return [
            vector.values if vector and now and public_text(then.content) == now.content else None
            for then, now, vector in zip(memories, today, stored, strict=True)
        ]


def _selected(view: Store, selection: Selection) -> Iterator[Memory]:
    cursor = None
    while True:
        page = view.memories.select(selection, limit=_PAGE, cursor=cursor)
        yield from page.memories
        cursor = page.next_cursor
        if cursor is None:
            return


def _indexed(memory: Memory) -> str:
    return " ".join((public_text(memory.content), *memory.tags))
