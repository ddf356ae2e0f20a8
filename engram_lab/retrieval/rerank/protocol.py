"""What a reranker is: the best candidates in, the same in a better order out, with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.core.types import Memory
    from engram_lab.retrieval.ranking import Ranking

__all__ = ["Candidate", "Factor", "RerankQuery", "Reranked", "Reranker"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RerankQuery:
    """A question as rerankers see it.

    Attributes:
        text: The question.
        now: The moment at which it is asked, aware.
        tags: Tags that whoever asks would rather see.
        project: The project within which it is asked, as memories name it in their metadata.
    """

    text: str
    now: datetime
    tags: tuple[str, ...] = ()
    project: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Candidate:
    """A memory that may be an answer, and what is known of it.

    Attributes:
        key: Its number.
        score: What it is ranked by so far; a finite number.
        memory: Itself.
        vector: float32 [dim], where the reranker asks for one.
    """

    key: int
    score: float
    memory: Memory
    vector: NDArray[np.float32] | None = None


class Factor(NamedTuple):
    """One part of a score, by name: what is added, or multiplied, as `Reranked.how` says."""

    name: str
    value: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reranked:
    """The candidates in their new order, and how each score came about.

    Attributes:
        ranking: All candidates, n of them.
        names: What a score is made of.
        values: float64 [n, names]. The score of a candidate is the sum or the product of its row,
            taken from left to right, to the last bit.
        how: Which of the two.
    """

    ranking: Ranking
    names: tuple[str, ...]
    values: NDArray[np.float64]
    how: Literal["sum", "product"]

    def __len__(self) -> int:
        return len(self.ranking)

    def top(self, limit: int) -> Self:
        """Return the best `limit`. Raises what `Ranking.top` does."""
        return type(self)(
            ranking=self.ranking.top(limit),
            names=self.names,
            values=self.values[:limit],
            how=self.how,
        )

    def explain(self, place: int) -> tuple[Factor, ...]:
        """Return what the score of the candidate at a place, from 0, is made of."""
        return tuple(map(Factor, self.names, self.values[place].tolist()))


class Reranker(Protocol):
    """Orders candidates anew.

    Guarantees: what comes back holds exactly the candidates, each once, whatever their order and
    the range of their scores, be they below 0; the order in which they are given does not matter;
    no candidates give nothing. Threads may share it.

    Not guaranteed: that scores can be compared with those before, or with those of candidates that
    were not given. Cut to a depth first, rerank, and take the top of that.
    """

    def rerank(self, query: RerankQuery, candidates: Sequence[Candidate]) -> Reranked:
        """Return the candidates in their new order.

        Raises:
            InvalidInputError: A score is no finite number, or a key comes twice.
            EmbedderError: A model that it asks failed.
        """
        ...
