"""Ask a system every question of a corpus, and time it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engram_lab.evaluation.systems import Corpus, Question, System, Workshop

__all__ = ["Answers", "ask", "probe"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What a system answered.

    Attributes:
        rankings: A query id and its hits, each an id and a score, best first.
        seconds: How long each answer took, in the same order.
    """

    rankings: Sequence[tuple[str, Sequence[tuple[str, float]]]]
    seconds: Sequence[float]

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"rankings": self.rankings, "seconds": self.seconds}

    @classmethod
    def of_plain(cls, found: Mapping[str, Any]) -> Self:
        """Return it from JSON."""
        rankings = [(id_, [(hit, score) for hit, score in hits]) for id_, hits in found["rankings"]]
        return cls(rankings=rankings, seconds=found["seconds"])


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

    The first question is asked once more before, untimed: it builds the indexes.

    Args:
        system: Who is asked.
        corpus: What it knows.
        questions: In order.
        workshop: Shared by the systems.
        depth: How many hits are wanted.
        told: Called after each answer.
    """
    rankings, seconds = [], []
    with system.open(corpus, workshop) as searcher:
        if questions:
            searcher.search(questions[0].text, depth)
        for each in questions:
            start = time.perf_counter()
            found = searcher.search(each.text, depth)
            seconds.append(time.perf_counter() - start)
            rankings.append((each.id, found))
            told()
    return Answers(rankings=rankings, seconds=seconds)


def probe(system: System, corpus: Corpus, workshop: Workshop) -> dict[str, float]:
    """Return what a corpus costs a system; after all have answered, as it may write."""
    with system.open(corpus, workshop) as searcher:
        return dict(searcher.costs())
