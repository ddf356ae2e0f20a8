"""Did you mean: known words near those of a question that nothing holds. Never applied by itself.

The distance is Damerau's: the fewest insertions, deletions and replacements of a character and
exchanges of two neighbours that make one word of the other, counted without the restriction that
nothing is changed twice.

Source: Damerau, "A technique for computer detection and correction of spelling errors", CACM 7(3),
1964; the unrestricted distance of Lowrance and Wagner, "An extension of the string-to-string
correction problem", JACM 22(2), 1975.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from engram_lab.core.checks import check_limit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Suggestion", "corrected", "suggest"]

_SHORTEST: Final = 4  # characters: below, every other word is near
_CAREFUL_UP_TO: Final = 5  # characters: so short a word is one change away, or another word
# A word with the marks upon its letters, as they stand in a text that is not composed.
_WORD: Final = re.compile(r"\w[\w\u0300-\u036f]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """A known word that may have been meant.

    Attributes:
        term: The word that was asked for, and is not known.
        replacement: The known word.
        distance: How many changes lie between them.
        frequency: How many documents hold the known word.
    """

    term: str
    replacement: str
    distance: int
    frequency: int

    def __str__(self) -> str:
        return f"{self.term} → {self.replacement}"


def suggest(
    terms: Sequence[str], vocabulary: Mapping[str, int], *, limit: int = 5
) -> tuple[Suggestion, ...]:
    """Return known words for the terms that are not known, the best of each term first.

    Looked at are terms of 4 characters and more without a digit, as a number has no typos that
    could be seen. Near are words within 2 changes, within 1 for terms of 4 and 5 characters. Nearer
    ones come first, then those of more documents, then by the alphabet.

    Args:
        terms: The words of the question, whole and folded as the vocabulary's are; not stems.
        vocabulary: How many documents hold each known word.
        limit: The most suggestions for one term.

    Raises:
        InvalidInputError: `limit` is no whole number from 1.
    """
    check_limit(limit, field="limit")
    bands: dict[int, list[str]] = {}
    found: list[Suggestion] = []
    for term in dict.fromkeys(terms):
        length = len(term)
        if length < _SHORTEST or term in vocabulary or any(map(str.isdigit, term)):
            continue
        if length not in bands:  # a change is at most one character more or less
            least, most = length - _most_changes(length), length + _most_changes(length)
            bands[length] = [word for word in vocabulary if least <= len(word) <= most]
        near = [
            Suggestion(term=term, replacement=word, distance=distance, frequency=vocabulary[word])
            for word, distance in _near(term, bands[length])
        ]
        near.sort(key=lambda each: (each.distance, -each.frequency, each.replacement))
        found += near[:limit]
    return tuple(found)


def _most_changes(length: int) -> int:
    return 1 if length <= _CAREFUL_UP_TO else 2


def _near(term: str, words: Sequence[str]) -> list[tuple[str, int]]:
    """Return the words within reach with their distances, in no order."""
    from rapidfuzz.distance import OSA, DamerauLevenshtein
    from rapidfuzz.process import extract

    most = _most_changes(len(term))
    # The restricted distance is ten times as fast to bound. Two changes that it may not count as
    # two, an exchange around an insertion or a deletion, it counts as three.
    candidates = extract(term, words, scorer=OSA.distance, score_cutoff=2 * most - 1, limit=None)
    distances = (
        (word, int(DamerauLevenshtein.distance(term, word, score_cutoff=most)))
        for word, _, _ in candidates
    )
    return [(word, distance) for word, distance in distances if distance <= most]


def corrected(query: str, suggestions: Sequence[Suggestion]) -> str:
    """Return the query with its unknown words replaced by the first suggestion for each.

    The rest stays as it was typed; a word keeps its capitals: `Cofee` becomes `Coffee`, and `COFEE`
    becomes `COFFEE`.
    """
    first: dict[str, str] = {}
    for each in suggestions:
        first.setdefault(_folded(each.term), each.replacement)

    def replaced(match: re.Match[str]) -> str:
        word = match[0]
        known = first.get(_folded(word))
        return word if known is None else _capitalised_as(word, known)

    return _WORD.sub(replaced, query)


def _folded(word: str) -> str:
    """Return a word without case and diacritics, so that it meets its term."""
    taken_apart = unicodedata.normalize("NFKD", word.casefold())
    return "".join(each for each in taken_apart if not unicodedata.combining(each))


def _capitalised_as(word: str, known: str) -> str:
    if word.isupper():
        return known.upper()
    return known[:1].upper() + known[1:] if word[0].isupper() else known
