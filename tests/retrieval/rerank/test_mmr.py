from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.rerank import Candidate, MaximalMarginalRelevance, RerankQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Make = Callable[..., Candidate]

VECTORS = st.none() | st.tuples(*[st.integers(-2, 2)] * 3)


@st.composite
def vectored(draw: Any) -> list[tuple[float, tuple[int, ...] | None]]:
    """Draw scores with vectors, often equal."""
    scores = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(-10, 10)
    return draw(st.lists(st.tuples(scores, VECTORS), max_size=9))  # type: ignore[no-any-return]


def candidates_from(
    make: Make, given: Sequence[tuple[float, tuple[int, ...] | None]]
) -> list[Candidate]:
    return [
        make(key, score, vector=None if vector is None else np.array(vector, np.float32))
        for key, (score, vector) in enumerate(given, 1)
    ]


def cosine(one: Any, other: Any) -> float:
    if one is None or other is None or not np.any(one) or not np.any(other):
        return 0.0
    lengths = math.sqrt(float(one @ one)) * math.sqrt(float(other @ other))
    return max(0.0, float(one @ other) / lengths)


def by_the_paper(candidates: Sequence[Candidate], share: float) -> list[tuple[int, float]]:
    """Return what is chosen in turn, and its value, by brute force over equation 1."""
    scores = [each.score for each in candidates]
    span = max(scores, default=0.0) - min(scores, default=0.0)
    left = {each.key: each for each in candidates}
    chosen: list[tuple[int, float]] = []
    taken: list[Candidate] = []
    while left:
        values = {}
        for key, each in left.items():
            relevance = (each.score - min(scores)) / span if span else 1.0
            like = max((cosine(each.vector, other.vector) for other in taken), default=0.0)
            values[key] = share * relevance - (1 - share) * like
        best = max(values.values())
        key = min(key for key, value in values.items() if value > best - 1e-6)
        chosen.append((key, values[key]))
        taken.append(left.pop(key))
    return chosen


@given(drawn=vectored(), share=st.sampled_from([0.0, 0.3, 0.7, 0.99]))
def test_each_choice_is_one_of_the_best_by_the_paper(
    candidate: Make, query: RerankQuery, drawn: list[Any], share: float
) -> None:
    candidates = candidates_from(candidate, drawn)
    reranked = MaximalMarginalRelevance(relevance_share=share).rerank(query, candidates)
    wanted = by_the_paper(candidates, share)
    seen = list(zip(reranked.ranking.keys.tolist(), reranked.ranking.scores.tolist(), strict=True))
    for (key, score), (wanted_key, value) in zip(seen, wanted, strict=True):
        assert score == pytest.approx(value, abs=1e-5)
        if key != wanted_key:  # rounding told two apart that are equal: from here on both are right
            break


@given(drawn=vectored(), share=st.floats(0, 1))
def test_the_value_at_which_each_is_chosen_never_rises(
    candidate: Make, query: RerankQuery, drawn: list[Any], share: float
) -> None:
    candidates = candidates_from(candidate, drawn)
    reranked = MaximalMarginalRelevance(relevance_share=share).rerank(query, candidates)
    assert all(one >= other for one, other in pairwise(reranked.ranking.scores.tolist()))
    assert sorted(reranked.ranking.keys.tolist()) == [each.key for each in candidates]


@given(drawn=vectored())
def test_relevance_alone_keeps_the_order(
    candidate: Make, query: RerankQuery, drawn: list[Any]
) -> None:
    candidates = candidates_from(candidate, drawn)
    reranked = MaximalMarginalRelevance(relevance_share=1.0).rerank(query, candidates)
    score_of = {each.key: each.score for each in candidates}
    in_order = [score_of[key] for key in reranked.ranking.keys.tolist()]
    assert in_order == pytest.approx(sorted(score_of.values(), reverse=True), abs=1e-9)


def test_what_was_said_stands_after_what_is_new(candidate: Make, query: RerankQuery) -> None:
    drawn = [(1.0, (1, 0, 0)), (0.9, (1, 0, 0)), (0.5, (0, 1, 0)), (0.0, (0, 0, 1))]
    candidates = candidates_from(candidate, drawn)
    reranked = MaximalMarginalRelevance(relevance_share=0.5).rerank(query, candidates)
    assert reranked.ranking.keys.tolist() == [1, 3, 4, 2]
    assert reranked.ranking.scores.tolist() == pytest.approx([0.5, 0.25, 0.0, -0.05])
    assert dict(reranked.explain(3)) == pytest.approx({"relevance": 0.45, "likeness": -0.5})


def test_equals_stand_by_rising_key(candidate: Make, query: RerankQuery) -> None:
    candidates = [
        candidate(key, 1.0, vector=np.eye(3, dtype=np.float32)[key % 3]) for key in range(9, 0, -1)
    ]
    reranked = MaximalMarginalRelevance().rerank(query, candidates)
    assert reranked.ranking.keys.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_what_is_opposite_is_no_newer_than_what_is_unrelated(
    candidate: Make, query: RerankQuery
) -> None:
    drawn = [(1.0, (1, 0, 0)), (0.5, (0, 1, 0)), (0.5, (-1, 0, 0))]
    reranked = MaximalMarginalRelevance().rerank(query, candidates_from(candidate, drawn))
    assert reranked.ranking.keys.tolist() == [1, 2, 3]
    assert reranked.ranking.scores[1] == reranked.ranking.scores[2]


def test_the_length_of_a_vector_does_not_matter(candidate: Make, query: RerankQuery) -> None:
    drawn = [(1.0, (1, 0, 0)), (0.9, (2, 0, 0)), (0.5, (0, 1, 0))]
    reranked = MaximalMarginalRelevance(relevance_share=0.5).rerank(
        query, candidates_from(candidate, drawn)
    )
    assert reranked.ranking.keys.tolist() == [1, 3, 2]


def test_vectors_of_unlike_embedders_are_refused(candidate: Make, query: RerankQuery) -> None:
    candidates = [candidate(key, 1.0, vector=np.ones(key, np.float32)) for key in (2, 3)]
    with pytest.raises(InvalidInputError, match="vectors of the shapes"):
        MaximalMarginalRelevance().rerank(query, candidates)


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_that_is_not_from_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(InvalidInputError, match="relevance_share is"):
        MaximalMarginalRelevance(relevance_share=share)
