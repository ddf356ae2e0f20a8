from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.ranking import NOWHERE, Ranking
from engram_lab.testing.ranking_strategies import rankings

FINITE = st.floats(allow_nan=False, allow_infinity=False)
PAIRS = st.dictionaries(st.integers(-(2**63), 2**63 - 1), FINITE | st.sampled_from([0.0, -0.0, 1]))


def listed(ranking: Ranking) -> list[tuple[int, float]]:
    return list(zip(ranking.keys.tolist(), ranking.scores.tolist(), strict=True))


def best_first(pairs: dict[int, float]) -> list[tuple[int, float]]:
    return sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))


@given(PAIRS)
def test_the_highest_score_stands_first_and_ties_stand_by_rising_key(
    pairs: dict[int, float],
) -> None:
    ranking = Ranking.of(list(pairs), list(pairs.values()))
    assert listed(ranking) == best_first(pairs)
    assert len(ranking) == len(pairs)


@given(PAIRS, st.integers(0, 12))
def test_a_limit_keeps_the_best(pairs: dict[int, float], limit: int) -> None:
    limited = Ranking.of(list(pairs), list(pairs.values()), limit=limit)
    assert listed(limited) == best_first(pairs)[:limit]
    assert limited == Ranking.of_pairs(pairs.items()).top(limit)


@pytest.mark.parametrize("limit", [1, 10, 499, 1000, 2999, 3000, 5000])
@pytest.mark.parametrize("distinct", [3, 40, 10**9])
def test_a_limit_on_a_long_list_keeps_the_best_with_ties_by_key(limit: int, distinct: int) -> None:
    chance = np.random.default_rng(7)
    keys = chance.permutation(3000)
    scores = chance.integers(distinct, size=3000).astype(float)
    wanted = best_first(dict(zip(keys.tolist(), scores.tolist(), strict=True)))[:limit]
    assert listed(Ranking.of(keys, scores, limit=limit)) == wanted


@given(PAIRS)
def test_the_order_in_which_memories_are_given_does_not_matter(pairs: dict[int, float]) -> None:
    backwards = list(pairs.items())[::-1]
    assert Ranking.of_pairs(backwards) == Ranking.of_pairs(pairs.items())


@pytest.mark.parametrize("limit", [None, 0, 1, 2])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_score_that_is_no_finite_number_is_refused(
    bad: float, place: int, limit: int | None
) -> None:
    scores = [1.0, 2.0, 3.0]
    scores[place] = bad
    with pytest.raises(InvalidInputError, match="NaN or infinite"):
        Ranking.of([1, 2, 3], scores, limit=limit)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_limit_hides_no_bad_score_of_a_long_list(bad: float) -> None:
    scores = np.arange(2000.0)
    scores[5] = bad
    with pytest.raises(InvalidInputError, match="NaN or infinite"):
        Ranking.of(np.arange(2000), scores, limit=10)


@pytest.mark.parametrize("limit", [None, 1])
def test_a_key_that_comes_twice_is_refused(limit: int | None) -> None:
    with pytest.raises(InvalidInputError, match="a key comes twice"):
        Ranking.of([3, 1, 3], [1.0, 2.0, 0.0], limit=limit)


@pytest.mark.parametrize(
    ("keys", "scores"), [([1, 2], [1.0]), ([1], [[1.0]]), ([[1]], [[1.0]]), ([], [1.0])]
)
def test_keys_and_scores_of_unlike_shape_are_refused(keys: Any, scores: Any) -> None:
    with pytest.raises(InvalidInputError, match="one score for each key"):
        Ranking.of(keys, scores)


@pytest.mark.parametrize(
    "keys", [[1.0, 2.5], ["1", "2"], [True, False], np.array([1, 2], np.uint64)]
)
def test_keys_that_are_no_whole_numbers_of_64_bits_are_refused(keys: Any) -> None:
    with pytest.raises(InvalidInputError, match="whole numbers"):
        Ranking.of(keys, [1.0, 2.0])


def test_smaller_whole_numbers_are_welcome() -> None:
    ranking = Ranking.of(np.array([5, 4], np.int32), np.array([1, 2], np.float32))
    assert listed(ranking) == [(4, 2.0), (5, 1.0)]
    assert [str(each.dtype) for each in (ranking.keys, ranking.scores)] == ["int64", "float64"]


