from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.fusion import ReciprocalRankFusion
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.rerank import (
    Factor,
    Feedback,
    Importance,
    Prior,
    Priors,
    Project,
    Recency,
    RerankQuery,
    Tags,
    Votes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.rerank import Candidate

    Make = Callable[..., Candidate]

VOTES = {
    "memory-1": Votes(10, 0),
    "memory-2": Votes(0, 10),
    "memory-3": Votes(1e9, 0),
    "memory-4": Votes(0, 1e9),
    "memory-5": Votes(3, 2),
}
WEIGHTS = st.floats(0, 0.95)


def all_priors(weights: Sequence[float]) -> Priors:
    recency, importance, feedback, tags, project = weights
    return Priors(
        priors=(
            Recency(weight=recency),
            Importance(weight=importance),
            Feedback(votes=VOTES.get, weight=feedback),
            Tags(weight=tags),
            Project(weight=project),
        )
    )


@st.composite
def many(draw: Any) -> list[dict[str, Any]]:
    """Draw fields of candidates of all sorts."""
    year = st.datetimes(datetime(1990, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
    fields = st.fixed_dictionaries(
        {
            # Of numbers still smaller a product keeps too few digits, or none.
            "score": st.just(0.0) | st.floats(1e-300, 1e3),
            "importance": st.floats(0, 1),
            "event_at": st.none() | year,
            "created_at": year,
            "tags": st.sampled_from([(), ("a",), ("a", "b"), ("c",)]),
            "metadata": st.sampled_from([{}, {"project_path": "/here"}, {"project_path": "/x"}]),
        }
    )
    return draw(st.lists(fields, min_size=1, max_size=6))  # type: ignore[no-any-return]


@given(fields=many(), weights=st.tuples(*[WEIGHTS] * 5))
def test_each_factor_keeps_to_what_its_weight_allows(
    candidate: Make, now: datetime, fields: list[dict[str, Any]], weights: Sequence[float]
) -> None:
    query = RerankQuery(text="q", now=now, tags=("a", "b"), project="/here")
    candidates = [candidate(key, **each) for key, each in enumerate(fields, 1)]
    for prior in all_priors(weights).priors:
        factors = prior.factors(query, candidates)
        assert factors.shape == (len(candidates),)
        assert (factors >= 1 - prior.weight - 1e-12).all()
        assert (factors <= 1 + prior.weight + 1e-12).all()


@given(fields=many(), weights=st.tuples(*[WEIGHTS] * 5))
def test_no_memory_overtakes_one_that_is_more_relevant_by_more_than_the_bound(
    candidate: Make, now: datetime, fields: list[dict[str, Any]], weights: Sequence[float]
) -> None:
    query = RerankQuery(text="q", now=now, tags=("a", "b"), project="/here")
    candidates = [candidate(key, **each) for key, each in enumerate(fields, 1)]
    priors = all_priors(weights)
    reranked = priors.rerank(query, candidates).ranking.keys.tolist()
    relevance = {each.key: each.score for each in candidates}
    for at, above in enumerate(reranked):
        for below in reranked[at + 1 :]:
            assert relevance[below] <= relevance[above] * priors.bound * (1 + 1e-9)


def test_the_bound_is_reached_and_not_passed(candidate: Make, query: RerankQuery) -> None:
    priors = Priors(priors=(Importance(weight=0.2),))
    assert priors.bound == pytest.approx(1.5)
    dull, weighty = {"importance": 0.0}, {"importance": 1.0}
    within = [candidate(1, 1.49, **dull), candidate(2, 1.0, **weighty)]
    beyond = [candidate(1, 1.51, **dull), candidate(2, 1.0, **weighty)]
    assert priors.rerank(query, within).ranking.keys.tolist() == [2, 1]
    assert priors.rerank(query, beyond).ranking.keys.tolist() == [1, 2]
    assert Priors(priors=(Importance(weight=1.0),)).bound == math.inf
    assert Priors(priors=()).bound == 1.0


def test_a_project_does_not_swamp_the_scores_of_reciprocal_rank_fusion(
    candidate: Make, now: datetime
) -> None:
    # 0.2 added to such scores puts any memory of the project before all others.
    fused = ReciprocalRankFusion().fuse({"a": Ranking.of(range(1, 101), np.arange(100.0)[::-1])})
    candidates = [
        candidate(key, score, metadata={"project_path": "/here"} if key == 100 else {})
        for key, score in zip(
            fused.ranking.keys.tolist(), fused.ranking.scores.tolist(), strict=True
        )
    ]
    query = RerankQuery(text="q", now=now, project="/here")
    reranked = Priors(priors=(Project(weight=0.2),)).rerank(query, candidates)
    keys = reranked.ranking.keys.tolist()
    assert keys[:50] == list(range(1, 51))
    assert keys.index(100) < 99  # it did help


def test_feedback_clamps_the_factor_and_not_the_score(candidate: Make, query: RerankQuery) -> None:
    # Scores of about 0.016, clamped to 0.5 at least, are all the same.
    candidates = [candidate(7, 1 / 61), candidate(8, 1 / 62), candidate(1, 1 / 63)]
    reranked = Priors(priors=(Feedback(votes=VOTES.get, weight=1.0),)).rerank(query, candidates)
    assert reranked.ranking.keys.tolist() == [1, 7, 8]
    assert reranked.ranking.scores.tolist() == [1 / 63 * (1 + 10 / 15), 1 / 61, 1 / 62]


@pytest.mark.parametrize(
    ("key", "factor"),
    [(1, 1 + 10 / 15), (2, 0.5), (3, 2.0), (4, 0.5), (5, 1.0), (6, 1.0)],
)
def test_the_factor_of_feedback_by_numbers(
    candidate: Make, query: RerankQuery, key: int, factor: float
) -> None:
    whole, half = Feedback(votes=VOTES.get, weight=1.0), Feedback(votes=VOTES.get, weight=0.5)
    assert whole.factors(query, [candidate(key, 1.0)]).tolist() == [pytest.approx(factor)]
    assert half.factors(query, [candidate(key, 1.0)]).tolist() == [pytest.approx((1 + factor) / 2)]


@pytest.mark.parametrize(
    "bad", [Votes(-1, 0), Votes(0, -1), Votes(math.nan, 0), Votes(0, math.inf)]
)
def test_votes_that_are_no_counts_are_refused(
    candidate: Make, query: RerankQuery, bad: Votes
) -> None:
    with pytest.raises(InvalidInputError, match="votes are below 0 or not finite"):
        Feedback(votes=lambda _: bad).factors(query, [candidate(1, 1.0), candidate(2, 1.0)])


@pytest.mark.parametrize(
    ("days", "factor"), [(0, 1.1), (30, 1.0), (60, 0.95), (90, 0.925), (10**5, 0.9), (-5, 1.1)]
)
def test_the_factor_of_recency_by_numbers(
    candidate: Make, query: RerankQuery, days: float, factor: float
) -> None:
    then = query.now - timedelta(days=days)
    recency = Recency(weight=0.1, half_life_days=30)
    happened = candidate(1, 1.0, event_at=then, created_at=query.now - timedelta(days=7))
    recorded = candidate(2, 1.0, created_at=then)
    assert recency.factors(query, [happened, recorded]).tolist() == [pytest.approx(factor)] * 2


@pytest.mark.parametrize(("importance", "factor"), [(0.0, 0.7), (0.5, 1.0), (1.0, 1.3)])
def test_the_factor_of_importance_by_numbers(
    candidate: Make, query: RerankQuery, importance: float, factor: float
) -> None:
    factors = Importance(weight=0.3).factors(query, [candidate(1, 1.0, importance=importance)])
    assert factors.tolist() == [pytest.approx(factor)]


def test_the_factor_of_tags_by_numbers(candidate: Make, query: RerankQuery) -> None:
    candidates = [candidate(1, 1.0, tags=each) for each in [(), ("a",), ("b", "a"), ("c",)]]
    wanted = replace(query, tags=("a", "b", "a"))
    assert Tags(weight=0.2).factors(wanted, candidates).tolist() == [1.0, 1.1, 1.2, 1.0]
    assert Tags(weight=0.2).factors(query, candidates).tolist() == [1.0] * 4


def test_the_factor_of_a_project_by_numbers(candidate: Make, query: RerankQuery) -> None:
    paths: list[dict[str, Any]] = [
        {},
        {"project_path": "/here"},
        {"project_path": None},
        {"at": "/here"},
    ]
    candidates = [candidate(1, 1.0, metadata=each) for each in paths]
    here = replace(query, project="/here")
    assert Project(weight=0.2).factors(here, candidates).tolist() == [1.0, 1.2, 1.0, 1.0]
    assert Project(weight=0.2, field="at").factors(here, candidates).tolist() == [1, 1, 1, 1.2]
    assert Project(weight=0.2).factors(query, candidates).tolist() == [1.0] * 4


@given(scores=st.lists(st.floats(-5, 5), min_size=1, max_size=8))
def test_priors_that_say_nothing_keep_the_order_even_below_0(
    candidate: Make, query: RerankQuery, scores: list[float]
) -> None:
    candidates = [candidate(key, score) for key, score in enumerate(scores, 1)]
    reranked = Priors(priors=(Importance(weight=0.5),)).rerank(query, candidates).ranking
    assert reranked.scores.tolist() == sorted(reranked.scores.tolist(), reverse=True)
    score_of = {each.key: each.score for each in candidates}
    in_order = [score_of[key] for key in reranked.keys.tolist()]
    assert in_order == pytest.approx(sorted(scores, reverse=True), abs=1e-9)


def test_a_higher_factor_never_harms_where_scores_are_below_0(
    candidate: Make, query: RerankQuery
) -> None:
    # Multiplied as it is, a score of -2 would fall where its factor rises.
    candidates = [
        candidate(1, -2.0, importance=0.0),
        candidate(2, -2.0, importance=1.0),
        candidate(3, -3.0),
    ]
    reranked = Priors(priors=(Importance(weight=0.5),)).rerank(query, candidates)
    assert reranked.ranking.keys.tolist() == [2, 1, 3]


def test_a_score_is_explained_by_its_factors(candidate: Make, query: RerankQuery) -> None:
    priors = Priors(priors=(Recency(weight=0.1), Importance(weight=0.2)))
    reranked = priors.rerank(query, [candidate(1, 0.5, importance=1.0)])
    assert reranked.how == "product"
    assert reranked.explain(0) == (
        Factor("relevance", 0.5),
        Factor("recency", 1.1),
        Factor("importance", 1.2),
    )
    assert reranked.ranking.scores.tolist() == [0.5 * 1.1 * 1.2]


@pytest.mark.parametrize("weight", [-0.1, 1.1, math.nan, None, True])
@pytest.mark.parametrize(
    "make",
    [Recency, Importance, Tags, Project, lambda weight: Feedback(votes=VOTES.get, weight=weight)],
)
def test_a_weight_that_is_not_from_0_to_1_is_refused(make: Any, weight: Any) -> None:
    with pytest.raises(InvalidInputError, match="give a number from 0 to 1"):
        make(weight=weight)


@pytest.mark.parametrize("days", [0.0, -1.0, math.nan, math.inf])
def test_a_half_life_that_is_not_above_0_is_refused(days: float) -> None:
    with pytest.raises(InvalidInputError, match="half_life_days"):
        Recency(half_life_days=days)


@pytest.mark.parametrize("names", [["recency", "recency"], ["relevance"]])
def test_priors_of_one_name_are_refused(names: list[str]) -> None:
    with pytest.raises(InvalidInputError, match="a name of its own"):
        Priors(priors=tuple(Fixed(name=name) for name in names))


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """A prior that gives whatever it is told, whatever its weight."""

    name: str = "fixed"
    weight: float = 0.1
    factor: float = 1.0

    def factors(self, query: RerankQuery, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        return np.full(len(candidates), self.factor)


@pytest.mark.parametrize("factor", [0.89, 1.11, -1.0, math.nan, math.inf])
def test_a_factor_beyond_its_weight_is_refused(
    candidate: Make, query: RerankQuery, factor: float
) -> None:
    bold: Prior = Fixed(factor=factor)
    with pytest.raises(InvalidInputError, match=r"'fixed' of weight 0\.1 gave a factor outside"):
        Priors(priors=(bold,)).rerank(query, [candidate(1, 1.0)])
