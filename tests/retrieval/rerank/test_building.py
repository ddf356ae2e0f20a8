from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.rerank import (
    RERANKERS,
    Factor,
    Importance,
    MaximalMarginalRelevance,
    Priors,
    RerankQuery,
    candidates_of,
    rerank_in_turn,
)
from engram_lab.retrieval.rerank.building import (
    made_of,
    on_unit_range,
    relevance_of,
    scores_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.retrieval.rerank import Candidate

    Make = Callable[..., Candidate]

SCORES = st.lists(st.floats(-1e6, 1e6), max_size=10)


@given(scores=SCORES)
def test_relevance_can_be_multiplied_and_keeps_the_order(
    candidate: Make, scores: list[float]
) -> None:
    candidates = [candidate(key, score) for key, score in enumerate(scores, 1)]
    relevance = relevance_of(candidates).tolist()
    assert all(each >= 0 for each in relevance)
    for one, other in zip(scores, relevance, strict=True):
        assert other == (one - min(scores) if min(scores) < 0 else one)


def test_scores_from_0_are_taken_as_they_are(candidate: Make) -> None:
    assert relevance_of([candidate(1, 0.03), candidate(2, 0.02)]).tolist() == [0.03, 0.02]


def test_scores_below_0_are_counted_from_the_lowest(candidate: Make) -> None:
    candidates = [candidate(1, 1.5), candidate(2, 0.0), candidate(3, -0.5)]
    assert relevance_of(candidates).tolist() == [2.0, 0.5, 0.0]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_finite_number_is_refused(candidate: Make, bad: float) -> None:
    with pytest.raises(InvalidInputError, match="NaN or infinite"):
        scores_of([candidate(1, 1.0), candidate(2, bad)])


def test_values_are_brought_onto_the_unit_range_where_they_stand() -> None:
    assert on_unit_range(np.array([3.0, 7.0, 5.0])).tolist() == [0.0, 1.0, 0.5]
    assert on_unit_range(np.array([3.0, 3.0])).tolist() == [1.0, 1.0]
    assert on_unit_range(np.empty(0)).tolist() == []


@given(
    rows=st.lists(st.tuples(*[st.floats(-100, 100)] * 3), max_size=8),
    how=st.sampled_from(["sum", "product"]),
)
def test_a_score_is_made_of_its_row_to_the_last_bit(
    candidate: Make, rows: list[tuple[float, float, float]], how: Any
) -> None:
    candidates = [candidate(key, 0.0) for key in range(len(rows), 0, -1)]
    columns = np.array(rows).reshape(-1, 3).T
    made = made_of(candidates, dict(zip("abc", columns, strict=True)), how=how)
    assert sorted(made.ranking.keys.tolist()) == sorted(each.key for each in candidates)
    for place, score in enumerate(made.ranking.scores.tolist()):
        (_, first), (_, second), (_, third) = made.explain(place)
        assert score == (first + second + third if how == "sum" else first * second * third)


def test_equal_scores_stand_by_rising_key_with_their_own_rows(candidate: Make) -> None:
    candidates = [candidate(9, 0.0), candidate(4, 0.0)]
    parts = {"a": np.array([1.0, 2.0]), "b": np.array([2.0, 1.0])}
    made = made_of(candidates, parts, how="sum")
    assert made.ranking.keys.tolist() == [4, 9]
    assert made.explain(0) == (Factor("a", 2.0), Factor("b", 1.0))
    assert made.top(1).ranking.keys.tolist() == [4]
    assert made.top(1).values.tolist() == [[2.0, 1.0]]


def test_a_key_that_comes_twice_is_refused(candidate: Make) -> None:
    with pytest.raises(InvalidInputError, match="a key comes twice"):
        made_of([candidate(1, 0.0)] * 2, {"a": np.zeros(2)}, how="sum")


def test_candidates_are_the_places_that_have_a_memory(candidate: Make) -> None:
    ranking = Ranking.of([5, 6, 7], [3.0, 2.0, 1.0])
    one, other = candidate(5, 0.0).memory, candidate(7, 0.0).memory
    vectors = np.eye(3, dtype=np.float32)

    made = candidates_of(ranking, [one, None, other], vectors=vectors)
    assert [(each.key, each.score) for each in made] == [(5, 3.0), (7, 1.0)]
    assert (made[0].memory, made[1].memory) == (one, other)
    assert np.array_equal(made[1].vector, vectors[2])  # type: ignore[arg-type]
    assert [each.vector for each in candidates_of(ranking, [one, None, other])] == [None, None]


def test_unlike_numbers_of_places_and_memories_are_refused(candidate: Make) -> None:
    ranking = Ranking.of([5, 6], [3.0, 2.0])
    memory = candidate(5, 0.0).memory
    with pytest.raises(InvalidInputError, match="2 places, 1 memories and 2 vectors"):
        candidates_of(ranking, [memory])
    with pytest.raises(InvalidInputError, match="2 places, 2 memories and 1 vectors"):
        candidates_of(ranking, [memory, memory], vectors=[None])


def test_rerankers_in_turn_each_take_the_scores_of_the_one_before(
    candidate: Make, query: RerankQuery
) -> None:
    east, north = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    candidates = [
        candidate(1, 1.0, importance=0.5, vector=east),
        candidate(2, 0.9, importance=1.0, vector=east),
        candidate(3, 0.0, importance=0.5, vector=north),
    ]
    priors = Priors(priors=(Importance(weight=0.2),))
    mmr = MaximalMarginalRelevance(relevance_share=0.5)

    first, second = rerank_in_turn([priors, mmr], query, candidates)
    assert first.ranking.keys.tolist() == [2, 1, 3]
    assert first.ranking.scores.tolist() == [0.9 * 1.2, 1.0, 0.0]
    assert second.ranking.keys.tolist() == [2, 3, 1]
    assert rerank_in_turn([], query, candidates) == []


def test_rerankers_are_known_by_name() -> None:
    assert {"cross-encoder", "late-interaction", "mmr", "priors"} <= set(RERANKERS.names())
    assert RERANKERS.get("mmr")() == MaximalMarginalRelevance()
    with pytest.raises(InvalidInputError, match="there is no reranker 'prior'"):
        RERANKERS.get("prior")
