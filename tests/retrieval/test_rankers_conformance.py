"""The checks for fusions and rerankers: ours pass them, and each law has a sabotage it catches."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
import pytest

from engram_lab.retrieval.embedders.protocol import TokenVectors
from engram_lab.retrieval.fusion import (
    AdaptiveFusion,
    DistributionBased,
    Fused,
    Fusion,
    ReciprocalRankFusion,
    TheoreticalMinMax,
    WeightedFusion,
    ZeroMeanUnitVariance,
)
from engram_lab.retrieval.learned import LearnedRecord, LinearModel
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.rerank import (
    Candidate,
    Feedback,
    Importance,
    MaximalMarginalRelevance,
    PairReranker,
    Priors,
    Project,
    Recency,
    Reranked,
    Reranker,
    RerankQuery,
    Tags,
    late_interaction,
)
from engram_lab.testing import ConformanceError, check_fusion, check_reranker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Kind

    Found = dict[str, Ranking]

RRF = ReciprocalRankFusion()
WEIGHTS = {"dense": 0.3, "lexical": 0.7}
LEAST = {"dense": -1.0, "lexical": -1.0}
LEARNED = LearnedRecord(weights={"dense": 1.0, "lexical": 0.3})


@pytest.mark.parametrize(
    "fusion",
    [
        RRF,
        ReciprocalRankFusion(k=0, weights=WEIGHTS),
        WeightedFusion(weights=WEIGHTS),
        WeightedFusion(weights=WEIGHTS, normaliser=ZeroMeanUnitVariance()),
        WeightedFusion(weights=WEIGHTS, normaliser=DistributionBased()),
        WeightedFusion(weights=WEIGHTS, normaliser=TheoreticalMinMax(least=LEAST)),
        AdaptiveFusion(),
        AdaptiveFusion(weights=WEIGHTS),
        LinearModel(record=LEARNED),
    ],
)
def test_our_fusions_keep_the_laws(fusion: Fusion) -> None:
    check_fusion(fusion)


def test_a_fusion_may_need_to_know_its_arms() -> None:
    fusion = ReciprocalRankFusion(weights={"a": 1, "b": 2, "c": 3})
    check_fusion(fusion, arms=("a", "b", "c"))
    with pytest.raises(ConformanceError, match=r"InvalidInputError was raised: arm 'dense'"):
        check_fusion(fusion)


class Words:
    """Token vectors by word, and pairs by shared words."""

    def embed_tokens(self, texts: Sequence[str], *, kind: Kind) -> list[TokenVectors]:
        return [
            TokenVectors(tuple(text.split()), np.array([self.vector(w) for w in text.split()]))
            for text in texts
        ]

    @staticmethod
    def vector(word: str) -> NDArray[np.float32]:
        vector = np.random.default_rng(crc32(word.encode())).normal(size=4).astype(np.float32)
        unit: NDArray[np.float32] = vector / np.linalg.norm(vector)
        return unit

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float64]:
        return np.array([len({*query.split()} & {*text.split()}) for text in texts], np.float64)


@pytest.mark.parametrize(
    "reranker",
    [
        Priors(priors=()),
        Priors(
            priors=(
                Recency(),
                Importance(),
                Tags(weight=1.0),
                Project(),
                Feedback(votes=lambda _: None),
            )
        ),
        MaximalMarginalRelevance(),
        MaximalMarginalRelevance(relevance_share=0.0),
        MaximalMarginalRelevance(relevance_share=1.0),
        PairReranker(scorer=Words()),
        late_interaction(Words(), frequency=len, count=lambda: 10),
    ],
)
def test_our_rerankers_keep_the_laws(reranker: Reranker) -> None:
    check_reranker(reranker)


class Sabotaged:
    """A fusion that spoils what a true one gives."""

    def __init__(self, spoil: Callable[[Any, Found, int], Fused]) -> None:
        self.spoil = spoil
        self.asked = 0

    def fuse(self, rankings: Found) -> Fused:
        self.asked += 1
        return self.spoil(RRF.fuse(rankings), rankings, self.asked)


def fails_on_nothing(true: Any, given: Any, _asked: int) -> Any:
    return true if given else 1 // 0


def loses_the_last(true: Any, _given: Any, _asked: int) -> Any:
    return true.top(max(0, len(true) - 1))


def worst_first(true: Any, _given: Any, _asked: int) -> Any:
    return replace(true, ranking=Ranking(true.ranking.keys[::-1], true.ranking.scores[::-1]))


def adds_a_bonus(true: Any, _given: Any, _asked: int) -> Any:
    return replace(true, ranking=Ranking(true.ranking.keys, true.ranking.scores + 0.2))


def favours_the_first_arm(_true: Any, given: Found, _asked: int) -> Fused:
    weights = {arm: 1.0 / place for place, arm in enumerate(given, 1)}
    return ReciprocalRankFusion(weights=weights).fuse(given)


def grows(_true: Any, given: Found, asked: int) -> Fused:
    return ReciprocalRankFusion(k=60 + asked // 2).fuse(given)


def writes(true: Any, given: Found, _asked: int) -> Fused:
    given.update({arm: each.top(1) for arm, each in given.items()})
    return RRF.fuse(given) if given else true


@pytest.mark.parametrize(
    ("fault", "law"),
    [
        (fails_on_nothing, "a fusion answers whatever the arms found"),
        (loses_the_last, "the fused ranking holds exactly"),
        (worst_first, "the fused ranking holds exactly"),
        (adds_a_bonus, "a score is the sum of what the arms give"),
        (favours_the_first_arm, "the order in which arms are given"),
        (grows, "the same arms give the same fusion again"),
        (writes, "a fusion leaves the rankings"),
    ],
)
def test_a_sabotaged_fusion_is_told_which_law_it_breaks(fault: Any, law: str) -> None:
    with pytest.raises(ConformanceError) as caught:
        check_fusion(Sabotaged(fault))  # type: ignore[arg-type]
    assert caught.value.law.startswith(law)


class Unruly:
    """A reranker that spoils what a true one gives."""

    def __init__(self, spoil: Callable[[Any, Sequence[Candidate], int], Reranked]) -> None:
        self.spoil = spoil
        self.asked = 0

    def rerank(self, query: RerankQuery, candidates: Sequence[Candidate]) -> Reranked:
        self.asked += 1
        return self.spoil(plain(candidates), candidates, self.asked)


def plain(candidates: Sequence[Candidate]) -> Reranked:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Priors(priors=()).rerank(RerankQuery(text="q", now=now), candidates)


def cuts(true: Any, _given: Any, _asked: int) -> Any:
    return true.top(3)


def favours_the_first(true: Any, given: Sequence[Candidate], _asked: int) -> Any:
    return plain([replace(given[0], score=99.0), *given[1:]]) if given else true


def grows_up(_true: Any, given: Sequence[Candidate], asked: int) -> Reranked:
    return plain([replace(each, score=each.score + asked // 2) for each in given])


def says_neither(true: Any, _given: Any, _asked: int) -> Any:
    return replace(true, how="mean")


@pytest.mark.parametrize(
    ("fault", "law"),
    [
        (fails_on_nothing, "a reranker answers whatever the candidates are"),
        (cuts, "what comes back holds exactly the candidates"),
        (worst_first, "what comes back holds exactly the candidates"),
        (adds_a_bonus, "a score is the sum or product"),
        (says_neither, "a score is the sum or product"),
        (favours_the_first, "the order in which candidates are given"),
        (grows_up, "the same candidates give the same order"),
    ],
)
def test_a_sabotaged_reranker_is_told_which_law_it_breaks(fault: Any, law: str) -> None:
    with pytest.raises(ConformanceError) as caught:
        check_reranker(Unruly(fault))
    assert caught.value.law.startswith(law)
