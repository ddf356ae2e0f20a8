"""Words to the letter: the store's own text index, which knows phrases and beginnings of words.

Source: BM25 as SQLite's FTS5 computes it (k1 = 1.2, b = 0.75); Robertson and Zaragoza, "The
Probabilistic Relevance Framework: BM25 and Beyond" (2009), equation 3.15.
"""

from __future__ import annotations

import unicodedata
from itertools import groupby
from typing import TYPE_CHECKING

from engram_lab.retrieval.lexical.analyser import without_endings
from engram_lab.retrieval.lexical.stopwords import STOP_WORDS
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.core.protocols import Store
    from engram_lab.core.selection import Selection
    from engram_lab.core.terms import Term

__all__ = ["query_words", "rank_by_text", "words_in"]


def words_in(text: str) -> list[str]:
    """Return the words of a text in their order: letters, digits and `_`, with the marks on them.

    In lower case, without English endings such as that of `Ada's`.
    """
    folded = unicodedata.normalize("NFC", without_endings(text).lower())
    runs = ("".join(run) for within, run in groupby(folded, _is_within_word) if within)
    return [run for run in runs if any(map(str.isalnum, run))]


def query_words(query: str) -> list[str]:
    """Return the distinct words of a question, without stop words unless there is nothing else."""
    words = list(dict.fromkeys(words_in(query)))
    return [word for word in words if word not in STOP_WORDS] or words


def _is_within_word(character: str) -> bool:
    # As İ in lower case is i with a dot upon it; to the `re` module that dot is no part of a word.
    return (
        character.isalnum() or character == "_" or unicodedata.category(character).startswith("M")
    )


def rank_by_text(view: Store, terms: Sequence[str | Term], selection: Selection, k: int) -> Ranking:
    """Return the best `k` of a selection that hold any of the terms.

    Raises:
        InvalidInputError: `as_of` in the selection.
    """
    matches = view.memories.match_text(terms, selection, k)
    keys = view.corpus.find([match.memory.id for match in matches])
    there = keys > 0  # one may have been purged meanwhile
    scores = [match.score for match, kept in zip(matches, there.tolist(), strict=True) if kept]
    return Ranking.of(keys[there], scores)
