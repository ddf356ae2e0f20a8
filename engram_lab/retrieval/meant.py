"""What may have been meant by words that no memory holds, in the words that memories use."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from engram_lab.retrieval.keyword import query_words
from engram_lab.retrieval.suggest import suggest
from engram_lab.retrieval.within import ranked_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.core.protocols import Store
    from engram_lab.core.selection import Selection
    from engram_lab.retrieval.lexical.index import LexicalIndex
    from engram_lab.retrieval.question import Question
    from engram_lab.retrieval.ranking import Ranking
    from engram_lab.retrieval.suggest import Suggestion

__all__ = ["meant_by", "unknown_words"]

_OF_EACH_WORD: Final = 3
_TRIED: Final = 500
"""So many near words are looked at: those that nobody may see shall not crowd out the others."""
_MOST_WORDS: Final = 10
"""A question of more unknown words is no typing error, but a text that was pasted."""
_MOST_COUNTED: Final = 1_000


def unknown_words(
    view: Store, question: Question, selection: Selection, lexical: LexicalIndex
) -> dict[str, str]:
    """Return the words of a question that no memory of a selection holds, each with its term.

    The beginning of a word, as in `begin*`, is none.
    """
    terms_of = lexical.analyser.terms
    beginnings = {term.text.lower() for term in question.exact if term.prefix}
    words = [word for word in query_words(question.text) if word not in beginnings]
    found = {word: terms[0] for word in words if len(terms := terms_of(word)) == 1}
    return {
        word: term
        for word, term in found.items()
        if not lexical.df(term) or not _holding(view, selection, lexical, term, 1)
    }


def meant_by(
    view: Store, question: Question, selection: Selection, lexical: LexicalIndex
) -> tuple[Suggestion, ...]:
    """Return known words for the unknown ones of a question, the best of each first.

    The index knows stems; what is offered is a whole word of a memory that the selection holds, and
    counted are such memories alone, up to 1,000, so that nothing is told of the others.
    """
    unknown = unknown_words(view, question, selection, lexical)
    if not unknown:
        return ()
    vocabulary = lexical.vocabulary()
    offered: list[Suggestion] = []
    for word, term in islice(unknown.items(), _MOST_WORDS):
        vocabulary.pop(term, None)  # what memories hold that are not asked for
        near = suggest([term], vocabulary, limit=_TRIED)
        spelt = (_spelt(view, selection, lexical, each, word) for each in near)
        offered += islice((each for each in spelt if each is not None), _OF_EACH_WORD)
    return tuple(offered)


def _spelt(
    view: Store, selection: Selection, lexical: LexicalIndex, found: Suggestion, word: str
) -> Suggestion | None:
    """Return a suggestion of a stem as one of a word, or None where no memory shows one."""
    holding = _holding(view, selection, lexical, found.replacement, _MOST_COUNTED)
    for memory in view.corpus.fetch(holding.keys[:1], selection):
        for known in _words(memory.content, *memory.tags) if memory is not None else ():
            if lexical.analyser.terms(known) == [found.replacement]:
                return replace(found, term=word, replacement=known, frequency=len(holding))
    return None


def _holding(
    view: Store, selection: Selection, lexical: LexicalIndex, term: str, most: int
) -> Ranking:
    """Return the memories of a selection that hold a term, the best `most` of them."""
    return ranked_within(partial(lexical.search, [term]), view.corpus, selection, most)


def _words(*texts: str) -> Iterator[str]:
    for text in texts:
        yield from query_words(text)
