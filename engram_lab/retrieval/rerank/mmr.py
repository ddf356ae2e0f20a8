"""Maximal marginal relevance: what is relevant and not yet said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engram_lab.core.checks import check_number
from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.rerank.building import made_of, on_unit_range, scores_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.rerank.protocol import Candidate, Reranked, RerankQuery

__all__ = ["MaximalMarginalRelevance"]


@dataclass(frozen=True, kw_only=True)
class MaximalMarginalRelevance:
    """Next is the one with the highest λ · relevance - (1 - λ) · likeness to one chosen before.

    The relevance is the score so far, brought onto 0 to 1 over the candidates, so that it can be
    weighed against a cosine. The likeness is the highest cosine to any chosen before, 0 at least:
    what is opposite to it is no newer than what has nothing to do with it. A candidate without a
    vector is like no other. Equals stand by rising key. The value at which each is chosen is its
    score, which so never rises; it may lie below 0.

    Source: Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering
    Documents and Producing Summaries" (SIGIR 1998), equation 1.

    Attributes:
        relevance_share: λ, from 0, for newness alone, to 1, which keeps the order.

    Raises:
        InvalidInputError: λ is no number from 0 to 1.
    """

    relevance_share: float = 0.7

    def __post_init__(self) -> None:
        check_number(self.relevance_share, field="relevance_share")

    def rerank(
        self,
        query: RerankQuery,  # noqa: ARG002 - its words had their say in the scores
        candidates: Sequence[Candidate],
    ) -> Reranked:
        """Return the candidates in the order of choosing; see `Reranker.rerank`.

        Raises:
            InvalidInputError: Two vectors have unlike lengths.
        """
        by_key = sorted(candidates, key=lambda each: each.key)  # so that the first equal is chosen
        relevance = self.relevance_share * on_unit_range(scores_of(by_key))
        likeness = (1.0 - self.relevance_share) * _cosines(by_key)
        nearest = np.zeros(len(by_key))  # of each to those chosen so far
        said = np.zeros(len(by_key))  # `nearest` at the moment of choosing
        gone = np.zeros(len(by_key), np.bool_)
        for _ in by_key:
            chosen = int(np.where(gone, -np.inf, relevance - nearest).argmax())
            gone[chosen] = True
            said[chosen] = nearest[chosen]
            np.maximum(nearest, likeness[chosen], out=nearest)
        return made_of(by_key, {"relevance": relevance, "likeness": -said}, how="sum")


def _cosines(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Return the cosine of each to each, no lower than 0: float64 [n, n]."""
    sizes = {each.vector.shape for each in candidates if each.vector is not None}
    if len(sizes) > 1:
        raise InvalidInputError(
            f"the candidates have vectors of the shapes {sorted(sizes)}: give those of one embedder"
        )
    if not sizes:
        return np.zeros((len(candidates), len(candidates)))
    none = np.zeros(next(iter(sizes)), np.float32)
    rows = np.stack([none if each.vector is None else each.vector for each in candidates])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    cosines: NDArray[np.float64] = np.maximum(rows @ rows.T, 0.0).astype(np.float64)
    return cosines
