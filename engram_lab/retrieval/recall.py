"""Recall: text in, ranked hits out. It reads, and never writes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.errors import EmbedderError
from engram_lab.retrieval.budget import within_budget
from engram_lab.retrieval.features import features_of
from engram_lab.retrieval.features.forms import Forms
from engram_lab.retrieval.features.gathering import Gathering, Semantic
from engram_lab.retrieval.hits import Hits
from engram_lab.retrieval.learned.model import model_of
from engram_lab.retrieval.marking import marked
from engram_lab.retrieval.meaning import Dense, meaning_of
from engram_lab.retrieval.meant import meant_by
from engram_lab.retrieval.past import Bm25, Past
from engram_lab.retrieval.present import Present
from engram_lab.retrieval.profiles import NEUTRAL, Profiles
from engram_lab.retrieval.question import Question, check_k
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.strategy import (
    NO_MEMORIES,
    NO_VECTORS,
    Evidence,
    check_strategy,
    choose,
)
from engram_lab.retrieval.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike

    from engram_lab.config import RetrievalSettings
    from engram_lab.config.retrieval import Strategy
    from engram_lab.core.clock import Clock
    from engram_lab.core.protocols import Store
    from engram_lab.core.selection import Selection
    from engram_lab.retrieval.features import Scene
    from engram_lab.retrieval.features.known import Conversations
    from engram_lab.retrieval.hits import Hit
    from engram_lab.retrieval.lexical.index import LexicalIndex
    from engram_lab.retrieval.meaning import Meaning
    from engram_lab.retrieval.ordering import Ordering
    from engram_lab.retrieval.profiles import ChosenProfile
    from engram_lab.retrieval.strategy import Chosen
    from engram_lab.retrieval.suggest import Suggestion

__all__ = ["Dense", "Recaller"]

_MOST_HIDDEN: Final = 100
"""So many more are searched for, where any is met; for more it pays to look each one up."""


class Recaller:
    """Answers questions from one store, whoever asks.

    Args:
        lexical: Returns the index of words, brought up to date.
        dense: Returns the semantic half, brought up to date; None where there is none by choice;
            raises `EmbedderError` where it cannot be had.
        ordering: Makes one order of what the arms found.
        conversations: Knows the turns of the store, for the profiles that look at them.
        settings: See `RetrievalSettings`.
        clock: Tells the time.
    """

    def __init__(
        self,
        lexical: Callable[[], LexicalIndex],
        dense: Callable[[], Dense | None],
        ordering: Callable[[], Ordering],
        conversations: Conversations,
        settings: RetrievalSettings,
        *,
        clock: Clock,
    ) -> None:
        self._lexical = lexical
        self._dense = dense
        self._ordering = ordering
        self._conversations = conversations
        self._profiles = Profiles(settings)
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
        vector: ArrayLike | None = None,
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
            vector: What the semantic arm looks for, instead of what the text means; features, which
                compare the text, take no part then.

        Raises:
            InvalidInputError: A bad query, `k`, strategy, budget, vector or selection.
            EmbedderError: The semantic arm was told to search, and no vector could be made.
        """
        k = check_k(k)
        wanted = self._settings.strategy if strategy is None else strategy
        check_strategy(wanted)
        lexical = self._lexical()
        question = Question.of(query, lexical.analyser)
        past = selection.as_of is not None
        forms = None if vector is not None else self._forms(wanted, view, question, past=past)
        dense = meaning_of(self._dense, wanted, question, forms, past=past, given=vector)
        place = self._place(view, selection, lexical, dense.half)
        chosen, arms = _searched(wanted, question, place, dense, max(k, self._settings.depth))
        profile = self._profile(forms, arms, dense)
        try:
            features = self._features(question, forms, place, lexical, dense, arms, profile)
        except EmbedderError as error:  # it made a vector of the question, and then no more
            if wanted != "auto":
                raise
            features, profile = {}, replace(NEUTRAL, reason=f"neutral profile: {error}")
        if profile.record is not None and not features:
            profile = replace(NEUTRAL, reason="neutral profile: no weighted feature can be told")
        hits = self._ordered(question, place, arms, features, profile, k)
        kept, left_out = within_budget(hits, token_budget)
        by_words = arms.get("keyword", ())
        if (
            chosen.reason == NO_VECTORS
            and selection.also(as_of=None).is_narrow  # the past is told of as a copy of it
            and not view.memories.count(selection)
        ):
            chosen = replace(chosen, reason=NO_MEMORIES)
        lost = len(by_words) < k and wanted != "semantic" and selection.as_of is None
        return Hits(
            [marked(hit, question, lexical.analyser) for hit in kept] if explain else kept,
            query=question.text,
            strategy=chosen.strategy,
            reason="; ".join(filter(None, (chosen.reason, profile.reason))),
            profile=profile.name,
            suggestions=partial(self._offered, view, question, selection) if lost else (),
            embedder=dense.half.embedder.fingerprint if dense.half and "semantic" in arms else None,
            left_out=left_out,
        )

    def scene(self, view: Store, query: str, selection: Selection) -> Scene | None:
        """Return what features look at when a question is asked; None where no arm finds anything.

        Raises what `recall` does.
        """
        lexical = self._lexical()
        question = Question.of(query, lexical.analyser)
        forms = Forms.of(question.text, self._conversations.known(), view.corpus)
        dense = meaning_of(self._dense, "auto", question, forms, past=False)
        place = self._place(view, selection, lexical, dense.half)
        _, arms = _searched("auto", question, place, dense, self._settings.depth)
        if not isinstance(place, Present) or not any(map(len, arms.values())):
            return None
        return self._scene(question, forms, place, lexical, dense, arms)

    def _forms(
        self, wanted: Strategy, view: Store, question: Question, *, past: bool
    ) -> Forms | None:
        """Return the question as features compare it: those of the present, and of both arms."""
        told = wanted in {"keyword", "semantic"} or bool(question.exact)
        if told or past or not self._profiles.looks_at_turns:
            return None
        if self._settings.profile == "auto" and not len(self._conversations.turns()):
            return None  # without turns it is neutral, and as quick
        return Forms.of(question.text, self._conversations.known(), view.corpus)

    def _profile(
        self, forms: Forms | None, arms: Mapping[str, Ranking], dense: Meaning
    ) -> ChosenProfile:
        """Return what makes the order."""
        if forms is None:
            return self._profiles.passed_over()
        turns = forms.known.turns
        keys = [ranking.keys for ranking in arms.values()]
        found = np.unique(np.concatenate(keys)) if keys else np.empty(0, np.int64)
        among = int(np.count_nonzero(turns.rows(found) >= 0))
        vectors = dense.half.embedder.fingerprint if dense.half and "semantic" in arms else None
        return self._profiles.choose(found=len(found), turns=among, embedder=vectors)

    def _features(
        self,
        question: Question,
        forms: Forms | None,
        place: Present | Past,
        lexical: LexicalIndex,
        dense: Meaning,
        arms: Mapping[str, Ranking],
        profile: ChosenProfile,
    ) -> dict[str, Ranking]:
        """Return what the features of a profile tell of all that may answer, each as an arm."""
        record = profile.record
        if record is None or forms is None or isinstance(place, Past):
            return {}
        if not any(map(len, arms.values())):
            return {}
        scene = self._scene(question, forms, place, lexical, dense, arms)
        told = features_of(scene, record.features)
        return {name: Ranking.of(scene.keys, values) for name, values in told.items()}

    def _ordered(
        self,
        question: Question,
        place: Present | Past,
        arms: Mapping[str, Ranking],
        features: Mapping[str, Ranking],
        profile: ChosenProfile,
        k: int,
    ) -> list[Hit]:
        ordering = self._ordering()
        if features and profile.record is not None:
            arms = features
            ordering = replace(
                ordering,
                fusion=model_of(profile.record),
                fuses_one=True,
                surroundings=Surroundings(),
            )
        return ordering.order(question.text, arms, k, lookup=place, now=self._clock.now())

    def _scene(
        self,
        question: Question,
        forms: Forms,
        place: Present,
        lexical: LexicalIndex,
        dense: Meaning,
        arms: Mapping[str, Ranking],
    ) -> Scene:
        half, made = dense.half, dense.forms
        semantic = None
        if half is not None and made is not None and "semantic" in arms:
            semantic = Semantic(
                embedder=half.embedder,
                question=made,
                search=partial(place.by_meaning, k=self._settings.depth),
                vectors=half.index.vectors,
                tokens=half.tokens,
            )
        gathering = Gathering(
            view=place.view,
            selection=place.selection,
            forms=forms,
            lexical=lexical,
            now=self._clock.now(),
        )
        return gathering.scene(question, arms, semantic)

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


def _searched(
    wanted: Strategy, question: Question, place: Present | Past, meaning: Meaning, depth: int
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
