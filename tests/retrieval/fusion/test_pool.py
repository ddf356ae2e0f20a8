from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.fusion.pool import Pool
from engram_lab.retrieval.ranking import Ranking
from engram_lab.testing.ranking_strategies import arms


@given(arms())
def test_a_pool_holds_the_union_and_says_where_each_memory_stands(
    found: dict[str, Ranking],
) -> None:
    pool = Pool.of(found)
    union = sorted({key for each in found.values() for key in each.keys.tolist()})
    assert pool.keys.tolist() == union
    assert pool.arms == tuple(sorted(found))
    for arm, ranking, places in zip(pool.arms, pool.rankings, pool.places, strict=True):
        assert ranking is found[arm]
        assert pool.keys[places].tolist() == ranking.keys.tolist()


def test_ties_of_the_sums_stand_by_rising_key() -> None:
    pool = Pool.of({"a": Ranking.of([9, 4, 6], [3.0, 2.0, 1.0])})
    fused = pool.fused(np.array([[1.0, 2.0, 1.0]]))  # of 4, 6 and 9
    assert fused.ranking.keys.tolist() == [6, 4, 9]


def test_a_sum_that_is_no_finite_number_is_refused() -> None:
    pool = Pool.of({"a": Ranking.of([1, 2], [1.0, 2.0]), "b": Ranking.of([1], [1.0])})
    for bad in (np.inf, -np.inf, np.nan):
        with pytest.raises(InvalidInputError, match="NaN or infinite"):
            pool.fused(np.array([[0.0, bad], [0.0, 0.0]]))


def test_no_arms_give_nothing() -> None:
    pool = Pool.of({})
    fused = pool.fused(pool.nothing())
    assert (len(fused), fused.arms, fused.contributions.shape) == (0, (), (0, 0))
