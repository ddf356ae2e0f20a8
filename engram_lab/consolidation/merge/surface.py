"""What a statement shows beside what it speaks of: how it is said, by whom, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.consolidation.merge.asserted import manner_of
from engram_lab.consolidation.merge.literals import literals
from engram_lab.consolidation.merge.roots import root
from engram_lab.consolidation.merge.tongues import denials, is_english
from engram_lab.consolidation.merge.words import (
    AUXILIARIES,
    COPULAS,
    FUNCTION_WORDS,
    MARKERS,
    SIGNS,
    UNITS,
    WEEKDAYS,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.consolidation.merge.tokens import Token

__all__ = ["BE", "JOINING", "OWNER", "STARTERS", "Surface", "surface_of"]

_PERSONS: Final = {
    word: person
    for person, words in {
        "I": "i me my mine myself",
        "we": "we us our ours ourselves",
        "you": "you your yours yourself yourselves",
        "he": "he him his himself",
        "she": "she her hers herself",
        "they": "they them their theirs themselves",
    }.items()
    for word in words.split()
}
JOINING: Final = frozenset({"and", "or", "nor"})
STARTERS: Final = MARKERS | {"because", "while", "when", "if", "unless", "although", "though"}
"""What begins a phrase or clause that may stand before or after what it belongs to."""
BE: Final = "be"
"""The copula, in whatever form."""
OWNER: Final = "'s"
_KEPT: Final = JOINING | STARTERS | {"not", "but"}
_DROPPED: Final = (FUNCTION_WORDS | AUXILIARIES | {"there"}) - _KEPT - COPULAS
_ADVERB: Final = "ly"
_SHORT: Final = 4


class Surface(NamedTuple):
    """What a statement shows beside what it speaks of.

    Attributes:
        literals: What stands in it to be taken to the letter, sorted.
        manner: How it is said, `""` where it says that something is so; see `asserted`.
        persons: Of the pronouns in it.
        english: Whether it can be read as English.
        denials: What denies in it in another language.
        told: All its words and figures, in order.
        parts: Its words with a meaning of their own and its figures, in order, with what marks
            their parts: prepositions, `and`, the copula, the genitive.
    """

    literals: tuple[str, ...]
    manner: str
    persons: frozenset[str]
    english: bool
    denials: frozenset[str]
    told: tuple[str, ...]
    parts: tuple[object, ...]


def surface_of(text: str, pieces: Sequence[Token]) -> Surface:
    """Return what a text shows, of which the pieces are these."""
    told = tuple(piece.text for piece in pieces if piece.kind != "stop")
    words = frozenset(told)
    return Surface(
        literals=literals(text),
        manner=manner_of(text),
        persons=frozenset(_PERSONS[each] for each in words & _PERSONS.keys()),
        english=is_english([each.text for each in pieces if _may_tell(each)]),
        denials=denials(text.lower(), words),
        told=told,
        parts=tuple(_parts(pieces, existing="there" in words)),
    )


def _may_tell(piece: Token) -> bool:
    """Tell whether a piece may show the language: a word that is no name in the midst of it."""
    return piece.kind == "word" and (piece.first or not piece.raised)


def _parts(pieces: Sequence[Token], *, existing: bool) -> list[object]:
    found: list[object] = []
    for piece in pieces:
        word = piece.text
        if piece.kind in {"number", "ordinal", "date", "time"}:
            found.append((piece.kind, piece.value))
        elif piece.kind == "code":
            found.append(word)
        elif piece.kind == "word" and word in COPULAS and not piece.raised:
            if not existing:
                found.append(BE)
        elif piece.kind == "word" and not _says_nothing(piece):
            found.append(word if word in _KEPT else root(word))
            if piece.owns:
                found.append(OWNER)
    return found


def _says_nothing(piece: Token) -> bool:
    """Tell whether a word says nothing of its own, or may stand anywhere, as adverbs do."""
    word = piece.text
    if piece.raised and not piece.first:
        return False
    adverb = word.endswith(_ADVERB) and len(word) > _SHORT and word not in WEEKDAYS
    return word in _DROPPED or word in UNITS or word in SIGNS or adverb
