"""From what the arms found to a scene: other forms of the question, what else may answer it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.retrieval.conversation import first_seen, next_to, seen, sight_of
from engram_lab.retrieval.features.scene import Scene
from engram_lab.retrieval.spreading import Spreading
from engram_lab.retrieval.times import asked, fit, mentions
from engram_lab.retrieval.tokens import inverse_frequencies, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from engram_lab.core.protocols import Store
    from engram_lab.core.selection import Selection
    from engram_lab.core.types import Memory
    from engram_lab.retrieval.conversation import Sight
    from engram_lab.retrieval.embedders import Embedder, TokenVectors
    from engram_lab.retrieval.features.forms import Embedded, Forms
    from engram_lab.retrieval.lexical.index import LexicalIndex
    from engram_lab.retrieval.question import Question
    from engram_lab.retrieval.ranking import Ranking
    from engram_lab.retrieval.tokens import TokenTable

__all__ = ["Gathering", "Semantic"]

_K1: Final = 0.4
_B: Final = 0.3
"""Of BM25: what is said once in a turn is what it is about, and turns are as long as moods are."""

_PIECE: Final = "##"
_BY_TIME: Final = 50
"""So many turns are candidates for when they were said, or what time they mention."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Semantic:
    """What compares meanings, for one question.

    Attributes:
        embedder: Makes the vectors.
        question: The vectors of the question.
        search: Returns the best k memories for a vector, within the selection.
        vectors: Returns the vectors of memories by key, and which of them have one.
        tokens: The token vectors of texts, where the embedder gives any.
    """

    embedder: Embedder
    question: Embedded
    search: Callable[[NDArray[np.float32]], Ranking]
    vectors: Callable[[NDArray[np.int64]], tuple[NDArray[np.float32], NDArray[np.bool_]]]
    tokens: TokenTable | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Gathering:
    """Gathers the scene of one question.

    Attributes:
        view: The store as whoever asks may reach it.
        selection: What is asked of.
        forms: The question as it is compared.
        lexical: The index of words.
        now: When the question is asked: `last year` is seen from there.
    """

    view: Store
    selection: Selection
    forms: Forms
    lexical: LexicalIndex
    now: datetime

    def scene(
        self, question: Question, found: Mapping[str, Ranking], semantic: Semantic | None
    ) -> Scene:
        """Return the scene of what the arms found and of what else may answer the question.

        Raises:
            EmbedderError: The model failed.
        """
        turns, _, times = self.forms.known
        sight = sight_of(turns, self.view.corpus, self.selection)
        told = mentions(question.text, anchor=self.now)
        sure = mentions(question.text, anchor=None)
        known = {each.span for each in sure}
        vectors, tokens = ({}, None) if semantic is None else semantic.question
        keys = self._candidates(found, semantic, vectors, self._by_time(told, sight))
        rows, beside, every = self._beside(keys, sight, self.forms.reach)
        speakers = turns.matches(rows[: len(keys)], self.forms.named, among=rows)
        texts = None if tokens is None else self._texts(rows, every)
        near = self._nearness(tokens, semantic, texts)
        looked_at = np.unique(np.concatenate((beside[:, 0], beside[:, 1])))
        looked_at = looked_at[looked_at >= 0]
        words = self.lexical.scores_by_term(question.terms, every, k1=_K1, b=_B)
        return Scene(
            keys=keys,
            rows=rows,
            beside=beside,
            turns=turns,
            speakers=speakers,
            words=words,
            names=self._names(question),
            cosines=_cosines(vectors, every, semantic),
            near=None if near is None else near(looked_at),
            near_all=None if near is None else partial(near, np.arange(len(every))),
            weights=self._weights(tokens.tokens if tokens and near else ()),
            spread=self._spread,
            mentions=sure,
            relative=tuple(each for each in told if each.span not in known),
            asked=asked(question.text),
            times=times,
        )

    def _by_time(self, told: Sequence[Any], sight: Sight | None) -> NDArray[np.int64]:
        """Return the keys of the turns that fit the times in the question best."""
        turns, _, times = self.forms.known
        if not told or not len(turns):
            return np.empty(0, np.int64)
        fits = fit(told, times, np.arange(len(turns)))
        best = np.argsort(-fits, kind="stable")
        return turns.keys[first_seen(best[fits[best] > 0], sight, most=_BY_TIME)]

    def _candidates(
        self,
        found: Mapping[str, Ranking],
        semantic: Semantic | None,
        vectors: Mapping[str, NDArray[np.float32]],
        by_time: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        keys = [ranking.keys for ranking in found.values()]
        if semantic is not None:
            vector = vectors["first_person"]
            if vector is not vectors["asked"] and vector.any():  # zeros are as near to any memory
                keys.append(semantic.search(vector).keys)
        return np.unique(np.concatenate([*keys, by_time]))

    def _beside(
        self, keys: NDArray[np.int64], sight: Sight | None, reach: Sight | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of the m, the places beside each candidate, and the keys of the m.

        What is out of reach stands between no two turns; what is merely not asked of does.
        """
        turns = self.forms.known.turns
        own = turns.rows(keys)
        around = seen(next_to(turns, own, reach), sight)
        others = np.setdiff1d(around[around >= 0], own)
        rows = np.concatenate((own, others))
        places = np.full(len(turns) + 1, -1)  # the last is where a row of -1 looks
        places[rows] = np.arange(len(rows))
        places[-1] = -1
        beside = places[around]
        beside[:, 1] = np.arange(len(keys))
        every = np.concatenate((keys, turns.keys[others] if len(others) else others))
        return rows, beside, every

    def _names(self, question: Question) -> NDArray[np.bool_]:
        """Tell which words of a question name speakers."""
        spans = self.forms.mentions
        terms_of = self.lexical.analyser.terms
        names = {term for each in spans for term in terms_of(question.text[each.start : each.stop])}
        return np.array([term in names for term in question.terms], np.bool_)

    def _texts(self, rows: NDArray[np.int64], every: NDArray[np.int64]) -> list[str]:
        """Return what the m say, as it was embedded."""
        contents = self.forms.known.turns.contents
        texts = [contents[row] if row >= 0 else "" for row in rows.tolist()]
        apart = (rows < 0).nonzero()[0]
        if len(apart):
            notes: Sequence[Memory | None] = self.view.corpus.fetch(every[apart], self.selection)
            for place, memory in zip(apart.tolist(), notes, strict=True):
                texts[place] = "" if memory is None else memory.content
        return texts

    def _nearness(
        self, tokens: TokenVectors | None, semantic: Semantic | None, texts: list[str] | None
    ) -> Callable[[NDArray[np.int64]], NDArray[np.float64]] | None:
        """Return what tells how near the tokens of a question are to those of some of the m.

        It gives zeros for the others; None without token vectors.
        """
        if tokens is None or texts is None or semantic is None or semantic.tokens is None:
            return None
        table, asked_for = semantic.tokens, tokens.values

        def near(places: NDArray[np.int64]) -> NDArray[np.float64]:
            found = np.zeros((len(texts), len(asked_for)))
            found[places] = nearest(table, asked_for, [texts[at] for at in places.tolist()])
            return found

        return near

    def _spread(self, seeds: Ranking) -> Ranking:
        return Spreading().spread(self.view.corpus, seeds, valid_at=self.selection.valid_at)

    def _weights(self, tokens: Sequence[str]) -> NDArray[np.float64]:
        """Return how much each token of a question says: float64 [tokens], adding up to 1.

        A word says the more the rarer it is, and its pieces share that: by themselves they would
        be rare, as texts are counted by word.
        """
        if not tokens:
            return np.zeros(0)
        words, word_of = _words(tokens)
        rare = inverse_frequencies(words, frequency=self._frequency, count=self.lexical.size)
        weights = (rare / np.bincount(word_of))[word_of]
        shares: NDArray[np.float64] = weights / weights.sum()
        return shares

    def _frequency(self, word: str) -> int:
        """Return in how many texts a word stands; in all of them if it tells nothing."""
        terms = self.lexical.analyser.terms(word)
        return self.lexical.df(terms[0]) if terms else self.lexical.size


def _words(tokens: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return the words that pieces make, as WordPiece cuts them, and the word of each piece."""
    words: list[str] = []
    word_of = []
    for token in tokens:
        if token.startswith(_PIECE) and words:
            words[-1] += token.removeprefix(_PIECE)
        else:
            words.append(token.removeprefix(_PIECE))
        word_of.append(len(words) - 1)
    return words, word_of


def _cosines(
    vectors: Mapping[str, NDArray[np.float32]],
    every: NDArray[np.int64],
    semantic: Semantic | None,
) -> dict[str, NDArray[np.float64]]:
    if semantic is None:
        return {}
    values, _ = semantic.vectors(every)
    asked_for = np.stack(list(vectors.values()))
    cosines = (values @ asked_for.T).astype(np.float64)
    return {form: cosines[:, column] for column, form in enumerate(vectors)}
