"""Keyword recall: the words of the question against the text index, ranked by BM25.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009),
equation 3.15, as SQLite's FTS5 computes it (k1 = 1.2, b = 0.75).
"""

from __future__ import annotations

import unicodedata
from itertools import groupby
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.text import clean_text
from engram_lab.retrieval.hits import Arm, Explanation, Hit, Hits

if TYPE_CHECKING:
    from engram_lab.core.protocols import Store
    from engram_lab.core.selection import Selection

__all__ = ["MAX_QUERY_CHARS", "keyword_recall", "query_terms"]

MAX_QUERY_CHARS: Final = 10_000
_STOP_WORDS: Final = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "did",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "him",
        "his",
        "how",
        "i",
        "in",
        "is",
        "it",
        "its",
        "me",
        "my",
        "of",
        "on",
        "or",
        "our",
        "she",
        "so",
        "that",
        "the",
        "their",
        "them",
        "they",
        "this",
        "to",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "whom",
        "why",
        "will",
        "with",
        "you",
        "your",
    ]
)


def query_terms(query: str) -> list[str]:
    """Return the distinct words of a question, without stop words unless there is nothing else.

    A word is letters, digits and `_`, with the marks upon them.
    """
    text = unicodedata.normalize("NFC", query.lower())
    runs = ("".join(run) for within, run in groupby(text, _is_within_word) if within)
    words = list(dict.fromkeys(run for run in runs if any(map(str.isalnum, run))))
    return [word for word in words if word not in _STOP_WORDS] or words


def _is_within_word(character: str) -> bool:
    # As İ in lower case is i with a dot upon it; to the `re` module that dot is no part of a word.
    return (
        character.isalnum() or character == "_" or unicodedata.category(character).startswith("M")
    )


def keyword_recall(store: Store, query: str, k: int, selection: Selection) -> Hits:
    """Return the `k` best memories that share a word with the question. Writes nothing.

    Raises:
        InvalidInputError: `k` is below 1, or the question is no text of at most 10000 characters.
    """
    text = clean_text(query, field="query")
    if len(text) > MAX_QUERY_CHARS:
        raise InvalidInputError(f"the query has {len(text)} characters: at most {MAX_QUERY_CHARS}")
    if type(k) is not int or k < 1:
        raise InvalidInputError(f"k is {k!r}: give a whole number from 1")
    matches = store.memories.match_text(query_terms(text), selection, k)
    hits = [
        Hit(
            rank=rank,
            score=match.score,
            memory=match.memory,
            explanation=Explanation(
                arms=(Arm(name="keyword", rank=rank, score=match.score),), score=match.score
            ),
        )
        for rank, match in enumerate(matches, 1)
    ]
    return Hits(hits, query=text, strategy="keyword")
