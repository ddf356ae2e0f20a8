from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from engram_lab.core.errors import IncomparableError
from engram_lab.evaluation.statistics.pairing import paired

if TYPE_CHECKING:
    from engram_lab.evaluation.statistics.pairing import Pairs


def frame(**columns: list[Any]) -> pl.DataFrame:
    given: dict[str, list[Any]] = {
        "query_id": ["q1", "q2", "q3"],
        "category": ["x", "x", "y"],
        "cluster": ["c", None, "d"],
        "R@10": [1.0, 0.5, None],
    }
    schema = {
        "query_id": pl.String,
        "category": pl.String,
        "cluster": pl.String,
        "R@10": pl.Float64,
    }
    return pl.DataFrame(given | columns, schema=schema)


def pair(a: pl.DataFrame, b: pl.DataFrame) -> Pairs:
    return paired(a, b, names=("old", "new"), measures=["R@10"])


def test_rows_meet_by_query_whatever_their_order() -> None:
    found = pair(frame(), frame(**{"R@10": [0.0, 0.5, 0.25]})[[2, 0, 1]])
    assert found.queries == ("q1", "q2", "q3")
    assert found.categories == ("x", "x", "y")
    assert found.clusters == ("c", None, "d")
    assert found.a[:2, 0].tolist() == [1.0, 0.5]
    assert math.isnan(found.a[2, 0])
    assert found.b[:, 0].tolist() == [0.0, 0.5, 0.25]
    assert found.deltas[:2, 0].tolist() == [-1.0, 0.0]
    assert np.isnan(found.deltas[2, 0])


def test_some_rows_can_be_taken() -> None:
    some = pair(frame(), frame()).only([2, 0])
    assert (some.queries, some.categories, some.clusters) == (("q3", "q1"), ("y", "x"), ("d", "c"))
    assert some.b[1, 0] == 1.0


@pytest.mark.parametrize(
    ("other", "said"),
    [
        pytest.param(
            frame(query_id=["q1", "q2", "q9"]),
            r"of 4, 1 only 'old' has \('q3'\) and 1 only 'new' has \('q9'\)",
            id="other queries",
        ),
        pytest.param(frame()[:1], r"2 only 'old' has \('q2', 'q3'\)", id="fewer queries"),
        pytest.param(
            frame(category=["x", "z", None]),
            r"2 queries have another category .*\('q2', 'q3'\)",
            id="another category",
        ),
        pytest.param(frame(cluster=["c", "c", "d"]), "another cluster", id="another cluster"),
        pytest.param(frame().drop("R@10"), "'new' lack 'R@10'", id="another measure"),
        pytest.param(frame(query_id=["q1", "q2", "q2"]), "'q2' more than once", id="repeated"),
        pytest.param(frame(query_id=["q1", "q2", None]), "without a query_id", id="unnamed"),
        pytest.param(frame(**{"R@10": [1.0, math.inf, 0.0]}), "infinite", id="infinite"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name(other: pl.DataFrame, said: str) -> None:
    with pytest.raises(IncomparableError, match=said):
        pair(frame(), other)


def test_an_error_names_three_and_counts_the_rest() -> None:
    many = pl.concat([frame(query_id=[f"{start}{n}" for n in range(3)]) for start in "abc"])
    with pytest.raises(IncomparableError, match="'a0', 'a1', 'a2' and 6 more"):
        pair(frame(), many)


def test_a_value_that_is_no_number_is_unscored() -> None:
    found = pair(frame(), frame(**{"R@10": [math.nan, 0.0, 1.0]}))
    assert np.isnan(found.b[0, 0])
