"""What may have been meant by words that no memory holds, in the words that memories use."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from engram_lab.retrieval.keyword import query_words
from engram_lab.retrieval.suggest import suggest
from engram_lab.retrieval.within import ranked_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.core.protocols import Store
    from engram_lab.core.selection import Selection
    from engram_lab.retrieval.lexical.index import LexicalIndex
    from engram_lab.retrieval.suggest import Suggestion

__all__ = ["meant_by", "unknown_words"]

_OF_EACH_WORD: Final = 3
_TRIED: Final = 10


def unknown_words(query: str, lexical: LexicalIndex) -> dict[str, str]:
    """Return the words of a question that no memory holds, each with its term."""
    terms_of = lexical.analyser.terms
    found = {word: terms for word in query_words(query) if len(terms := terms_of(word)) == 1}
    return {word: terms[0] for word, terms in found.items() if not lexical.df(terms[0])}


def meant_by(
    view: Store, query: str, selection: Selection, lexical: LexicalIndex
) -> tuple[Suggestion, ...]:
    """Return known words for the unknown ones of a question, the best of each first.

    The index knows stems; what is offered is a whole word of a memory that the selection holds, so
    that nothing is told of the others.
    """
    unknown = unknown_words(query, lexical)
    if not unknown:
        return ()
    vocabulary = lexical.vocabulary()
    offered: list[Suggestion] = []
    for word, term in unknown.items():
        near = suggest([term], vocabulary, limit=_TRIED)
        spelt = (_spelt(view, selection, lexical, each, word) for each in near)
        offered += [each for each in spelt if each is not None][:_OF_EACH_WORD]
    return tuple(offered)


def _spelt(
    view: Store, selection: Selection, lexical: LexicalIndex, found: Suggestion, word: str
) -> Suggestion | None:
    """Return a suggestion of a stem as one of a word, or None where no memory shows one."""
    search = partial(lexical.search, [found.replacement])
    best = ranked_within(search, view.corpus, selection, 1)
    for memory in view.corpus.fetch(best.keys, selection):
        for known in _words(memory.content, *memory.tags) if memory is not None else ():
            if lexical.analyser.terms(known) == [found.replacement]:
                return replace(found, term=word, replacement=known)
    return None


def _words(*texts: str) -> Iterator[str]:
    for text in texts:
        yield from query_words(text)
