"""What words are compared by: their stem, or the row of like words to which they belong."""

from __future__ import annotations

from functools import lru_cache

from Stemmer import Stemmer

from engram_lab.consolidation.merge.alike import SAME
from engram_lab.consolidation.merge.irregular import IRREGULAR

__all__ = ["is_known", "root", "stem"]


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return the Snowball stem of an English word, of an irregular verb that of its first form."""
    return str(_stemmer().stemWord(IRREGULAR.get(word, word)))


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer:
    return Stemmer("english", 0)


@lru_cache(maxsize=1)
def _groups() -> dict[str, str]:
    """Return for each word of `SAME`, and its stem, the name of its first row."""
    found: dict[str, str] = {}
    for row in SAME:
        for word in row:
            found.setdefault(word, row[0])
    for row in SAME:
        for word in row:
            found.setdefault(stem(word), row[0])
    return found


@lru_cache(maxsize=65_536)
def root(word: str) -> str:
    """Return what a word is compared by: its row of like words, else its stem."""
    groups = _groups()
    return groups.get(word) or groups.get(stem(word)) or stem(word)


def is_known(word: str) -> bool:
    """Tell whether a word stands in a row of like words."""
    return word in _groups()
