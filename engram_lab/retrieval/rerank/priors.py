"""Priors: what is known of a memory before the question, as bounded factors upon its relevance.

A prior of weight w multiplies by a number from 1 - w to 1 + w, so that it decides between memories
of like relevance and cannot carry one over another whose relevance is more than (1 + w) / (1 - w)
times as high. What is added to scores, or clamps them, has no such bound: it depends on how large
the scores of a fusion happen to be, and those of reciprocal rank fusion are about 0.016.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Protocol

import numpy as np

from engram_lab.core.checks import check_number
from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.retrieval.rerank.building import made_of, relevance_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.rerank.protocol import Candidate, Reranked, RerankQuery

__all__ = ["Feedback", "Importance", "Prior", "Priors", "Project", "Recency", "Tags", "Votes"]

_DAY: Final = timedelta(days=1)


class Prior(Protocol):
    """What is known of memories before the question."""

    @property
    def name(self) -> str:
        """The name of its factor in an explanation."""
        ...

    @property
    def weight(self) -> float:
        """How far a factor may lie from 1: from 0, which turns it off, to 1."""
        ...

    def factors(self, query: RerankQuery, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """Return float64 [n], each from 1 - weight to 1 + weight."""
        ...


@dataclass(frozen=True, kw_only=True)
class Recency:
    """factor = 1 + weight · (2 · 2^(-age / half-life) - 1).

    The age is counted in days from when that of which the memory tells happened, or else from when
    it was recorded, to the question; what lies ahead has the age 0. At one half-life the factor is
    1: younger memories gain, older ones lose.
    """

    weight: float = 0.1
    half_life_days: float = 30.0
    name: ClassVar[str] = "recency"

    def __post_init__(self) -> None:
        check_number(self.weight, field="weight of recency")
        if not math.isfinite(self.half_life_days) or self.half_life_days <= 0:
            raise InvalidInputError(
                f"half_life_days is {shown(self.half_life_days)}: give a number of days above 0"
            )

    def factors(self, query: RerankQuery, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """Return the factors; see `Prior.factors`."""
        memories = [each.memory for each in candidates]
        times = [each.event_at or each.created_at for each in memories]
        ages = np.array([(query.now - each) / _DAY for each in times], np.float64)
        fresh = np.exp2(-np.maximum(ages, 0.0) / self.half_life_days)
        return 1.0 + self.weight * (2.0 * fresh - 1.0)


@dataclass(frozen=True, kw_only=True)
class Importance:
    """factor = 1 + weight · (2 · importance - 1): 1 for a memory of importance 0.5."""

    weight: float = 0.1
    name: ClassVar[str] = "importance"

    def __post_init__(self) -> None:
        check_number(self.weight, field="weight of importance")

    def factors(
        self,
        query: RerankQuery,  # noqa: ARG002 - the same for all questions
        candidates: Sequence[Candidate],
    ) -> NDArray[np.float64]:
        """Return the factors; see `Prior.factors`."""
        importance = np.array([each.memory.importance for each in candidates], np.float64)
        return 1.0 + self.weight * (2.0 * importance - 1.0)


class Votes(NamedTuple):
    """How often a memory was found useful, and how often irrelevant."""

    useful: float = 0.0
    irrelevant: float = 0.0


_NO_VOTES: Final = Votes()


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """factor = 1 + weight · (g - 1), where g = 1 + (useful - 1.5 · irrelevant) / (total + 5).

    The total is useful + irrelevant; the 5 keeps a few votes from deciding much. It is g that is
    clamped, to 0.5 and 2, never the score that it multiplies.

    Attributes:
        votes: Gives the votes of a memory by its id, None for one without any.
        weight: At 1 the factor is g.
    """

    votes: Callable[[str], Votes | None]
    weight: float = 0.2
    name: ClassVar[str] = "feedback"

    def __post_init__(self) -> None:
        check_number(self.weight, field="weight of feedback")

    def factors(
        self,
        query: RerankQuery,  # noqa: ARG002 - the same for all questions
        candidates: Sequence[Candidate],
    ) -> NDArray[np.float64]:
        """Return the factors; see `Prior.factors`.

        Raises:
            InvalidInputError: Votes of a memory are no finite numbers from 0.
        """
        votes = [self.votes(each.memory.id) or _NO_VOTES for each in candidates]
        useful, irrelevant = np.array(votes, np.float64).reshape(-1, 2).T
        if not (np.isfinite([useful, irrelevant]).all() and min([0, *useful, *irrelevant]) >= 0):
            raise InvalidInputError("votes are below 0 or not finite: give how many there were")
        gain = (useful - 1.5 * irrelevant) / (useful + irrelevant + 5.0)
        return 1.0 + self.weight * np.maximum(np.minimum(gain, 1.0), -0.5)


@dataclass(frozen=True, kw_only=True)
class Tags:
    """factor = 1 + weight · share of the question's tags that the memory has; 1 if it has none."""

    weight: float = 0.1
    name: ClassVar[str] = "tags"

    def __post_init__(self) -> None:
        check_number(self.weight, field="weight of tags")

    def factors(self, query: RerankQuery, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """Return the factors; see `Prior.factors`."""
        wanted = set(query.tags)
        shared = [len(wanted.intersection(each.memory.tags)) for each in candidates]
        return 1.0 + self.weight * np.array(shared, np.float64) / max(1, len(wanted))


@dataclass(frozen=True, kw_only=True)
class Project:
    """factor = 1 + weight for memories of the question's project, 1 for all others.

    Attributes:
        weight: How much they gain.
        field: Where the metadata of a memory name its project.
    """

    weight: float = 0.1
    field: str = "project_path"
    name: ClassVar[str] = "project"

    def __post_init__(self) -> None:
        check_number(self.weight, field="weight of project")

    def factors(self, query: RerankQuery, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """Return the factors; see `Prior.factors`."""
        here = [
            query.project is not None and each.memory.metadata.get(self.field) == query.project
            for each in candidates
        ]
        return 1.0 + self.weight * np.array(here, np.float64)


@dataclass(frozen=True, kw_only=True)
class Priors:
    """Score = relevance · factor of each prior, in the order in which they are given.

    Attributes:
        priors: Each of another name.

    Raises:
        InvalidInputError: Two priors have one name.
    """

    priors: tuple[Prior, ...]

    def __post_init__(self) -> None:
        names = [each.name for each in self.priors]
        if len({"relevance", *names}) <= len(names):
            raise InvalidInputError(
                f"the priors are named {', '.join(names)}: give each a name of its own, none of "
                "them `relevance`"
            )

    @property
    def bound(self) -> float:
        """How many times as relevant as another a memory is that can never be overtaken by it."""
        ratios = [
            (1 + each.weight) / (1 - each.weight) if each.weight < 1 else math.inf
            for each in self.priors
        ]
        return math.prod(ratios)

    def rerank(self, query: RerankQuery, candidates: Sequence[Candidate]) -> Reranked:
        """Return the candidates by their products; see `Reranker.rerank`.

        Raises:
            InvalidInputError: A prior gives a factor that its weight does not allow.
        """
        relevance = relevance_of(candidates)
        if not relevance.any():  # none stands above another: the priors alone tell them apart
            relevance = np.ones(len(relevance))
        parts = {"relevance": relevance}
        for prior in self.priors:
            factors = prior.factors(query, candidates)
            if not (np.abs(factors - 1.0) <= prior.weight + 1e-9).all():
                raise InvalidInputError(
                    f"prior {prior.name!r} of weight {prior.weight} gave a factor outside "
                    f"{1 - prior.weight:.4g} to {1 + prior.weight:.4g}"
                )
            parts[prior.name] = factors
        return made_of(candidates, parts, how="product")
