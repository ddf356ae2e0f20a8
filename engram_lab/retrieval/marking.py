"""Where the words of a question stand in a text."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engram_lab.retrieval.hits import Hit
    from engram_lab.retrieval.lexical.analyser import Analyser
    from engram_lab.retrieval.question import Question

__all__ = ["MARK", "marked", "marked_text"]

MARK: Final = "**"
_RUN: Final = re.compile(r"[^\W_](?:[\w'\u2019\u0300-\u036f]*[\w\u0300-\u036f])?")


def marked(hit: Hit, question: Question, analyser: Analyser) -> Hit:
    """Return the hit, its explanation with the words of the question marked in the text."""
    words = marked_text(hit.memory.content, question, analyser)
    return replace(hit, explanation=replace(hit.explanation, words=words))


def marked_text(text: str, question: Question, analyser: Analyser) -> str:
    """Return a text with `**` around each word that the question has too, in whatever form."""
    wanted = set(question.terms)
    beginnings = tuple(term.text.lower() for term in question.exact if term.prefix)

    def mark(match: re.Match[str]) -> str:
        word = match[0]
        found = not wanted.isdisjoint(analyser.terms(word)) or (
            bool(beginnings) and word.lower().startswith(beginnings)
        )
        return f"{MARK}{word}{MARK}" if found else word

    return _RUN.sub(mark, text)
