"""Ask a system every question of a corpus, and see what that costs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engram_lab.evaluation.systems import Corpus, Question, Searcher, System, Workshop

__all__ = ["HITS", "TIMED", "Answers", "ask", "probe"]

TIMED: Final = 100
"""How many questions are timed."""

HITS: Final = 10
"""How many hits are asked for when the answer is timed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What a system answered.

    Attributes:
        rankings: A query id and its hits, each an id and a score, best first.
        seconds: How long answers took, where they were timed.
        spent: Seconds that all of it took, the filling of the store included.
    """

    rankings: Sequence[tuple[str, Sequence[tuple[str, float]]]]
    seconds: Sequence[float] = ()
    spent: float = 0.0

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"rankings": self.rankings, "seconds": self.seconds, "spent": self.spent}

    @classmethod
    def of_plain(cls, found: Mapping[str, Any]) -> Self:
        """Return it from JSON."""
        rankings = [(id_, [(hit, score) for hit, score in hits]) for id_, hits in found["rankings"]]
        return cls(rankings=rankings, seconds=found["seconds"], spent=found["spent"])


def ask(
    system: System,
    corpus: Corpus,
    questions: Sequence[Question],
    workshop: Workshop,
    *,
    depth: int,
    timed: bool,
    told: Callable[[], None],
) -> Answers:
    """Return the answers of a system to the questions of a corpus.

    Args:
        system: Who is asked.
        corpus: What it knows.
        questions: In order.
        workshop: Shared by the systems.
        depth: How many hits are wanted.
        timed: Ask up to `TIMED` of them once more, for `HITS` hits, and time that.
        told: Called after each answer.

    Raises:
        InvalidInputError: A question cannot be asked; says which, and why.
    """
    rankings = []
    start = time.perf_counter()
    with system.open(corpus, workshop) as searcher:
        for each in questions:
            try:
                rankings.append((each.id, searcher.search(each.text, depth)))
            except InvalidInputError as error:
                raise InvalidInputError(f"the query {each.id!r} cannot be asked: {error}") from None
            told()
        spent = time.perf_counter() - start
        seconds = _seconds(searcher, questions[:TIMED], workshop) if timed else []
    return Answers(rankings=rankings, seconds=seconds, spent=spent)


def _seconds(searcher: Searcher, questions: Sequence[Question], workshop: Workshop) -> list[float]:
    """Return how long each answer takes, with the making of the question's vector."""
    seconds = []
    with workshop.afresh():
        for each in questions:
            start = time.perf_counter()
            searcher.search(each.text, HITS)
            seconds.append(time.perf_counter() - start)
    return seconds


def probe(system: System, corpus: Corpus, workshop: Workshop) -> dict[str, float]:
    """Return what a corpus costs a system; after all have answered, as it may write."""
    with system.open(corpus, workshop) as searcher, workshop.afresh():
        return dict(searcher.costs())
