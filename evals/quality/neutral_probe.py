"""Self-queries: what a corpus says of its arms where nobody has asked it anything yet.

A memory is asked for by one of its sentences, or by the five rarest words of it, while the rest of
it takes its place among all others: with the sentence left in, BM25 would always find it. The dense
share at which they are found best is taken for the questions of users.

Source: the idea of known-item queries made from the collection itself is that of Azzopardi, de
Rijke and Balog, "Building Simulated Queries for Known-Item Topics" (SIGIR 2007); the form is ours.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from neutral_rules import GRID, Pair, fused_at

from engram_lab.retrieval.lexical.analyser import Analyser
from engram_lab.retrieval.lexical.bm25 import idf, saturation
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders import Embedder

__all__ = ["dense_share"]

ASKED: Final = 100
"""How many sentences of a corpus are asked at most."""

RARE: Final = 5
"""How many words the shorter of the two questions has."""

_DEPTH: Final = 100
_FEWEST_TERMS: Final = 4
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass
class _Words:
    """BM25 over texts, one of which may be exchanged for what is left of it."""

    texts: Sequence[str]
    analyser: Analyser = field(default_factory=Analyser)

    def __post_init__(self) -> None:
        counts = [Counter(self.analyser.terms(text)) for text in self.texts]
        self.lengths = np.array([each.total() for each in counts], np.int64)
        self.average = float(self.lengths.mean()) or 1.0
        self.found: dict[str, dict[int, int]] = {}
        for place, each in enumerate(counts):
            for term, count in each.items():
                self.found.setdefault(term, {})[place] = count

    def weight(self, term: str) -> float:
        return idf(len(self.found.get(term, ())), len(self.texts))

    def rank(self, query: str, place: int, rest: str) -> Ranking:
        scores = np.zeros(len(self.texts))
        left = Counter(self.analyser.terms(rest))
        lengths = self.lengths.copy()
        lengths[place] = left.total()
        for term in self.analyser.query_terms(query):
            counts = {**self.found.get(term, {}), place: left[term]}
            at, tf = (
                np.array([each for each in counts.items() if each[1]], np.int64).reshape(-1, 2).T
            )
            scores[at] += self.weight(term) * saturation(tf, lengths[at], self.average)
        held = np.flatnonzero(scores)
        return Ranking.of(held, scores[held], limit=_DEPTH)

    def rarest(self, sentence: str) -> str:
        words = re.findall(r"\w+", sentence)
        said = [
            max(map(self.weight, self.analyser.query_terms(word)), default=0.0) for word in words
        ]
        chosen = sorted(np.argsort(np.negative(said), kind="stable")[:RARE].tolist())
        return " ".join(words[at] for at in chosen)


def dense_share(texts: Sequence[str], embedder: Embedder, *, seed: int = 0) -> float:
    """Return the dense share at which sentences find the rest of their memory best.

    0.5 where no memory has two sentences.

    Args:
        texts: The memories of a corpus.
        embedder: Of the dense arm.
        seed: Of the choice of sentences.
    """
    words = _Words(texts)
    asked = _sentences(texts, words.analyser, np.random.default_rng(seed))
    if not asked:
        return 0.5
    vectors = embedder.embed(texts, kind="document")
    rests = embedder.embed([rest for _, _, rest in asked], kind="document")
    total = np.zeros(len(GRID))
    for (place, sentence, rest), of_rest in zip(asked, rests, strict=True):
        questions = [sentence, words.rarest(sentence)]
        for question, vector in zip(
            questions, embedder.embed(questions, kind="query"), strict=True
        ):
            cosines = vectors @ vector
            cosines[place] = of_rest @ vector
            pair = Pair(
                keyword=words.rank(question, place, rest),
                semantic=Ranking.of(np.arange(len(texts)), cosines, limit=_DEPTH),
            )
            total += [_gain(fused_at(pair, share), place) for share in GRID]
    best = np.flatnonzero(total >= total.max() - 1e-9)
    return GRID[int(best[np.abs(best - len(GRID) // 2).argmin()])]


def _sentences(
    texts: Sequence[str], analyser: Analyser, chance: np.random.Generator
) -> list[tuple[int, str, str]]:
    """Return up to `ASKED` places of memories, each with a sentence and the rest of it."""
    asked = []
    for place in chance.permutation(len(texts)).tolist():
        sentences = [each for each in _SENTENCE.split(texts[place]) if each.strip()]
        chosen = int(chance.integers(len(sentences))) if sentences else 0
        rest = " ".join(sentences[:chosen] + sentences[chosen + 1 :])
        if len(analyser.terms(rest)) < _FEWEST_TERMS:
            continue
        if len(analyser.query_terms(sentences[chosen])) >= _FEWEST_TERMS:
            asked.append((place, sentences[chosen], rest))
        if len(asked) == ASKED:
            break
    return asked


def _gain(ranking: Ranking, place: int) -> float:
    """Return nDCG@10 with one relevant memory."""
    at: NDArray[np.int64] = np.flatnonzero(ranking.keys[:10] == place)
    return 1.0 / float(np.log2(at[0] + 2)) if len(at) else 0.0
