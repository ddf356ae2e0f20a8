"""Which arms search: as told, or decided by what the question and the indexes show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from engram_lab.config.retrieval import STRATEGIES
from engram_lab.core.errors import EmbedderError, InvalidInputError, shown

if TYPE_CHECKING:
    from engram_lab.config.retrieval import Strategy
    from engram_lab.retrieval.question import Question

__all__ = ["NO_MEMORIES", "NO_VECTORS", "Chosen", "Evidence", "check_strategy", "choose"]

NO_VECTORS: Final = "no memory that is asked for has a vector"

NO_MEMORIES: Final = "no memory fits the filter, place and time that were asked for"


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What the arms have to say.

    Attributes:
        found: How many of the memories that are asked for the words find. What lies out of sight
            decides nothing.
        vectors: How many of these memories have a vector, up to the depth of the search.
        obstacle: Why no vector can be made of the question, where none can.
    """

    found: int = 0
    vectors: int = 0
    obstacle: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """The strategy, and why."""

    strategy: Literal["keyword", "semantic", "hybrid"]
    reason: str


def check_strategy(wanted: object) -> None:
    """Refuse what is no strategy.

    Raises:
        InvalidInputError: It is unknown.
    """
    if wanted not in STRATEGIES:
        raise InvalidInputError(f"strategy is {shown(wanted)}: allowed are {', '.join(STRATEGIES)}")


def choose(wanted: Strategy, question: Question, evidence: Evidence) -> Chosen:
    """Return which arms search.

    What was told is done. `auto` takes both arms unless one has nothing to say: no vectors, or no
    way to make one of the question, or a phrase or beginning that was asked for, leave the keyword
    arm; a question whose words find nothing leaves the semantic arm.

    Raises:
        EmbedderError: Vectors were asked for by name, and there is an obstacle.
    """
    if wanted in {"semantic", "hybrid"} and evidence.obstacle is not None:
        raise EmbedderError(f"strategy is {wanted!r}, but {evidence.obstacle}")
    if wanted != "auto":
        return Chosen(strategy=wanted, reason="as told")
    if question.exact:
        return Chosen(
            strategy="keyword", reason="words in quotes are a phrase, one before a * is a beginning"
        )
    if evidence.obstacle is not None or not evidence.vectors:
        return Chosen(
            strategy="keyword",
            reason=evidence.obstacle or NO_VECTORS,
        )
    if not question.terms or not evidence.found:
        why = "none of the words finds anything" if question.terms else "no word of it tells much"
        return Chosen(strategy="semantic", reason=why)
    return Chosen(strategy="hybrid", reason="both arms have something to say")
