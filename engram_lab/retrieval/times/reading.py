"""A text as words that know where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from engram_lab.retrieval.times.periods import Period

__all__ = ["Found", "Words", "words_of"]

# No two parts can match the same character, so that reading takes linear time.
_WORD: Final = re.compile(r"[^\W\d_]+|[0-9]+|[^\sa-zA-Z0-9]")
_DIGITS: Final = 4
_SIGNS: Final = {"\u2019": "'", "`": "'", "\u00b4": "'", "\u2013": "-", "\u2014": "-"}
"""Other ways to write an apostrophe and a dash."""


class Found(NamedTuple):
    """A mention of time.

    Attributes:
        stop: The word after its last.
        period: What it means; None where that needs an anchor and there is none.
    """

    stop: int
    period: Period | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Words:
    """The words of a text, numbers and signs included.

    Attributes:
        lower: Each in small letters.
        spans: Where each stands in the text.
        capital: Whether each begins with a capital letter.
        anchor: The day that relative mentions are seen from.
    """

    lower: list[str]
    spans: list[tuple[int, int]]
    capital: list[bool]
    anchor: int | None

    def at(self, index: int) -> str:
        """Return a word, or nothing where there is none."""
        return self.lower[index] if 0 <= index < len(self.lower) else ""

    def number(self, index: int) -> int | None:
        """Return the number that at most four digits write."""
        word = self.at(index)
        return int(word) if word.isascii() and word.isdigit() and len(word) <= _DIGITS else None

    def touches(self, index: int) -> bool:
        """Tell whether nothing stands between a word and the one before it."""
        return 0 < index < len(self.lower) and self.spans[index - 1][1] == self.spans[index][0]

    def past(self, index: int, *words: str) -> int:
        """Return the index after a word if it is one of some, else its own."""
        return index + 1 if self.at(index) in words else index


def words_of(text: str, anchor: int | None) -> Words:
    """Return the words of a text; see `Words`."""
    lower, spans, capital = [], [], []
    for match in _WORD.finditer(text):
        word = match.group()
        lower.append(_SIGNS.get(word) or word.lower())
        spans.append(match.span())
        capital.append(word[0].isupper())
    return Words(lower=lower, spans=spans, capital=capital, anchor=anchor)
