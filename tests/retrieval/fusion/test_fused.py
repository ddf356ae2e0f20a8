from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.fusion import Contribution, Fused, ReciprocalRankFusion
from engram_lab.retrieval.ranking import Ranking
from engram_lab.testing.ranking_strategies import arms

if TYPE_CHECKING:
    from collections.abc import Sequence

FOUND = {
    "lexical": Ranking.of([5, 7], [9.0, 4.0]),
    "dense": Ranking.of([7, 8], [0.0, -0.5]),
}


def left_to_right(row: Sequence[float]) -> float:
    """Return the sum in plain doubles; Python's `sum` corrects its rounding since 3.12."""
    total = 0.0
    for value in row:
        total += value
    return total


def check_sums(fused: Fused) -> None:
    rows = fused.contributions.tolist()
    assert [left_to_right(row) for row in rows] == fused.ranking.scores.tolist()


@given(arms(names="abcdefghijkl", min_size=8))
def test_a_score_is_the_sum_of_its_row_to_the_last_bit(found: dict[str, Ranking]) -> None:
    check_sums(ReciprocalRankFusion().fuse(found))


@given(arms(), st.data())
def test_what_is_left_of_a_fusion_keeps_its_rows(found: dict[str, Ranking], data: Any) -> None:
    fused = ReciprocalRankFusion().fuse(found)
    size = len(fused)
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), np.bool_)
    limit = data.draw(st.integers(0, 30))
    for part in (fused.top(limit), fused.only(kept), fused.only(kept).top(limit)):
        check_sums(part)
        assert (part.arms, part.rankings) == (fused.arms, fused.rankings)
    assert fused.top(limit).ranking == fused.ranking.top(limit)
    assert fused.only(kept).ranking == fused.ranking.only(kept)


def test_each_place_is_explained_by_what_each_arm_gave() -> None:
    fused = ReciprocalRankFusion().fuse(FOUND)
    assert fused.ranking.keys.tolist() == [7, 5, 8]
    assert fused.explain(0) == (
        Contribution("dense", 1, 0.0, 1 / 61),
        Contribution("lexical", 2, 4.0, 1 / 62),
    )
    assert fused.explain(1) == (
        Contribution("dense", None, None, 0.0),
        Contribution("lexical", 1, 9.0, 1 / 61),
    )


def test_a_fusion_is_cut_as_a_ranking_is() -> None:
    fused = ReciprocalRankFusion().fuse(FOUND)
    with pytest.raises(InvalidInputError, match="limit is -1"):
        fused.top(-1)
    with pytest.raises(InvalidInputError, match="`kept` is"):
        fused.only(np.array([0, 1, 2]))
