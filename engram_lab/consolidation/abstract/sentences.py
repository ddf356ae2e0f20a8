"""Texts as sentences, and how alike two sentences are by their words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from engram_lab.core.text import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Sentence", "concepts", "cosines", "sentences_of", "split"]

_WORD: Final = re.compile(r"\w+(?:['\u2019]\w+)?")
# A mark that ends a sentence, perhaps with what closes a quotation, before a space or at the end;
# a full stop of Chinese or Japanese needs no space.
_END: Final = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019)\]]*(?=\s|$)|[\u3002\uff01\uff1f]+|\n+")
_SHORT: Final = frozenset(
    {
        "dr", "mr", "mrs", "ms", "prof", "st", "no", "nr", "vs", "etc", "approx", "e.g", "i.e",
        "cf", "fig", "inc", "ltd", "co", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep",
        "sept", "oct", "nov", "dec",
    }
)  # fmt: skip
"""After these a full stop is no end, unless a line ends too."""

_LEAST_LETTERS: Final = 3
_FUNCTION: Final = frozenset(
    {
        "the", "and", "but", "for", "nor", "yet", "not", "you", "your", "yours", "she", "her",
        "hers", "him", "his", "its", "it's", "our", "ours", "they", "them", "their", "this", "that",
        "these", "those", "who", "whom", "whose", "which", "what", "when", "where", "why", "how",
        "are", "was", "were", "been", "being", "have", "has", "had", "having", "does", "did",
        "doing", "will", "would", "shall", "should", "can", "could", "may", "might", "must", "i'm",
        "you're", "i've", "i'll", "i'd", "that's", "let's", "don't", "didn't", "can't", "with",
        "from", "into", "onto", "over", "under", "about", "after", "before", "between", "through",
        "during", "above", "below", "out", "off", "again", "then", "than", "there", "here", "all",
        "any", "both", "each", "few", "more", "most", "other", "some", "such", "only", "own",
        "same", "too", "very", "just", "also", "really", "now", "get", "got", "one", "because",
        "while", "until", "though", "yes", "yeah", "well", "wow", "hey", "thanks", "thank", "okay",
        "sure", "much", "many", "like", "know", "think",
    }
)  # fmt: skip
"""Words that tell nothing by themselves, or are but polite."""


class Sentence(NamedTuple):
    """A sentence, and of which text, by its place."""

    text: str
    source: int


def split(text: str) -> list[str]:
    """Return the sentences of a text, whole and in order: nothing but spaces is lost."""
    found: list[str] = []
    begin = 0
    for end in _END.finditer(text):
        if _is_short(text[begin : end.start()], end.group(), text[end.end() : end.end() + 2]):
            continue
        found.append(text[begin : end.end()].strip())
        begin = end.end()
    found.append(text[begin:].strip())
    return [each for each in found if each]


def _is_short(before: str, mark: str, after: str) -> bool:
    """Tell whether a full stop ends an abbreviation or an initial, not the sentence."""
    if mark != ".":
        return False
    word = before.rsplit(maxsplit=1)[-1].strip("(\"'").lower() if before.strip() else ""
    if after.strip()[:1].islower():
        return True
    return word in _SHORT or (len(word) == 1 and word.isalpha() and word != "i")


def sentences_of(texts: Sequence[str]) -> list[Sentence]:
    """Return the sentences of texts in order; one that was said before is left out."""
    seen: set[str] = set()
    found: list[Sentence] = []
    for place, text in enumerate(texts):
        for each in split(text):
            key = normalise(each)
            if key not in seen and _WORD.search(each):
                seen.add(key)
                found.append(Sentence(each, place))
    return found


def concepts(sentences: Sequence[Sentence]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 1 where a sentence holds a concept, float64 [n, m], and the weights, float64 [m].

    A concept is a word that tells something: a number, or a word of three letters or more that is
    no function word of English. It counts by how many of the texts hold it.

    Source: Gillick and Favre, "A Scalable Global Model for Summarization" (ILP for NLP 2009), §2.
    """
    words: dict[str, int] = {}
    rows: list[list[int]] = []
    for each in sentences:
        told = [word.replace("\u2019", "'") for word in _WORD.findall(normalise(each.text))]
        telling = [
            word
            for word in told
            if word.isdecimal() or (len(word) >= _LEAST_LETTERS and word not in _FUNCTION)
        ]
        rows.append([words.setdefault(word, len(words)) for word in telling])
    held = np.zeros((len(rows), len(words)))
    texts: list[set[int]] = [set() for _ in words]
    for row, places in enumerate(rows):
        held[row, places] = 1.0
        for place in places:
            texts[place].add(sentences[row].source)
    return held, np.array([float(len(each)) for each in texts])


def cosines(sentences: Sequence[str]) -> NDArray[np.float64]:
    """Return the cosines of all pairs by tf-idf among these sentences, float64 [n, n], 0 to 1.

    Source: Erkan and Radev, "LexRank" (Journal of Artificial Intelligence Research 22, 2004),
    equation 1, with idf = ln(1 + n / n_w), which leaves something to a word that is in all.
    """
    words: dict[str, int] = {}
    rows = [
        [words.setdefault(word, len(words)) for word in _WORD.findall(normalise(each))]
        for each in sentences
    ]
    counts = np.zeros((len(rows), len(words)))
    for row, places in enumerate(rows):
        np.add.at(counts[row], places, 1.0)
    rarity = np.log1p(len(rows) / np.maximum((counts > 0).sum(axis=0), 1))
    weighted = counts * rarity
    lengths = np.linalg.norm(weighted, axis=1, keepdims=True)
    weighted /= np.where(lengths > 0, lengths, 1.0)
    return np.asarray(np.clip(weighted @ weighted.T, 0.0, 1.0), np.float64)
