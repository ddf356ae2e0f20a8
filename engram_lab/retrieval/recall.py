"""Recall: text in, ranked hits out. It reads, and never writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engram_lab.core.errors import EmbedderError
from engram_lab.retrieval.budget import within_budget
from engram_lab.retrieval.hits import Hits
from engram_lab.retrieval.marking import marked
from engram_lab.retrieval.meant import meant_by
from engram_lab.retrieval.past import Bm25, Past
from engram_lab.retrieval.present import Present
from engram_lab.retrieval.question import Question, check_k
from engram_lab.retrieval.strategy import Evidence, choose

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.config import RetrievalSettings
    from engram_lab.config.retrieval import Strategy
    from engram_lab.core.clock import Clock
    from engram_lab.core.protocols import Store
    from engram_lab.core.selection import Selection
    from engram_lab.retrieval.dense import DenseIndex
    from engram_lab.retrieval.embedders import Embedder
    from engram_lab.retrieval.lexical.index import LexicalIndex
    from engram_lab.retrieval.ordering import Ordering
    from engram_lab.retrieval.ranking import Ranking
    from engram_lab.retrieval.strategy import Chosen
    from engram_lab.retrieval.suggest import Suggestion

__all__ = ["Dense", "Recaller"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dense:
    """The semantic half: what makes vectors, and the index of those of the memories."""

    embedder: Embedder
    index: DenseIndex


class Recaller:
    """Answers questions from one store, whoever asks.

    Args:
        lexical: Returns the index of words, brought up to date.
        dense: Returns the semantic half, brought up to date; None where there is none by choice;
            raises `EmbedderError` where it cannot be had.
        ordering: Makes one order of what the arms found.
        settings: See `RetrievalSettings`.
        clock: Tells the time.
    """

    def __init__(
        self,
        lexical: Callable[[], LexicalIndex],
        dense: Callable[[], Dense | None],
        ordering: Callable[[], Ordering],
        settings: RetrievalSettings,
        *,
        clock: Clock,
    ) -> None:
        self._lexical = lexical
        self._dense = dense
        self._ordering = ordering
        self._settings = settings
        self._clock = clock

    def recall(
        self,
        view: Store,
        query: str,
        k: int,
        selection: Selection,
        *,
        strategy: Strategy | None = None,
        token_budget: int | None = None,
        explain: bool = False,
    ) -> Hits:
        """Return the `k` best memories of a selection.

        Args:
            view: The store as whoever asks may reach it.
            query: Free text.
            k: How many at most.
            selection: Of the present, or of the past.
            strategy: Else as set.
            token_budget: Leave out what goes beyond so many tokens; see `retrieval.budget`.
            explain: Also show where the words of the question stand.

        Raises:
            InvalidInputError: A bad query, `k`, strategy, budget or selection.
            EmbedderError: The semantic arm was told to search, and no vector could be made.
        """
        check_k(k)
        lexical = self._lexical()
        question = Question.of(query, lexical.analyser)
        wanted = self._settings.strategy if strategy is None else strategy
        chosen, dense, vector = self._choose(
            wanted, question, lexical, past=selection.as_of is not None
        )
        place = self._place(view, selection, lexical, dense)
        depth = max(k, self._settings.depth)
        arms: dict[str, Ranking] = {}
        if chosen.strategy != "semantic":
            arms["keyword"] = place.by_words(question, depth)
        if vector is not None:
            arms["semantic"] = place.by_meaning(vector, depth)
        hits = self._ordering().order(question.text, arms, k, lookup=place, now=self._clock.now())
        kept, left_out = within_budget(hits, token_budget)
        by_words = arms.get("keyword", ())
        lost = len(by_words) < k and wanted != "semantic" and selection.as_of is None
        return Hits(
            [marked(hit, question, lexical.analyser) for hit in kept] if explain else kept,
            query=question.text,
            strategy=chosen.strategy,
            reason=chosen.reason,
            suggestions=meant_by(view, question.text, selection, lexical) if lost else (),
            embedder=dense.embedder.fingerprint if dense and vector is not None else None,
            left_out=left_out,
        )

    def suggest(self, view: Store, query: str, selection: Selection) -> tuple[Suggestion, ...]:
        """Return known words for those of a question that no memory holds; see `meant_by`.

        Raises:
            InvalidInputError: A bad query, or `as_of` in the selection.
        """
        lexical = self._lexical()
        return meant_by(view, Question.of(query, lexical.analyser).text, selection, lexical)

    def _place(
        self, view: Store, selection: Selection, lexical: LexicalIndex, dense: Dense | None
    ) -> Present | Past:
        """Return where is searched."""
        if selection.as_of is not None:
            chosen = self._settings
            bm25 = Bm25(analyser=lexical.analyser, k1=chosen.bm25_k1, b=chosen.bm25_b)
            return Past.of(view, selection, bm25, dense.embedder if dense else None)
        return Present(
            view=view,
            selection=selection,
            lexical=None if self._settings.lexical == "fts5" else lexical,
            index=dense.index if dense else None,
            embedder=dense.embedder.fingerprint if dense else None,
        )

    def _choose(
        self, wanted: Strategy, question: Question, lexical: LexicalIndex, *, past: bool
    ) -> tuple[Chosen, Dense | None, NDArray[np.float32] | None]:
        """Return the strategy, the semantic half, and the vector of the question if it is used.

        Under `auto` a model that fails is a reason to search by words alone, and is told.
        """
        if wanted == "keyword":
            return choose(wanted, question, Evidence()), None, None
        try:
            dense = self._dense()
            evidence = _evidence(question, lexical, dense, past=past)
            chosen = choose(wanted, question, evidence)
            if dense is None or chosen.strategy == "keyword":
                return chosen, dense, None
            return chosen, dense, dense.embedder.embed([question.text], kind="query")[0]
        except EmbedderError as error:
            if wanted != "auto":
                raise
            return choose(wanted, question, Evidence(obstacle=str(error))), None, None


def _evidence(
    question: Question, lexical: LexicalIndex, dense: Dense | None, *, past: bool
) -> Evidence:
    if dense is None:
        return Evidence(obstacle="embedding.model is 'none', so no memory has a vector")
    if past:  # what the indexes hold is the present
        return Evidence(known_terms=len(question.terms), vectors=1)
    known = sum(lexical.df(term) > 0 for term in question.terms)
    return Evidence(known_terms=known, vectors=dense.index.size)
