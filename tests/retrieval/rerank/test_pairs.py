from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.rerank import Candidate, PairReranker, RerankQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Make = Callable[..., Candidate]


@dataclass
class LetterScorer:
    """Scores a text by how many letters it shares with the question."""

    asked: list[str] = field(default_factory=list)

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float64]:
        self.asked += texts
        return np.array([len(set(query) & set(text)) for text in texts], np.float64)


@dataclass
class Says:
    """Says what it is told."""

    scores: Any

    def score(self, query: str, texts: Sequence[str]) -> Any:
        return self.scores


def made(make: Make, contents: Sequence[str]) -> list[Candidate]:
    """Return candidates of these contents, the first the best so far."""
    count = len(contents)
    return [
        make(key, (count - key) / 7, content=content) for key, content in enumerate(contents, 1)
    ]


def test_a_scorer_alone_orders_by_what_it_says(candidate: Make, now: Any) -> None:
    query = RerankQuery(text="abc", now=now)
    reranked = PairReranker(scorer=LetterScorer()).rerank(
        query, made(candidate, ["x", "ab", "abc", "a"])
    )
    assert reranked.ranking.keys.tolist() == [3, 2, 4, 1]
    assert dict(reranked.explain(1)) == {"relevance": 0.0, "cross_encoder": pytest.approx(2 / 3)}


def test_a_share_mixes_it_with_the_scores_so_far(candidate: Make, now: Any) -> None:
    query = RerankQuery(text="abc", now=now)
    candidates = made(candidate, ["x", "ab", "abcde"])
    reranked = PairReranker(scorer=LetterScorer(), share=0.25, name="letters").rerank(
        query, candidates
    )
    wanted = {1: 0.75 * 1.0, 2: 0.75 * 0.5 + 0.25 * 2 / 3, 3: 0.25}
    ranking = reranked.ranking
    assert dict(zip(ranking.keys.tolist(), ranking.scores.tolist(), strict=True)) == pytest.approx(
        wanted
    )
    assert (reranked.names, reranked.how) == (("relevance", "letters"), "sum")


@given(scores=st.lists(st.floats(-5, 5), max_size=8))
def test_a_share_of_nothing_keeps_the_order(
    candidate: Make, query: RerankQuery, scores: list[float]
) -> None:
    candidates = [candidate(key, score) for key, score in enumerate(scores, 1)]
    reranked = PairReranker(scorer=LetterScorer(), share=0.0).rerank(query, candidates)
    score_of = dict(enumerate(scores, 1))
    in_order = [score_of[key] for key in reranked.ranking.keys.tolist()]
    assert in_order == pytest.approx(sorted(scores, reverse=True), abs=1e-9)


def test_the_scorer_reads_the_text_that_it_is_told_to(candidate: Make, query: RerankQuery) -> None:
    scorer = LetterScorer()
    reranker = PairReranker(
        scorer=scorer, text_of=lambda memory: f"{memory.type}: {memory.content}"
    )
    reranker.rerank(query, made(candidate, ["tea"]))
    assert scorer.asked == ["note: tea"]


def test_a_scorer_is_not_asked_about_nothing(query: RerankQuery) -> None:
    reranked = PairReranker(scorer=Says(None)).rerank(query, [])
    assert (len(reranked), reranked.values.shape) == (0, (0, 2))


@pytest.mark.parametrize(
    "scores", [[1.0], [1.0, math.nan], [math.inf, 1.0], [[1.0, 2.0], [3.0, 4.0]], 1.0]
)
def test_what_is_no_score_for_each_text_is_refused(
    candidate: Make, query: RerankQuery, scores: Any
) -> None:
    with pytest.raises(EmbedderError, match="'cross_encoder' gave scores of the shape"):
        PairReranker(scorer=Says(scores)).rerank(query, made(candidate, ["a", "b"]))


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_that_is_not_from_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(InvalidInputError, match="share is"):
        PairReranker(scorer=LetterScorer(), share=share)
