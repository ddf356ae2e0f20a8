from __future__ import annotations

import numpy as np
import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.statistics.units import (
    FEWEST_CLUSTERS,
    cluster_codes,
    cluster_sums,
    distinct_clusters,
    effective_number,
)

SIX = ["a", "b", "c", "d", "e", "f"]


def test_queries_of_a_cluster_share_its_number() -> None:
    codes = cluster_codes([*SIX, "b", "a"], 8)
    assert codes is not None
    assert codes.tolist() == [0, 1, 2, 3, 4, 5, 1, 0]


def test_a_query_without_a_cluster_is_one_of_its_own() -> None:
    codes = cluster_codes(["a", None, "a", None, "b", "c", "d"], 7)
    assert codes is not None
    assert codes.tolist() == [0, 1, 0, 2, 3, 4, 5]
    assert distinct_clusters(["a", None, "a", None, "b", "c", "d"]) == 6


@pytest.mark.parametrize(
    "clusters",
    [
        pytest.param(None, id="none are given"),
        pytest.param([*SIX, "g", "h"], id="each has one query"),
        pytest.param([None] * 8, id="all are null"),
        pytest.param([*SIX[: FEWEST_CLUSTERS - 1], "a", "a", "a"], id="they are too few"),
    ],
)
def test_each_query_stands_for_itself_where(clusters: list[str | None] | None) -> None:
    assert cluster_codes(clusters, 8) is None


def test_clusters_of_other_queries_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="7 clusters are given for 8 queries"):
        cluster_codes([*SIX, "a"], 8)


def test_sums_are_by_cluster_and_measure() -> None:
    values = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    assert cluster_sums(values, np.array([1, 0, 1])).tolist() == [[2.0, 20.0], [5.0, 50.0]]


def test_unequal_clusters_are_worth_fewer_equal_ones() -> None:
    assert effective_number(np.full(10, 7.0)) == 10
    assert effective_number(np.array([3.0, 1.0])) == 16 / 10
    assert effective_number(np.array([5.0, 0.0])) == 1
    assert effective_number(np.zeros(3)) == 0
