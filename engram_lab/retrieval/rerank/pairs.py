"""Reranking by a scorer that reads the question and a memory's text together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from engram_lab.core.checks import check_number
from engram_lab.core.errors import EmbedderError
from engram_lab.retrieval.rerank.building import made_of, on_unit_range, scores_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engram_lab.core.types import Memory
    from engram_lab.retrieval.rerank.protocol import Candidate, Reranked, RerankQuery

__all__ = ["PairReranker", "PairScorer", "content_of"]


class PairScorer(Protocol):
    """Tells how well texts answer a question: a cross-encoder, or late interaction.

    Guarantees: a higher score is a better answer; the score of a text does not depend on the
    others, but for the last few bits. Threads may share it.

    Not guaranteed: any scale.
    """

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return float64 [n], one finite score for each text.

        Raises:
            EmbedderError: The model failed.
        """
        ...


def content_of(memory: Memory) -> str:
    """Return the text of a memory, as scorers read it unless told otherwise."""
    return memory.content


@dataclass(frozen=True, kw_only=True)
class PairReranker:
    """Score = (1 - share) · relevance + share · scorer, each brought onto 0 to 1.

    Over the candidates, that is, as with `MinMax`, since the scale of a scorer says nothing of that
    of the scores so far. To have the scorer weighed with what was learned from evidence, make a
    ranking of `scorer.score` instead, and fuse it as one more arm.

    Source: the convex combination as in `WeightedFusion`; reranking by a cross-encoder as in
    Nogueira and Cho, "Passage Re-ranking with BERT" (2019), which is share 1.

    Attributes:
        scorer: Reads question and text.
        share: How much of the score is the scorer's, from 0 to 1.
        name: What the scorer's part is called in an explanation.
        text_of: The text of a memory that the scorer reads.

    Raises:
        InvalidInputError: The share is no number from 0 to 1.
    """

    scorer: PairScorer
    share: float = 1.0
    name: str = "cross_encoder"
    text_of: Callable[[Memory], str] = content_of

    def __post_init__(self) -> None:
        check_number(self.share, field="share")

    def rerank(self, query: RerankQuery, candidates: Sequence[Candidate]) -> Reranked:
        """Return the candidates by the mean of both; see `Reranker.rerank`."""
        texts = [self.text_of(each.memory) for each in candidates]
        scores = np.asarray(
            self.scorer.score(query.text, texts) if texts else np.empty(0), np.float64
        )
        if scores.shape != (len(texts),) or not np.isfinite(scores).all():
            raise EmbedderError(
                f"the scorer {self.name!r} gave scores of the shape {list(scores.shape)}, or NaN "
                f"or infinite ones, for {len(texts)} texts: it must give one number for each"
            )
        before = on_unit_range(scores_of(candidates))
        parts = {
            "relevance": (1.0 - self.share) * before,
            self.name: self.share * on_unit_range(scores),
        }
        return made_of(candidates, parts, how="sum")
