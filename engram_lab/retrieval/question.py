"""A question, taken apart: its words, and what stands in quotes or ends in a star."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.terms import Term
from engram_lab.core.text import clean_text
from engram_lab.retrieval.keyword import query_words, words_in

if TYPE_CHECKING:
    from engram_lab.retrieval.lexical.analyser import Analyser

__all__ = ["MAX_QUERY_CHARS", "Question", "check_k"]

MAX_QUERY_CHARS: Final = 10_000
_MOST_HITS: Final = 2**31 - 1

_MARKED: Final = re.compile(
    r'"(?P<phrase>[^"]*)"'
    r"|(?<![\w*])(?P<prefix>\w{2,})\*(?![\w*])"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What was asked.

    Attributes:
        text: As given, without control characters.
        terms: Its words as the lexical index has them, each once, without stop words.
        exact: The phrases in quotes and the beginnings before a star, to be found to the letter,
            and with them the other words. Empty where there is neither.
    """

    text: str
    terms: tuple[str, ...]
    exact: tuple[Term, ...] = ()

    @classmethod
    def of(cls, query: str, analyser: Analyser) -> Self:
        """Return the question that a text asks; nothing in it is refused as syntax.

        Raises:
            InvalidInputError: It is empty, longer than 10000 characters, or no text.
        """
        text = clean_text(query, field="query")
        if len(text) > MAX_QUERY_CHARS:
            raise InvalidInputError(
                f"the query has {len(text)} characters: at most {MAX_QUERY_CHARS}"
            )
        if not text.strip():
            raise InvalidInputError("the query is empty: say what you look for")
        return cls(text=text, terms=tuple(analyser.query_terms(text)), exact=_exact(text))


def _exact(text: str) -> tuple[Term, ...]:
    found: list[Term] = []
    rest: list[str] = []
    end = 0
    for match in _MARKED.finditer(text):
        rest.append(text[end : match.start()])
        end = match.end()
        phrase, prefix = match["phrase"], match["prefix"]
        if prefix is not None:
            found.append(Term(prefix, prefix=True))
        elif len(words_in(phrase)) > 1:
            found.append(Term(" ".join(phrase.split())))
        else:  # one word in quotes is but that word
            rest.append(phrase)
    if not found:
        return ()
    rest.append(text[end:])
    return (*found, *map(Term, query_words(" ".join(rest))))


def check_k(k: object) -> int:
    """Return a number of hits; one beyond all bounds as the largest that indexes can count to.

    Raises:
        InvalidInputError: It is no whole number from 1.
    """
    if type(k) is not int or k < 1:
        raise InvalidInputError(f"k is {shown(k)}: give a whole number from 1")
    return min(k, _MOST_HITS)
