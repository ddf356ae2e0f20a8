"""From texts to rows of an index."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from engram_lab.retrieval.lexical.segment import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.lexical.analyser import Analyser
    from engram_lab.retrieval.lexical.pairs import Pairs
    from engram_lab.retrieval.lexical.vocabulary import Vocabulary

__all__ = ["digest", "marks_of", "searched_text"]


def searched_text(content: str, tags: Sequence[str]) -> str:
    """Return what a memory is found by: its content and its tags, a line each."""
    return "\n".join((content, *tags)) if tags else content


def marks_of(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Return a number for each text that tells it from any other: uint64 [n]."""
    data = [
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for text in texts
    ]
    return np.frombuffer(b"".join(data), "<u8").astype(np.uint64)


def digest(
    keys: NDArray[np.int64],
    texts: Sequence[str],
    *,
    analyser: Analyser,
    vocabulary: Vocabulary,
    pairs: Pairs,
) -> Rows:
    """Return the rows of some texts; new terms and pairs become known.

    Args:
        keys: int64 [n].
        texts: n of them.
        analyser: What makes terms of a text.
        vocabulary: What numbers the terms.
        pairs: What numbers the pairs.
    """
    terms: list[str] = []
    lengths = np.empty(len(texts), np.int64)
    for place, text in enumerate(texts):
        found = analyser.terms(text)
        lengths[place] = len(found)
        terms += found
    numbers = np.array(vocabulary.add(terms), np.int64)
    stood = (np.repeat(np.arange(len(texts)), lengths) << 32) | numbers
    distinct, frequencies = np.unique(stood, return_counts=True)
    slots = distinct >> 32
    return Rows(
        keys=keys,
        lengths=lengths.astype(np.int32),
        marks=marks_of(texts),
        row_ends=slots.searchsorted(np.arange(len(texts) + 1)),
        row_terms=(distinct & 0xFFFFFFFF).astype(np.int32),
        row_codes=pairs.codes(frequencies, lengths[slots]).astype(np.uint32),
    )