def test_a_negative_limit_is_refused_where_a_slice_would_cut_the_end() -> None:
    ranking = Ranking.of([1, 2, 3], [3.0, 2.0, 1.0])
    with pytest.raises(InvalidInputError, match="limit is -1"):
        ranking.top(-1)
    with pytest.raises(InvalidInputError, match="limit is -1"):
        Ranking.of([1, 2, 3], [3.0, 2.0, 1.0], limit=-1)


def test_the_arrays_can_not_be_written_and_those_given_stay_as_they_are() -> None:
    keys, scores = np.array([1, 2, 3]), np.array([1.0, 2.0, 3.0])
    ranking = Ranking.of(keys, scores)
    for part in (ranking, ranking.top(2), ranking.only(np.array([True, False, True]))):
        for array in (part.keys, part.scores):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 9
    keys[0], scores[0] = 7, 7.0
    assert listed(ranking) == [(3, 3.0), (2, 2.0), (1, 1.0)]


@given(rankings(), st.data())
def test_only_keeps_the_places_asked_for_in_their_order(ranking: Ranking, data: Any) -> None:
    size = len(ranking)
    kept = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    wanted = [pair for pair, stays in zip(listed(ranking), kept, strict=True) if stays]
    assert listed(ranking.only(np.array(kept, np.bool_))) == wanted


@pytest.mark.parametrize("kept", [np.array([0, 1]), np.array([True]), np.array([[True, False]])])
def test_only_refuses_what_is_no_bool_for_each_place(kept: Any) -> None:
    with pytest.raises(InvalidInputError, match="`kept` is"):
        Ranking.of([1, 2], [1.0, 2.0]).only(kept)


def test_nothing_can_be_ranked() -> None:
    nothing = Ranking.of([], [])
    assert nothing == Ranking.empty() == Ranking.of_pairs([]) == nothing.top(3)
    assert nothing.only(np.empty(0, np.bool_)) == nothing
    assert len(nothing) == 0


def test_rankings_are_equal_by_value_and_equal_to_nothing_else() -> None:
    assert Ranking.of([1, 2], [1.0, 2.0]) == Ranking.of([2, 1], [2.0, 1.0])
    assert Ranking.of([1, 2], [1.0, 2.0]) != Ranking.of([1, 2], [1.0, 3.0])
    assert Ranking.of([1, 2], [1.0, 2.0]) != Ranking.of([1, 3], [1.0, 2.0])
    assert Ranking.of([1], [1.0]) != [(1, 1.0)]
    with pytest.raises(TypeError, match="unhashable"):
        hash(Ranking.empty())


def test_a_ranking_of_two_hundred_costs_few_microseconds() -> None:
    # It is made several times in every recall. It takes 10 µs on a quiet machine; the bound only
    # catches what is an order of magnitude slower.
    chance = np.random.default_rng(1)
    keys, scores = chance.permutation(10_000)[:200], chance.random(200)
    kept = scores > 0.5
    best = min(elapsed(keys, scores, kept) for _ in range(200))
    assert best < 150e-6


def elapsed(keys: Any, scores: Any, kept: Any) -> float:
    start = perf_counter()
    Ranking.of(keys, scores).only(kept[np.lexsort((keys, -scores))]).top(10)
    return perf_counter() - start


def test_each_key_has_its_rank_and_its_score() -> None:
    assert Ranking.of([7, 3, 5], [0.5, 2.0, 0.5]).places() == {
        3: (1, 2.0),
        5: (2, 0.5),
        7: (3, 0.5),
    }
    assert Ranking.empty().places() == {}


@given(rankings(), st.lists(st.integers(-5, 40)))
def test_some_are_found_where_places_have_them(ranking: Ranking, keys: list[int]) -> None:
    keys += ranking.keys[::2].tolist()
    places = ranking.places()
    wanted = [places.get(key, NOWHERE) for key in keys]
    assert ranking.found(np.array(keys, np.int64)) == wanted


@given(st.lists(st.sampled_from([0.0, -0.0, 1.0, 2.5])))
def test_keys_that_rise_are_ranked_as_any_others(scores: list[float]) -> None:
    keys = list(range(len(scores)))
    assert Ranking.of(keys, scores) == Ranking.of(keys[::-1], scores[::-1])
    assert listed(Ranking.of(keys, scores)) == best_first(dict(zip(keys, scores, strict=True)))
