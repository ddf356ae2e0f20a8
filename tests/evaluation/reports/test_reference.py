"""Which systems differ from one of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.reports.reference import best_system, differences, differences_of
from engram_lab.evaluation.statistics.comparing import compare
from engram_lab.evaluation.statistics.holm import holm

if TYPE_CHECKING:
    from engram_lab.evaluation.runs.results import RunFolder


def frame(values: dict[str, Any], *, categories: list[str] | None = None) -> pl.DataFrame:
    """Return a per-query frame of one measure."""
    return pl.concat(
        pl.DataFrame(
            {
                "system": system,
                "query_id": [f"q{place}" for place in range(len(each))],
                "category": categories or ["all of them"] * len(each),
                "cluster": pl.Series([None] * len(each), dtype=pl.String),
                "RR": pl.Series(each, dtype=pl.Float64),
            }
        )
        for system, each in values.items()
    )


def test_what_differs_from_the_reference_is_found_and_a_copy_of_it_is_not() -> None:
    base = np.random.default_rng(0).random(120)
    found = differences(
        frame({"a": base, "b": base - 0.2, "c": base}),
        reference="a",
        systems=["b", "c"],
        measures=["RR"],
    )
    assert found.select("system", "differs").rows() == [("b", True), ("c", False)]
    assert found["delta"].to_list() == pytest.approx([-0.2, 0.0])


def test_holm_is_over_the_systems_of_a_measure(run_folder: RunFolder) -> None:
    found = differences_of(run_folder)
    assert found is not None
    for measure in run_folder.measures:
        part = found.filter(pl.col("measure") == measure)
        assert part.height == 4  # seven systems less two floors and the reference
        assert part["p_adjusted"].to_list() == holm(part["p"].to_list())


def test_each_row_is_the_paired_test_of_its_two_systems(run_folder: RunFolder) -> None:
    found = differences_of(run_folder, "bm25")
    assert found is not None
    row = found.row(by_predicate=(pl.col("system") == "rrf") & (pl.col("measure") == "RR"))
    told = compare(
        run_folder.of("bm25"),
        run_folder.of("rrf"),
        names=("bm25", "rrf"),
        measures=["RR"],
        apart=["adversarial"],
        categories=False,
    ).contrasts[0]
    assert row[:3] == ("rrf", "bm25", "RR")
    assert row[3:7] == pytest.approx((told.delta, told.low, told.high, told.p))


def test_categories_that_are_apart_take_no_part() -> None:
    categories = ["kept", "apart"] * 40
    base = np.full(80, 0.5)
    other = np.where(np.arange(80) % 2 == 1, 0.0, 0.5)
    found = differences(
        frame({"a": base, "b": other}, categories=categories),
        reference="a",
        systems=["b"],
        measures=["RR"],
        apart=["apart"],
    )
    assert found["delta"].to_list() == [0.0]


def test_a_measure_that_a_system_does_not_have_is_left_out() -> None:
    found = differences(
        frame({"a": [0.5, 0.25], "b": [None, None]}),
        reference="a",
        systems=["b"],
        measures=["RR"],
    )
    assert found.is_empty()


def test_an_unknown_reference_is_refused_by_name(run_folder: RunFolder) -> None:
    with pytest.raises(InvalidInputError, match="no system 'elastic'"):
        differences_of(run_folder, "elastic")


def results(**means: float | None) -> dict[str, Any]:
    return {
        "systems": [
            {"name": name, "measures": {"RR": {"mean": mean, "ci": [None, None]}}}
            for name, mean in means.items()
        ]
    }


def test_the_best_is_the_first_with_the_best_mean_and_no_floor() -> None:
    assert best_system(results(random=0.9, one=0.5, two=0.5, three=None)) == "one"
    assert best_system(results(random=0.1, recency=0.2)) == "recency"
    assert best_system(results(one=None)) is None
    assert best_system({"systems": []}) is None


def test_where_nothing_can_be_tested_there_are_no_differences(run_folder: RunFolder) -> None:
    assert run_folder.results  # read, and kept as it is
    alone = type(run_folder)(run_folder.path)
    alone.results["systems"] = [each for each in alone.results["systems"] if each["name"] == "rrf"]
    assert differences_of(alone) is None


def test_a_difference_without_a_p_is_no_difference() -> None:
    found = differences(
        frame({"a": [0.5], "b": [0.25]}), reference="a", systems=["b"], measures=["RR"]
    )
    assert not any(found["differs"])
    assert all(p == 1.0 or math.isnan(p) for p in found["p_adjusted"])
