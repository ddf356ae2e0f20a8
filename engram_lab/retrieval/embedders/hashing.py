"""An embedder that needs nothing: words and their parts, hashed into a fixed number of places.

It knows no meaning, but it forgives typing errors and endings, as words share their parts. It is
what remains where no model is installed.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from hashlib import blake2b
from math import log, sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from engram_lab.core.checks import check_limit
from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.embedders.vectors import check_kind, check_texts, unit_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Kind
    from engram_lab.retrieval.embedders.registry import EmbedderOptions

__all__ = ["HashingEmbedder", "from_options", "words_of"]

_DEFAULT_DIM: Final = 1024
_MAX_DIM: Final = 65_536
_VERSION: Final = 1  # raised whenever a vector changes, as the fingerprint depends on it

_WORD: Final = re.compile(r"\w{1,32}")  # a longer run, such as a key or a sentence of Chinese: many
_SYMBOL: Final = re.compile(r"\S")

# Chosen on LoCoMo, SciFact, Cranfield and misspelt titles: see the docstring of the class.
_PART_LENGTHS: Final = (2, 3, 4)
_SHARE_OF_PARTS: Final = 0.6
_SHARE_OF_COMMON_WORDS: Final = 0.1

_COMMON: Final = """
    a about also am an and any are as at be because been being both but by can could did do does
    for from had has have he her him his how i if in into is it its just me more most my no not of
    on or other our over she so some such than that the their them then there these they this to
    very was we were what when where which who why will with would you your
"""
_COMMON_WORDS: Final = frozenset(_COMMON.split())

_WORDS_KEPT: Final = 16_384


class _Hashed(NamedTuple):
    """A word's vector, as its places and what it adds there: int64 [n], float64 [n]."""

    places: NDArray[np.int64]
    values: NDArray[np.float64]


class HashingEmbedder:
    """Words and their parts of 2 to 4 letters, by signed feature hashing.

    A word w is the vector u(w) = sqrt(1 - s) h(w) + sqrt(s / n) (h(p1) + … + h(pn)), p being its
    parts, `<` and `>` marking its ends, and s = 0.6; h(x) is +1 or -1 at one of `dim` places, both
    taken from the BLAKE2b hash of x. A text is the sum of (1 + ln tf(w)) c(w) u(w) over its
    distinct words, of length 1; c is 0.1 for the commonest English words, else 1. It depends on
    nothing but the text.

    Measured at 1,024 places: LoCoMo turns, recall@10 44.7 (all-MiniLM-L6-v2: 43.9); SciFact nDCG@10
    52.2 (65.0); Cranfield 32.3 (40.0). Half as many places cost 2 to 7 points. Lengths of parts,
    shares and places were chosen on these same sets, so expect less elsewhere.

    Args:
        dim: How many places there are.

    Raises:
        InvalidInputError: `dim` is not from 1 to 65,536.

    Source: Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning", equation 1
        and definition 1 (the signed hash, whose inner products are right on average); Bojanowski et
        al. 2017, "Enriching Word Vectors with Subword Information", section 3.2 (parts with ends
        marked); Salton & Buckley 1988, "Term-Weighting Approaches in Automatic Text Retrieval" (the
        logarithm of the frequency).
    """

    def __init__(self, dim: int = _DEFAULT_DIM) -> None:
        self._dim = check_limit(dim, field="dim", most=_MAX_DIM)
        self._hashed = lru_cache(maxsize=_WORDS_KEPT)(self._hash_word)

    @property
    def fingerprint(self) -> str:
        """The version of the method, and how many places there are."""
        return f"hashing/{_VERSION}/{self._dim}"

    @property
    def dim(self) -> int:
        """How many places there are."""
        return self._dim

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        """Return float32 [n, dim]; see `Embedder.embed`. A text of spaces gives zeros."""
        check_kind(kind)
        rows = check_texts(texts)
        values = np.zeros((len(rows), self._dim))
        for row, text in enumerate(rows):
            counts = Counter(words_of(text))
            if not counts:
                continue
            words = [self._hashed(word) for word in counts]
            weights = np.repeat(
                [_weight(word, count) for word, count in counts.items()],
                [len(word.places) for word in words],
            )
            values[row] = np.bincount(
                np.concatenate([word.places for word in words]),
                np.concatenate([word.values for word in words]) * weights,
                minlength=self._dim,
            )
        return unit_rows(values, len(rows), self._dim)

    def _hash_word(self, word: str) -> _Hashed:
        marked = f"<{word}>"
        parts = [
            marked[start : start + length]
            for length in _PART_LENGTHS
            for start in range(len(marked) - length + 1)
        ]
        # A word is its own feature too, told from a part by a mark that no part begins with.
        hashes = [_hash(f" {word}"), *map(_hash, parts)]
        values = np.full(len(hashes), sqrt(_SHARE_OF_PARTS / len(parts)))
        values[0] = sqrt(1 - _SHARE_OF_PARTS)
        signs = np.array([1 if each & 1 else -1 for each in hashes])
        places = np.array([(each >> 1) % self._dim for each in hashes], np.int64)
        return _Hashed(places, values * signs)


def words_of(text: str) -> list[str]:
    """Return the words of a text, in order: compatible forms and cases folded.

    A text without any word, such as one of emoji, gives its symbols.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _WORD.findall(folded) or _SYMBOL.findall(folded)


def _weight(word: str, count: int) -> float:
    return (1 + log(count)) * (_SHARE_OF_COMMON_WORDS if word in _COMMON_WORDS else 1)


def _hash(feature: str) -> int:
    return int.from_bytes(blake2b(feature.encode(), digest_size=8).digest(), "little")


def from_options(options: EmbedderOptions) -> HashingEmbedder:
    """Return the embedder that the options describe.

    Raises:
        InvalidInputError: Some model of it is wanted: it has none.
    """
    if options.model:
        raise InvalidInputError(f"hashing has no model {options.model!r}: say hashing alone")
    return HashingEmbedder(_DEFAULT_DIM if options.dim is None else options.dim)
