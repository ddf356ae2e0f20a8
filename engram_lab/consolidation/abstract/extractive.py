"""The gist of texts as some of their own sentences: central ones, that cover all, from many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.consolidation.abstract.protocol import SUMMARISERS
from engram_lab.consolidation.abstract.sentences import Sentence, concepts, cosines, sentences_of
from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from engram_lab.config import DreamSettings

__all__ = ["Extractive", "Objective", "centrality"]

_NAME = "extractive"
_MOST_SENTENCES: Final = 400
"""Of longer groups the sentences are thinned evenly first: all pairs are compared."""
_DAMPING: Final = 0.85
_GAIN: Final = 1e-12
_SCALES: Final = (0.3, 1.0)
"""By these powers of its length a sentence counts as dear."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Extractive:
    """Chooses whole sentences that make F large, within so many characters; nothing is rewritten.

    F(S) = Σ over the concepts c in S of weight(c) + diversity · Σ_k √(Σ_{j in S, of text k} r_j)

    The first part is coverage: each telling word counts once, by how many of the texts hold it. In
    the second r_j is the sum of the weights of a sentence's concepts times its centrality: it
    prefers what is central, and takes ever less from one and the same memory. F never falls when a
    sentence is added, and each adds less the more there are: so the greedy choice by gain per
    character, or the best single sentence if that is better, is at least 1 - 1/√e of the best
    choice there is.

    Source: Gillick and Favre, "A Scalable Global Model for Summarization" (ILP for NLP 2009), §2,
    for the concepts; Lin and Bilmes, "A Class of Submodular Functions for Document Summarization"
    (ACL 2011), equation 5, for the diversity, with the texts as clusters; the greedy and its bound:
    Lin and Bilmes, "Multi-document Summarization via Budgeted Maximization of Submodular Functions"
    (NAACL 2010), algorithm 1 and theorem 1. Centrality: Erkan and Radev, "LexRank" (JAIR 22, 2004),
    equation 5.

    Attributes:
        diversity: From 0.
        telling: Sentences of fewer concepts than this are left out where any has as many: answers
            and exclamations mean little by themselves. From 0.

    Raises:
        InvalidInputError: One of them is below 0, or no finite number.
    """

    diversity: float = 1.0
    telling: int = 3

    def __post_init__(self) -> None:
        if self.telling < 0:
            raise InvalidInputError(f"telling is {shown(self.telling)}: give a number from 0")
        if not 0 <= self.diversity < np.inf:
            raise InvalidInputError(f"diversity is {shown(self.diversity)}: give a number from 0")

    @property
    def name(self) -> str:
        """Its registered name."""
        return _NAME

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was set to."""
        return {"diversity": self.diversity, "telling": self.telling}

    def summarise(self, texts: Sequence[str], *, most_chars: int) -> str:
        """Return some of the sentences in their order, one a line; see `Summariser.summarise`."""
        sentences = sentences_of(texts)
        if len(sentences) > _MOST_SENTENCES:
            kept = np.linspace(0, len(sentences) - 1, _MOST_SENTENCES).astype(int)
            sentences = [sentences[place] for place in kept.tolist()]
        if not sentences:
            return ""
        # The line break between two sentences counts with the one before.
        costs = np.array([len(each.text) + 1 for each in sentences], np.int64)
        objective = self.objective(sentences)
        telling = (objective.held.sum(axis=1) >= self.telling) & (costs <= most_chars + 1)
        if telling.any():
            costs = np.where(telling, costs, most_chars + 2)
        chosen = chosen_within(objective, costs, most_chars + 1)
        return "\n".join(sentences[place].text for place in sorted(chosen))

    def objective(self, sentences: Sequence[Sentence]) -> Objective:
        """Return F over sentences."""
        held, weights = concepts(sentences)
        central = centrality(cosines([each.text for each in sentences]))
        return Objective(
            held=held,
            weights=weights,
            rewards=central * (held @ weights),
            sources=np.array([each.source for each in sentences], np.int64),
            diversity=self.diversity,
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Objective:
    """F, ready to be asked: monotone and submodular, 0 for nothing.

    Attributes:
        held: 1 where a sentence holds a concept, else 0, float64 [n, m].
        weights: Of the concepts, float64 [m].
        rewards: r, float64 [n].
        sources: Of which text each sentence is, int64 [n].
        diversity: See `Extractive`.
    """

    held: NDArray[np.float64]
    weights: NDArray[np.float64]
    rewards: NDArray[np.float64]
    sources: NDArray[np.int64]
    diversity: float

    def value(self, chosen: Sequence[int]) -> float:
        """Return F of some sentences."""
        places = list(chosen)
        covered = self.weights[self.held[places].sum(axis=0) > 0].sum()
        by_source = np.bincount(self.sources[places], self.rewards[places])
        return float(covered + self.diversity * np.sqrt(by_source).sum())

    def gains(self, chosen: Sequence[int]) -> NDArray[np.float64]:
        """Return by how much F grows with each one more, float64 [n]; of one chosen it is 0."""
        places = list(chosen)
        missing = np.where(self.held[places].sum(axis=0) > 0, 0.0, self.weights)
        by_source = np.bincount(
            self.sources[places], self.rewards[places], minlength=int(self.sources.max()) + 1
        )
        before = by_source[self.sources]
        spread = np.sqrt(before + self.rewards) - np.sqrt(before)
        gains = self.held @ missing + self.diversity * spread
        gains[places] = 0.0
        return np.asarray(gains, np.float64)


def chosen_within(objective: Objective, costs: NDArray[np.int64], budget: int) -> list[int]:
    """Return what is best: one of the greedy choices by gain per cost, or a single sentence.

    Beside gain ÷ cost, for which the bound holds, gain ÷ cost^0.3 is tried, which is what the
    authors found best: it does not fill the budget with trifles because they are short.
    """
    fits = costs <= budget
    if not fits.any():
        return []
    choices = [_greedy(objective, costs, budget, scale=scale) for scale in _SCALES]
    choices.append([int(np.argmax(np.where(fits, objective.gains([]), -1.0)))])
    return max(choices, key=objective.value)


def _greedy(
    objective: Objective, costs: NDArray[np.int64], budget: int, *, scale: float
) -> list[int]:
    chosen: list[int] = []
    left = budget
    while True:
        gains = np.where(costs <= left, objective.gains(chosen), -1.0)
        gains[chosen] = -1.0
        following = int(np.argmax(gains / costs**scale))
        if gains[following] <= _GAIN:
            return chosen
        chosen.append(following)
        left -= int(costs[following])


def centrality(alike: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how central each sentence is, float64 [n], 1 on average.

    The chance to be at each in a walk that goes on by likeness, and jumps at random with
    probability 0.15; times n.

    Source: Erkan and Radev, "LexRank" (JAIR 22, 2004), equation 5, the continuous form: no
    threshold on the cosines.
    """
    n = len(alike)
    totals = alike.sum(axis=1, keepdims=True)
    walk = np.where(totals > 0, alike / np.where(totals > 0, totals, 1.0), 1.0 / n)
    # Where the walk stays the same by one more step: a linear equation, small enough to be solved.
    jumps = np.full(n, (1.0 - _DAMPING) / n)
    chances = np.linalg.solve(np.eye(n) - _DAMPING * walk.T, jumps)
    return np.asarray(chances * n, np.float64)


@SUMMARISERS.register(_NAME)
def _extractive(_: DreamSettings) -> Extractive:
    return Extractive()
