"""Recall: text in, ranked hits out. It reads, and never writes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import EmbedderError
from engram_lab.retrieval.budget import within_budget
from engram_lab.retrieval.embedders.checked import embed_checked
from engram_lab.retrieval.hits import Hits
from engram_lab.retrieval.marking import marked
from engram_lab.retrieval.meant import meant_by
from engram_lab.retrieval.past import Bm25, Past
from engram_lab.retrieval.present import Present
from engram_lab.retrieval.question import Question, check_k
from engram_lab.retrieval.strategy import Evidence, check_strategy, choose

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

_MOST_HIDDEN: Final = 100
"""So many more are searched for, where any is met; for more it pays to look each one up."""


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
        k = check_k(k)
        wanted = self._settings.strategy if strategy is None else strategy
        check_strategy(wanted)
        lexical = self._lexical()
        question = Question.of(query, lexical.analyser)
        dense = self._meaning(wanted, question, past=selection.as_of is not None)
        place = self._place(view, selection, lexical, dense.half)
        chosen, arms = _searched(wanted, question, place, dense, max(k, self._settings.depth))
        hits = self._ordering().order(question.text, arms, k, lookup=place, now=self._clock.now())
        kept, left_out = within_budget(hits, token_budget)
        by_words = arms.get("keyword", ())
        lost = len(by_words) < k and wanted != "semantic" and selection.as_of is None
        return Hits(
            [marked(hit, question, lexical.analyser) for hit in kept] if explain else kept,
            query=question.text,
            strategy=chosen.strategy,
            reason=chosen.reason,
            suggestions=partial(self._offered, view, question, selection) if lost else (),
            embedder=dense.half.embedder.fingerprint if dense.half and "semantic" in arms else None,
            left_out=left_out,
        )

    def suggest(self, view: Store, query: str, selection: Selection) -> tuple[Suggestion, ...]:
        """Return known words for those of a question that no memory holds; see `meant_by`.

        Raises:
            InvalidInputError: A bad query, or `as_of` in the selection.
        """
        question = Question.of(query, self._lexical().analyser)
        return self._offered(view, question, selection)

    def _offered(
        self, view: Store, question: Question, selection: Selection
    ) -> tuple[Suggestion, ...]:
        return meant_by(view, question, selection, self._lexical())

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
            hidden=view.corpus.hidden(selection, most=_MOST_HIDDEN),
        )

    def _meaning(self, wanted: Strategy, question: Question, *, past: bool) -> _Meaning:
        """Return the question as a vector, where it may be wanted.

        Under `auto` a model that fails is a reason to search by words alone, and is told.
        """
        if wanted == "keyword" or (wanted == "auto" and question.exact):
            return _Meaning()
        try:
            half = self._dense()
            if half is None:
                return _Meaning(obstacle="embedding.model is 'none', so no memory has a vector")
            if wanted == "auto" and not half.index.size and not past:
                return _Meaning(half=half)
            vector = embed_checked(half.embedder, [question.text], kind="query")[0]
        except EmbedderError as error:
            if wanted != "auto":
                raise
            return _Meaning(obstacle=str(error))
        if not vector.any():
            return _Meaning(obstacle="nothing in the question can be made a vector of")
        return _Meaning(half=half, vector=vector)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Meaning:
    """The semantic half, and the vector of the question, or why there is none."""

    half: Dense | None = None
    vector: NDArray[np.float32] | None = None
    obstacle: str | None = None


def _searched(
    wanted: Strategy, question: Question, place: Present | Past, meaning: _Meaning, depth: int
) -> tuple[Chosen, dict[str, Ranking]]:
    """Return which arms searched, and what they found."""
    arms: dict[str, Ranking] = {}
    if wanted != "semantic":
        arms["keyword"] = place.by_words(question, depth)
    obstacle = meaning.obstacle
    if meaning.vector is not None:
        try:
            arms["semantic"] = place.by_meaning(meaning.vector, depth)
        except EmbedderError as error:  # the past is embedded for the occasion
            if wanted != "auto":
                raise
            obstacle = str(error)
    evidence = Evidence(
        found=len(arms.get("keyword", ())),
        vectors=len(arms.get("semantic", ())),
        obstacle=obstacle,
    )
    chosen = choose(wanted, question, evidence)
    if chosen.strategy != "hybrid":  # an arm that has nothing to say is no part of the answer
        arms = {name: found for name, found in arms.items() if name == chosen.strategy}
    return chosen, arms
