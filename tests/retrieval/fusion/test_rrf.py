from __future__ import annotations

from fractions import Fraction
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.fusion import ReciprocalRankFusion
from engram_lab.retrieval.ranking import Ranking
from engram_lab.testing.ranking_strategies import arms, rankings

if TYPE_CHECKING:
    from collections.abc import Mapping

RRF = ReciprocalRankFusion()


def by_the_paper(found: Mapping[str, Ranking], *, k: int = 60) -> dict[int, Fraction]:
    """Return the sums of 1 / (k + rank) by brute force, in exact fractions.

    ranx 0.3.21 was asked once for 50 fusions of three lists each, built from dictionaries, and gave
    the same numbers to 1e-16; it is not asked here, as it takes long to import.
    """
    total: dict[int, Fraction] = {}
    for ranking in found.values():
        pairs = zip(ranking.scores.tolist(), ranking.keys.tolist(), strict=True)
        by_score = sorted(pairs, key=lambda pair: (-pair[0], pair[1]))
        for rank, (_, key) in enumerate(by_score, 1):
            total[key] = total.get(key, Fraction()) + Fraction(1, k + rank)
    return total


def scores(found: Mapping[str, Ranking], fusion: Any = RRF) -> dict[int, float]:
    ranking = fusion.fuse(found).ranking
    return dict(zip(ranking.keys.tolist(), ranking.scores.tolist(), strict=True))


def ranked(*keys: int) -> Ranking:
    return Ranking.of(keys, [1.0 / place for place in range(1, len(keys) + 1)])


@given(arms(), st.sampled_from([0, 1, 60]))
def test_scores_are_those_of_the_paper(found: dict[str, Ranking], k: int) -> None:
    wanted = {key: float(sum_) for key, sum_ in by_the_paper(found, k=k).items()}
    assert scores(found, ReciprocalRankFusion(k=k)) == pytest.approx(wanted, rel=1e-14)


def test_the_formula_by_numbers() -> None:
    found = {"a": ranked(1, 2, 3), "b": ranked(3, 1)}
    assert scores(found) == {1: 1 / 61 + 1 / 62, 2: 1 / 62, 3: 1 / 63 + 1 / 61}


@given(arms())
def test_the_union_is_ranked_whatever_the_order_of_the_arms(found: dict[str, Ranking]) -> None:
    fused = RRF.fuse(found)
    union = {key for each in found.values() for key in each.keys.tolist()}
    assert sorted(fused.ranking.keys.tolist()) == sorted(union)
    backwards = RRF.fuse(dict(reversed(found.items())))
    assert backwards.ranking == fused.ranking
    assert backwards.contributions.tolist() == fused.contributions.tolist()


@given(rankings(), arms(names="bc"), st.data())
def test_a_better_place_in_one_arm_never_lowers_the_score(
    ranking: Ranking, others: dict[str, Ranking], data: Any
) -> None:
    if not len(ranking):
        return
    place = data.draw(st.integers(0, len(ranking) - 1))
    key = int(ranking.keys[place])
    raised = ranking.scores.copy()
    raised[place] += data.draw(st.floats(0, 2e6))
    before = scores({"a": ranking, **others})
    after = scores({"a": Ranking.of(ranking.keys, raised), **others})
    assert after[key] >= before[key]


@given(rankings(), rankings())
def test_an_arm_says_the_same_by_any_scores_of_the_same_order(
    ranking: Ranking, other: Ranking
) -> None:
    squashed = Ranking.of(ranking.keys, -np.arange(len(ranking)) / 7)
    if len(set(ranking.scores.tolist())) == len(ranking):
        assert scores({"a": ranking, "b": other}) == scores({"a": squashed, "b": other})


def test_ranks_follow_scores_not_the_order_in_which_results_came() -> None:
    # A library's fusion takes runs in the order in which results were added, and then puts the
    # lowest score first.
    added_worst_first = Ranking.of_pairs([(1, 0.1), (2, 0.5), (3, 0.9)])
    assert RRF.fuse({"a": added_worst_first}).ranking.keys.tolist() == [3, 2, 1]


def test_each_list_is_ranked_from_one() -> None:
    # A library's fusion joins the lists end to end, so that the second starts at rank n + 1.
    found = {"a": ranked(1, 2, 3), "b": ranked(4, 5, 6)}
    assert scores(found)[4] == scores(found)[1] == 1 / 61


def test_a_memory_of_two_lists_beats_the_first_of_one() -> None:
    # A library's fusion takes 1 / rank: 1 for the first of one list, 1/2 + 1/3 for this one.
    found = {"a": ranked(1, 2, 3), "b": ranked(8, 9, 2)}
    assert RRF.fuse(found).ranking.keys[0] == 2


def test_keyword_scores_are_ranked_with_the_best_first() -> None:
    # 1 / (1 + |bm25|) gives the best match the lowest number; here a higher score is a better one.
    found = {"lexical": Ranking.of_pairs([(1, 12.5), (2, 3.0), (3, 0.2)])}
    assert RRF.fuse(found).ranking.keys.tolist() == [1, 2, 3]


@given(arms(names="ab", min_size=2), st.floats(0.1, 10))
def test_a_weight_multiplies_what_its_arm_gives(found: dict[str, Ranking], weight: float) -> None:
    plain, heavy = (
        {row[0]: row[1:] for row in np.column_stack([f.ranking.keys, f.contributions]).tolist()}
        for f in (
            RRF.fuse(found),
            ReciprocalRankFusion(weights={"a": weight, "b": 1}).fuse(found),
        )
    )
    for key, (of_a, of_b) in plain.items():
        assert heavy[key] == [pytest.approx(weight * of_a, rel=1e-14), of_b]


def test_an_arm_of_weight_0_still_brings_its_memories_last() -> None:
    fusion = ReciprocalRankFusion(weights={"a": 1, "b": 0})
    fused = fusion.fuse({"a": ranked(5, 3), "b": ranked(9, 5)})
    assert fused.ranking.keys.tolist() == [5, 3, 9]
    assert fused.ranking.scores[-1] == 0


def test_an_arm_without_a_weight_is_refused_where_others_have_one() -> None:
    with pytest.raises(InvalidInputError, match="arm 'lexical' has no weight"):
        ReciprocalRankFusion(weights={"lexcal": 2.0}).fuse({"lexical": ranked(1)})


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), True, "1", None])
def test_a_weight_that_is_no_number_from_0_is_refused(weight: Any) -> None:
    with pytest.raises(InvalidInputError, match="weight of arm 'a'"):
        ReciprocalRankFusion(weights={"a": weight})


def test_weights_of_0_alone_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="all weights are 0"):
        ReciprocalRankFusion(weights={"a": 0, "b": 0})


@pytest.mark.parametrize("k", [-1.0, float("nan"), float("inf")])
def test_a_constant_that_is_no_number_from_0_is_refused(k: float) -> None:
    with pytest.raises(InvalidInputError, match="k is"):
        ReciprocalRankFusion(k=k)


def test_two_arms_of_a_hundred_are_fused_in_microseconds() -> None:
    # It takes 22 µs on a quiet machine; the bound only catches what is an order slower.
    chance = np.random.default_rng(1)
    found = {
        arm: Ranking.of(chance.permutation(400)[:100], chance.random(100))
        for arm in ("dense", "lexical")
    }
    assert min(elapsed(found) for _ in range(200)) < 250e-6


def elapsed(found: dict[str, Ranking]) -> float:
    start = perf_counter()
    RRF.fuse(found)
    return perf_counter() - start
