from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from engram_lab.core.errors import IncomparableError, InvalidInputError
from engram_lab.evaluation.statistics.bootstrap import estimate
from engram_lab.evaluation.statistics.comparing import compare
from engram_lab.evaluation.statistics.holm import holm
from engram_lab.evaluation.statistics.randomisation import randomisation
from engram_lab.evaluation.suite import HEADLINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.evaluation.statistics.contrast import Comparison, Contrast

MEASURES = ("R@10", "RR")


def frame(
    first: Sequence[float | None], second: Sequence[float | None], **columns: Any
) -> pl.DataFrame:
    n = len(first)
    given: dict[str, Any] = {
        "query_id": [f"q{number:03}" for number in range(n)],
        "category": ["one"] * (n // 2) + ["two"] * (n - n // 2),
        "cluster": [None] * n,
        "R@10": first,
        "RR": second,
    }
    schema = pl.Schema(
        dict.fromkeys(("query_id", "category", "cluster"), pl.String())
        | dict.fromkeys(MEASURES, pl.Float64())
    )
    return pl.DataFrame(given | columns, schema=schema)


def random_pair(n: int = 240, **columns: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    rng = np.random.default_rng(12)
    a = (rng.random((n, 2)) < 0.6).astype(float)
    b = np.where(rng.random((n, 2)) < 0.1, 1 - a, a)
    one, other = (frame(each[:, 0].tolist(), each[:, 1].tolist(), **columns) for each in (a, b))
    return one, other


def compared(a: pl.DataFrame, b: pl.DataFrame, **options: Any) -> Comparison:
    given: dict[str, Any] = {
        "names": ("old", "new"),
        "measures": MEASURES,
        "resamples": 500,
    } | options
    return compare(a, b, **given)


def contrast(found: Comparison, measure: str, group: str = HEADLINE) -> Contrast:
    (one,) = [each for each in found.contrasts if (each.measure, each.group) == (measure, group)]
    return one


def test_each_measure_is_compared_over_the_headline_and_each_category() -> None:
    found = compared(*random_pair())
    assert [(each.group, each.measure) for each in found.contrasts] == [
        (group, measure) for group in (HEADLINE, "one", "two") for measure in MEASURES
    ]
    assert (found.a, found.b, found.alternative, found.alpha) == ("old", "new", "two-sided", 0.05)


def test_a_category_apart_is_no_part_of_the_headline() -> None:
    a, b = random_pair(category=["one"] * 100 + ["two"] * 60 + ["apart"] * 80)
    found = compared(a, b, apart=("apart",))
    assert contrast(found, "R@10").n == 160
    assert contrast(found, "R@10", "apart").n == 80
    inside = a.filter(pl.col("category") != "apart")
    assert contrast(found, "RR").mean_a == inside["RR"].mean()


def test_without_categories_the_headline_is_all_there_is() -> None:
    found = compared(*random_pair(), categories=False)
    assert {each.group for each in found.contrasts} == {HEADLINE}


def test_a_category_that_is_the_whole_headline_is_not_tested_twice() -> None:
    found = compared(*random_pair(category=["one"] * 240))
    assert {each.group for each in found.contrasts} == {HEADLINE}


def test_where_all_is_apart_there_is_no_headline() -> None:
    found = compared(*random_pair(), apart=("one", "two"), categories=False)
    assert {each.group for each in found.contrasts} == {"one", "two"}
    assert any("no headline" in each for each in found.warnings)


def test_queries_without_a_category_belong_to_the_headline() -> None:
    found = compared(*random_pair(category=[None] * 140 + ["two"] * 100))
    assert contrast(found, "R@10").n == 240
    assert {each.group for each in found.contrasts} == {HEADLINE, "two"}


def test_the_figures_are_those_of_the_parts() -> None:
    clusters = [f"c{number % 8}" for number in range(240)]
    a, b = random_pair(cluster=clusters)
    found = compared(a, b, alternative="less", seed=4, categories=False)
    deltas = (b.select(MEASURES) - a.select(MEASURES)).to_numpy()
    tests = randomisation(deltas, clusters, alternative="less", resamples=500, seed=4)
    intervals = estimate(deltas, clusters, resamples=500, seed=4)
    for place, measure in enumerate(MEASURES):
        one = contrast(found, measure)
        assert (one.p, one.test) == (tests[place].p, tests[place].test)
        interval = intervals[place]
        assert (one.delta, one.low, one.high) == (interval.mean, interval.low, interval.high)
        assert one.delta == pytest.approx(one.mean_b - one.mean_a)
        assert (one.wins, one.losses) == (
            (deltas[:, place] > 0).sum(),
            (deltas[:, place] < 0).sum(),
        )
        assert one.wins + one.ties + one.losses == one.n == 240
        mean, spread = deltas[:, place].mean(), deltas[:, place].std(ddof=1)
        assert one.effect == pytest.approx(mean / spread)
    assert found.clusters == 8


def test_holm_is_over_all_contrasts() -> None:
    found = compared(*random_pair())
    adjusted = holm([each.p for each in found.contrasts])
    assert [each.p_adjusted for each in found.contrasts] == adjusted
    assert len(adjusted) == 6


def test_more_contrasts_raise_the_detectable_loss() -> None:
    a, b = random_pair()
    few, many = compared(a, b, categories=False), compared(a, b)
    assert contrast(few, "R@10").mde < contrast(many, "R@10").mde


def test_a_real_loss_is_found_and_its_equal_gain_is_not_a_loss() -> None:
    a, b = frame([1.0] * 40, [1.0] * 40), frame([0.0] * 12 + [1.0] * 28, [1.0] * 40)
    worse, better = (compared(*each, alternative="less") for each in ((a, b), (b, a)))
    assert contrast(worse, "R@10").p_adjusted < 0.05
    assert contrast(better, "R@10").p == 1.0
    assert contrast(worse, "R@10").low < contrast(worse, "R@10").delta == -0.3


def test_what_moved_is_told_failures_first_then_losses_then_gains() -> None:
    a = frame([1.0, 0.5, 1.0, 0.0, 0.5, 1.0, None, 0.3], [0.0] * 8)
    b = frame([0.5, 0.0, 0.0, 1.0, 0.75, 1.0, 1.0, 0.1 + 0.2], [1.0] * 8)
    found = compared(a, b)
    assert [(each.query_id, each.newly_failed) for each in found.moved] == [
        ("q002", True),
        ("q001", True),
        ("q000", False),
        ("q004", False),
        ("q003", False),
    ]
    first = found.moved[0]
    assert (first.measure, first.category, first.before, first.after) == ("R@10", "one", 1.0, 0.0)


def test_rows_may_come_in_any_order() -> None:
    a, b = random_pair(cluster=[f"c{number % 8}" for number in range(240)])
    shuffled = np.random.default_rng(0).permutation(240)
    assert compared(a, b) == compared(a[shuffled], b[shuffled[::-1]])


def test_equal_systems_are_told_to_be_equal() -> None:
    a, _ = random_pair()
    found = compared(a, a)
    assert [each.p_adjusted for each in found.contrasts] == [1.0] * 6
    assert not found.moved
    assert any("no query moved" in each for each in found.warnings)
    assert contrast(found, "R@10").mde > 0


def test_a_measure_that_nobody_scored_has_no_p_and_costs_no_correction() -> None:
    a, b = random_pair()
    unscored = pl.lit(None, pl.Float64).alias("RR")
    found = compared(a.with_columns(unscored), b.with_columns(unscored), categories=False)
    empty, tested = contrast(found, "RR"), contrast(found, "R@10")
    assert empty.n == 0
    assert all(math.isnan(each) for each in (empty.p, empty.p_adjusted, empty.delta, empty.mde))
    assert tested.p_adjusted == tested.p


def test_what_one_system_alone_scored_is_left_out_and_told() -> None:
    a, b = frame([1.0] * 4, [1.0] * 4), frame([1.0, None, None, 0.0], [1.0] * 4)
    found = compared(a, b)
    assert contrast(found, "R@10").n == 2
    assert contrast(found, "R@10").mean_a == 1.0
    assert any("2 queries are scored by one of the two alone" in each for each in found.warnings)


def test_few_clusters_are_told_and_not_used() -> None:
    found = compared(*random_pair(cluster=[f"c{number % 3}" for number in range(240)]))
    assert found.clusters is None
    assert any("the headline lies in 3 clusters" in each for each in found.warnings)
    assert "queries" in contrast(found, "R@10").test
    assert "clusters" not in contrast(found, "R@10").test


def test_clusters_of_very_unequal_size_are_told() -> None:
    sizes = [200, 8, 8, 8, 8, 8]
    clusters = [f"c{number}" for number, size in enumerate(sizes) for _ in range(size)]
    found = compared(*random_pair(cluster=clusters), categories=False)
    assert found.clusters == 6
    assert any("6 clusters of the headline are so unequal" in each for each in found.warnings)


def test_a_small_category_is_told_what_it_can_show() -> None:
    found = compared(*random_pair(category=["one"] * 220 + ["two"] * 20))
    (said,) = [each for each in found.warnings if "'two'" in each]
    assert "has 20 queries" in said
    assert f"{contrast(found, 'R@10', 'two').mde:.3f}" in said


def test_of_a_measure_that_falls_a_rise_is_the_loss() -> None:
    few = frame([0.0] * 30 + [2.0] * 10, [1.0] * 40).rename({"R@10": "stale@5"})
    many = frame([0.0] * 10 + [1.0] * 20 + [1.0] * 10, [1.0] * 40).rename({"R@10": "stale@5"})
    options: dict[str, Any] = {"measures": ("stale@5",), "categories": False}
    worse = compared(few, many, alternative="less", **options)
    (found,) = worse.contrasts
    assert (found.mean_a, found.mean_b, found.delta, found.gain) == (0.5, 0.75, 0.25, -0.25)
    assert found.low < found.delta < found.high
    assert (found.wins, found.ties, found.losses) == (10, 10, 20)
    assert found.effect > 0
    up, down = np.array([1.0] * 20), np.array([-1.0] * 10)
    deltas = np.concatenate([np.zeros(10), up, down])[:, None]
    (turned,) = randomisation(-deltas, None, alternative="less", resamples=500, seed=0)
    assert found.p == turned.p
    assert [each.gain for each in worse.moved] == [-1.0] * 20 + [1.0] * 10
    assert [each.newly_failed for each in worse.moved] == [True] * 20 + [False] * 10


def test_where_nothing_can_be_significant_that_is_said_first() -> None:
    a, b = frame([1.0] * 5, [1.0] * 5), frame([0.0] * 5, [0.0] * 5)
    few = compared(a, b, alternative="less")  # 6 tests, and at best p = 1 / 32
    assert few.blind
    assert few.warnings[0].startswith(
        "no difference can be significant, however large: 6 tests share 0.05, and p cannot be less "
        "than 0.031"
    )
    assert all(math.isnan(each.mde) for each in few.contrasts)
    enough = compared(a, b, alternative="less", measures=("RR",), categories=False)
    assert not enough.blind
    assert enough.contrasts[0].p_adjusted == 1 / 32 < 0.05


def test_more_tests_than_resamples_can_tell_apart_are_too_many() -> None:
    a, b = random_pair()
    assert compared(a, b, resamples=119).blind  # 6 tests: 6 / 120 is no less than 0.05
    assert not compared(a, b, resamples=120).blind


def test_a_category_too_small_for_any_loss_is_told() -> None:
    found = compared(*random_pair(category=["one"] * 236 + ["two"] * 4))
    assert not found.blind
    (said,) = [each for each in found.warnings if "'two'" in each]
    assert said == ("category 'two' has 4 queries: of losses in R@10, none can be told from chance")
    assert math.isnan(contrast(found, "R@10", "two").mde)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"measures": ()}, "no measure is given"),
        ({"measures": ("RR", "RR")}, "'RR' is given twice"),
        ({"alternative": "greater"}, "'greater': it must be 'two-sided' or 'less'"),
        ({"alpha": 0.0}, "alpha is '0.0'"),
        ({"level": 2.0}, "level is '2.0'"),
        ({"resamples": 0}, "at least 1"),
    ],
)
def test_an_option_that_is_not_allowed_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        compared(*random_pair(), **options)


def test_nothing_cannot_be_compared() -> None:
    with pytest.raises(IncomparableError, match="hold no query"):
        compared(frame([], []), frame([], []))


def test_other_queries_are_refused() -> None:
    a, b = random_pair()
    with pytest.raises(IncomparableError, match="not asked the same queries"):
        compared(a, b[:100])


def test_a_loss_beyond_all_that_can_be_lost_is_none() -> None:
    found = compared(frame([1, 0] * 4, [1] * 8), frame([0, 1] * 4, [1] * 8), categories=False)
    few = contrast(found, "R@10")
    assert few.mde > 1  # in a measure from 0 to 1
    assert math.isnan(few.detectable)
    assert any("of losses in R@10, none can be told from chance" in each for each in found.warnings)
    counted = replace(few, mean_a=3.0)
    assert counted.detectable == counted.mde
    falling = replace(few, falling=True)
    assert falling.detectable == falling.mde
