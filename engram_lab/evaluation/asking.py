"""Ask a system every question of a corpus, and time it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from engram_lab.evaluation.measures.costs import costs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engram_lab.evaluation.systems import Corpus, Question, System, Workshop

__all__ = ["HITS", "TIMED", "Answers", "ask", "probe"]

TIMED: Final = 200
HITS: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What a system answered.

    Attributes:
        rankings: A query id and its hits, each an id and a score, best first.
    """

    rankings: Sequence[tuple[str, Sequence[tuple[str, float]]]]

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"rankings": self.rankings}

    @classmethod
    def of_plain(cls, found: Mapping[str, Any]) -> Self:
        """Return it from JSON."""
        rankings = [(id_, [(hit, score) for hit, score in hits]) for id_, hits in found["rankings"]]
        return cls(rankings=rankings)


def ask(
    system: System,
    corpus: Corpus,
    questions: Sequence[Question],
    workshop: Workshop,
    *,
    depth: int,
    told: Callable[[], None],
) -> Answers:
    """Return the answers of a system to the questions of a corpus.

    Args:
        system: Who is asked.
        corpus: What it knows.
        questions: In order.
        workshop: Shared by the systems.
        depth: How many hits are wanted.
        told: Called after each answer.
    """
    rankings = []
    with system.open(corpus, workshop) as searcher:
        for each in questions:
            rankings.append((each.id, searcher.search(each.text, depth)))
            told()
    return Answers(rankings=rankings)


def probe(
    system: System, corpus: Corpus, questions: Sequence[Question], workshop: Workshop
) -> dict[str, float]:
    """Return what a corpus costs a system; after all have answered, as it may write.

    Up to `TIMED` questions are timed, `HITS` hits each, with the making of the question's vector.
    One is asked before, untimed: it builds the indexes.
    """
    seconds = []
    with system.open(corpus, workshop.bare) as searcher:
        for each in (questions[0], *questions[:TIMED]):
            start = time.perf_counter()
            searcher.search(each.text, HITS)
            seconds.append(time.perf_counter() - start)
        return {**costs_of(seconds[1:]), **searcher.costs()}
