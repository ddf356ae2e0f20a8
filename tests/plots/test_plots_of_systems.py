"""Plots of systems and indexes: what frames hold is drawn, and a wrong frame is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab import plots
from engram_lab.core.errors import InvalidInputError
from engram_lab.plots.columns import MOST_ROWS, checked, sampled, shortened
from engram_lab.plots.saving import svg_of

OF_FRAMES = ("forest", "query_deltas", "reliability", "survival", "retention", "index_speed")


def values(chart: Any, column: str) -> list[dict[str, Any]]:
    """Return the first data of a chart that have a column."""
    return next(rows for rows in chart.to_dict()["datasets"].values() if rows and column in rows[0])


@pytest.mark.parametrize("name", OF_FRAMES)
def test_a_frame_that_lacks_a_column_is_one_sentence(
    name: str, frames: dict[str, pl.DataFrame]
) -> None:
    draw: Callable[[Any], Any] = getattr(plots, name)
    first = {"forest": "system", "index_speed": "index"}.get(name, frames[name].columns[-1])
    column = {"query_deltas": "delta", "reliability": "came"}.get(name, first)

    with pytest.raises(InvalidInputError, match=rf"^{name} draws .* lacks {column}: it has \w+"):
        draw(frames[name].rename({column: "other"}))
    with pytest.raises(InvalidInputError, match=rf"^{name} has nothing to draw: the frame has no"):
        draw(frames[name].clear())
    with pytest.raises(InvalidInputError, match=rf"^{name} draws a frame .* was given 'nothing'"):
        draw("nothing")


@pytest.mark.parametrize("name", OF_FRAMES)
def test_a_column_of_another_kind_is_one_sentence(
    name: str, frames: dict[str, pl.DataFrame]
) -> None:
    number = next(each for each, kind in frames[name].schema.items() if kind.is_numeric())

    with pytest.raises(InvalidInputError, match=rf"'{number}' is String, and {name} draws a numb"):
        getattr(plots, name)(frames[name].with_columns(pl.col(number).cast(pl.String)))


@pytest.mark.parametrize("name", OF_FRAMES)
def test_a_table_of_arrow_gives_the_same_chart(name: str, frames: dict[str, pl.DataFrame]) -> None:
    draw = getattr(plots, name)
    table = frames[name].to_arrow()

    assert draw(table).to_dict() == draw(frames[name].lazy()).to_dict()
    assert draw(table).to_dict() == draw(frames[name]).to_dict()


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_what_is_not_finite_is_not_there(value: str) -> None:
    frame = pl.DataFrame({"system": ["a", "b"], "mean": [0.5, float(value)]})

    assert [row["system"] for row in values(plots.forest(frame), "mean")] == ["a"]
    with pytest.raises(InvalidInputError, match="no system of the frame has a mean"):
        plots.forest(frame.filter(pl.col("system") == "b"))


def test_a_forest_says_its_figures_and_finds_the_best(frames: dict[str, pl.DataFrame]) -> None:
    chart = plots.forest(frames["forest"], measure="stale@10", lower_is_better=True)

    assert values(chart, "said")[1]["said"] == "0.510  [0.470, 0.550]"
    assert values(chart, "best") == [{"best": 0.02}]
    assert values(plots.forest(frames["forest"]), "best") == [{"best": 0.58}]


def test_of_several_measures_a_forest_draws_the_one_that_is_named(
    frames: dict[str, pl.DataFrame],
) -> None:
    one = frames["forest"].with_columns(measure=pl.lit("R@10"))
    both = pl.concat([one.with_columns(pl.col("mean") + 1, measure=pl.lit("RR")), one])

    assert plots.forest(both, measure="R@10").to_dict() == (
        plots.forest(frames["forest"], measure="R@10").to_dict()
    )
    with pytest.raises(InvalidInputError, match="no 'mean': give as measure one of RR, R@10"):
        plots.forest(both)


def test_the_axis_of_deltas_says_how_many_moved() -> None:
    frame = pl.DataFrame({"delta": [0.5, 0.0, -0.5]})

    def said(some: pl.DataFrame) -> str:
        return str(plots.query_deltas(some).to_dict()["layer"][0]["encoding"]["x"]["title"])

    assert said(frame) == "2 of 3 queries moved"
    assert said(frame.filter(pl.col("delta") != 0)) == "2 queries moved"
    assert said(frame[:1]) == "1 query moved"


def test_queries_without_a_delta_are_told_apart_from_those_that_moved() -> None:
    frame = pl.DataFrame({"delta": [0.5, None, float("nan"), float("inf")]})
    chart = plots.query_deltas(frame).to_dict()

    assert chart["layer"][0]["encoding"]["x"]["title"] == "1 query moved; 3 have no value"
    assert len(values(plots.query_deltas(frame), "kind")) == 1
    with pytest.raises(InvalidInputError, match="no query of the frame has a delta"):
        plots.query_deltas(frame[1:])


def test_deltas_go_from_the_largest_loss_to_the_largest_gain() -> None:
    frame = pl.DataFrame(
        {
            "query": ["a", "b", "c", "d"],
            "delta": [0.5, -0.25, 0.0, -1.0],
            "newly_failed": [False, False, False, True],
        }
    )
    drawn = values(plots.query_deltas(frame), "kind")

    assert [(row["query"], row["kind"]) for row in drawn] == [
        ("d", "newly failed"),
        ("b", "worse"),
        ("a", "better"),
    ]
    falling = plots.query_deltas(frame.drop("newly_failed"), lower_is_better=True)
    kinds = [(row["query"], row["kind"]) for row in values(falling, "kind")]
    assert kinds == [("a", "worse"), ("b", "better"), ("d", "better")]
    with pytest.raises(InvalidInputError, match="no query of the frame moved"):
        plots.query_deltas(frame.filter(pl.col("delta") == 0))


def test_more_queries_than_a_chart_carries_keep_their_outline() -> None:
    count = 2 * MOST_ROWS + 1
    frame = pl.DataFrame({"delta": [(each - MOST_ROWS) / count for each in range(count)]})
    drawn = [row["delta"] for row in values(plots.query_deltas(frame), "kind")]

    assert MOST_ROWS / 2 < len(drawn) <= MOST_ROWS
    assert drawn == sorted(drawn)
    assert drawn[0] == frame["delta"].min()


@pytest.mark.parametrize("column", ["forecast", "came", "low"])
def test_a_chance_is_a_share(column: str, frames: dict[str, pl.DataFrame]) -> None:
    percent = frames["reliability"].with_columns(pl.col(column) * 100)

    with pytest.raises(InvalidInputError, match=f"'{column}' has values outside 0 to 1"):
        plots.reliability(percent)


@pytest.mark.parametrize(
    ("name", "column"),
    [("survival", "share"), ("retention", "found"), ("survival", "low"), ("retention", "high")],
)
def test_a_curve_of_shares_refuses_percentages(
    name: str, column: str, frames: dict[str, pl.DataFrame]
) -> None:
    frame = frames[name].with_columns(**{column: pl.lit(50.0)})

    with pytest.raises(
        InvalidInputError, match=rf"'{column}' has values outside 0 to 1, and {name[0]}"
    ):
        getattr(plots, name)(frame)


def test_the_axis_of_a_few_nights_has_whole_numbers() -> None:
    nights = pl.DataFrame({"time": [1.0, 2.0, 3.0], "share": [0.95, 0.75, 0.55]})
    svg = svg_of(plots.survival(nights))

    assert [svg.count(f">{each}<") for each in (1, 2, 3)] == [1, 1, 1]
    assert ">1.5<" not in svg
    broken = svg_of(
        plots.survival(pl.DataFrame({"time": [1.0, 1.5, 3.0], "share": [0.95, 0.7, 0.5]}))
    )
    assert ">1.6<" in broken or ">1.5<" in broken


def test_systems_of_a_curve_keep_their_order_and_floors_are_grey(
    frames: dict[str, pl.DataFrame],
) -> None:
    shuffled = frames["survival"].sample(fraction=1, shuffle=True, seed=3).sort("system")
    chart = plots.survival(shuffled).to_dict()
    scale = chart["layer"][0]["encoding"]["color"]["scale"]

    assert scale["domain"] == ["dream", "lru"]
    assert scale["range"][1] == "#8b949e"
    rows = values(plots.survival(shuffled), "x")
    assert [row["x"] for row in rows if row["system"] == "dream"] == [0, 1, 2, 3, 4]


def test_floors_are_broken_lines_each_in_its_own_way_and_lie_on_top() -> None:
    names = ["lot", "dream", "oldest"]
    frame = pl.DataFrame({"system": names, "floor": [True, False, True]}).join(
        pl.DataFrame({"time": range(40), "share": 1.0}), how="cross"
    )
    chart = plots.survival(frame)
    dashes = chart.to_dict()["layer"][0]["encoding"]["strokeDash"]["scale"]

    assert dashes["domain"] == names
    assert dashes["range"][1] == [1, 0]
    assert len({tuple(each) for each in dashes["range"]}) == 3
    drawn = [row["system"] for row in values(chart, "x")]
    assert list(dict.fromkeys(drawn)) == ["dream", "lot", "oldest"]


@pytest.mark.parametrize("points", [3, 40])
def test_the_legend_names_each_system_once(points: int) -> None:
    names = ["dream", "lot", "oldest"]
    frame = pl.DataFrame({"system": names, "floor": [False, True, True]}).join(
        pl.DataFrame({"time": range(points)}), how="cross"
    )
    svg = svg_of(plots.survival(frame.with_columns(share=1 / (1 + pl.col("time")))))

    assert [svg.count(f">{name}<") for name in names] == [1, 1, 1]
    assert svg.count("stroke-dasharray") == {3: 3, 40: 6}[points]  # in the legend, or shapes are


def test_a_curve_alone_needs_no_legend(frames: dict[str, pl.DataFrame]) -> None:
    alone = frames["retention"].filter(pl.col("system") == "lru").drop("system")
    chart = plots.retention(alone).to_dict()

    assert chart["layer"][0]["encoding"]["color"]["legend"] is None
    with pytest.raises(InvalidInputError, match="no row has both kept and found"):
        plots.retention(alone.with_columns(pl.lit(None, dtype=pl.Float64).alias("found")))


def test_a_band_is_drawn_where_there_is_one(frames: dict[str, pl.DataFrame]) -> None:
    share = pl.col("share")
    banded = frames["survival"].with_columns((share * 0.9).alias("low"), share.alias("high"))

    marks = [each["mark"]["type"] for each in plots.survival(banded).to_dict()["layer"]]
    assert marks == ["area", "line", "point"]


def test_speed_stands_beside_recall_where_it_is_known(frames: dict[str, pl.DataFrame]) -> None:
    both = plots.index_speed(frames["index_speed"]).to_dict()

    assert len(both["hconcat"]) == 2
    assert "layer" in plots.index_speed(frames["index_speed"].drop("recall")).to_dict()
    with pytest.raises(InvalidInputError, match="'ms' has values of zero or less"):
        plots.index_speed(frames["index_speed"].with_columns(ms=pl.lit(0.0)))


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=9))
def test_the_axis_of_speed_reaches_around_what_was_measured(found: list[float]) -> None:
    frame = pl.DataFrame({"index": "exact", "memories": range(1, len(found) + 1), "ms": found})
    up = plots.index_speed(frame).to_dict()["layer"][0]["encoding"]["y"]

    low, high = up["scale"]["domain"]
    assert low <= min(found) <= max(found) <= high
    assert len(up["axis"]["values"]) <= 10


def test_optional_columns_that_are_not_there_are_null_or_false() -> None:
    found = checked(
        pl.DataFrame({"name": ["a"], "extra": [1]}),
        chart="any",
        needed={"name": "text"},
        optional={"mean": "number", "floor": "boolean", "at": "time"},
    )

    assert found.rows() == [("a", None, False, None)]


@given(st.integers(1, 40), st.integers(1, 40))
def test_a_sample_keeps_the_order(rows: int, most: int) -> None:
    found = sampled(pl.DataFrame({"row": range(rows)}), most=most, seed=1)["row"].to_list()

    assert len(found) == min(rows, most)
    assert found == sorted(found)


@given(st.text(), st.integers(2, 30))
def test_a_short_text_is_one_line_and_no_longer_than_it_may_be(text: str, most: int) -> None:
    found = shortened(text, most=most)

    assert len(found) <= most
    assert found.splitlines() in ([], [found])
