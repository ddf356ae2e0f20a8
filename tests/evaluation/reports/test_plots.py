"""Plots: what they draw is what the frames hold, and the same each time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import MissingDependencyError
from engram_lab.evaluation.reports.frames import (
    categories_frame,
    costs_frame,
    depths_frame,
    estimates_frame,
)
from engram_lab.evaluation.reports.plots import (
    categories_dots,
    cost_scatter,
    deltas_plot,
    depths_plot,
    forest_plot,
    tuning_plot,
)
from engram_lab.plots import theme
from engram_lab.plots.encodings import decades
from engram_lab.plots.placing import places
from engram_lab.plots.saving import svg_of
from engram_lab.plots.theme import GREY

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.evaluation.runs.results import RunFolder

MEASURE = "recall_any@10"


def deltas() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "delta": [0.0, -1.0, -0.5, 0.25, -0.25, 0.0],
            "newly_failed": [False, True, False, False, True, False],
        }
    )


def costed(folder: RunFolder) -> pl.DataFrame:
    costs = costs_frame(folder.results).filter(pl.col("cost") == "latency_p50_ms")
    return estimates_frame(folder.results).join(
        costs.select("system", pl.col("value").alias("cost")), on="system"
    )


def curve() -> pl.DataFrame:
    return pl.DataFrame({"loss": [0.0, 0.02, 0.04], "failed": [0.04, 0.5, 0.9]})


CHARTS: dict[str, Callable[[RunFolder], Any]] = {
    "forest": lambda folder: forest_plot(estimates_frame(folder.results), measure=MEASURE),
    "dots": lambda folder: categories_dots(categories_frame(folder.results), measure=MEASURE),
    "depths": lambda folder: depths_plot(depths_frame(folder.results)),
    "deltas": lambda _: deltas_plot(deltas(), measure=MEASURE),
    "costs": lambda folder: cost_scatter(costed(folder), measure=MEASURE, cost="latency, ms"),
    "tuning": lambda _: tuning_plot(
        pl.DataFrame({"trial": [0, 1, 2], "value": [0.5, None, 0.6]}), measure="nDCG@10"
    ),
}


@pytest.fixture(scope="module", params=sorted(CHARTS))
def chart(request: pytest.FixtureRequest, run_folder: RunFolder) -> Any:
    return CHARTS[request.param](run_folder)


@pytest.fixture(scope="module")
def svg(chart: Any) -> str:
    return svg_of(chart)


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_a_chart_is_what_the_grammar_allows(chart: Any) -> None:
    assert chart.to_dict(validate=True)["config"]["aria"] is False


def test_a_chart_is_the_same_svg_each_time_and_reaches_for_nothing(chart: Any, svg: str) -> None:
    assert svg == svg_of(chart)
    assert svg.startswith("<svg ")
    addresses = set(re.findall(r"https?://[^\"' <]+", svg))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<script" not in svg
    assert not re.search(r"<rect[^>]*fill=\"(white|#fff)", svg)  # the page shows through


def test_text_can_be_read_at_full_size(svg: str) -> None:
    sizes = re.findall(r"font-size=\"([\d.]+)px\"", svg)
    assert sizes
    assert min(map(float, sizes)) >= 12


def test_fonts_end_in_one_that_is_everywhere(svg: str) -> None:
    families = set(re.findall(r"font-family=\"([^\"]+)\"", svg))
    assert families == {"Liberation Sans, Arial, Helvetica, sans-serif"}


def test_a_forest_names_each_system_with_its_figures(run_folder: RunFolder) -> None:
    said = texts(svg_of(CHARTS["forest"](run_folder)))
    for system in run_folder.results["systems"]:
        found = system["measures"][MEASURE]
        assert system["name"] in said
        low, high = found["ci"]
        assert any(
            f"{found['mean']:.3f}" in each and f"[{low:.3f}, {high:.3f}]" in each for each in said
        )


def test_floors_alone_are_grey(run_folder: RunFolder) -> None:
    svg = svg_of(CHARTS["forest"](run_folder))
    points = re.findall(r"<path aria-label[^>]*|<path transform[^>]*fill=\"#[^>]*", svg)
    grey = [each for each in points if f'fill="{GREY}"' in each]
    assert (len(points), len(grey)) == (7, 2)


def test_deltas_are_sorted_and_those_that_failed_are_marked() -> None:
    data = bars(deltas_plot(deltas(), measure=MEASURE))
    assert [(each["delta"], each["kind"]) for each in data] == [
        (-1.0, "newly failed"),
        (-0.5, "worse"),
        (-0.25, "newly failed"),
        (0.25, "better"),
    ]


def test_of_what_should_be_small_less_is_better() -> None:
    frame = pl.DataFrame({"delta": [1.0, -1.0], "newly_failed": [False, False]})
    data = bars(deltas_plot(frame, measure="stale@10"))
    assert [each["kind"] for each in data] == ["worse", "better"]  # from loss to gain


def bars(chart: Any) -> list[dict[str, Any]]:
    found: list[list[dict[str, Any]]] = [
        each for each in chart.to_dict()["datasets"].values() if "kind" in each[0]
    ]
    return found[0]


def test_depths_leave_out_what_has_one_depth_alone(run_folder: RunFolder) -> None:
    frame = depths_frame(run_folder.results)
    assert frame.select("family", "k").unique().sort("k").rows() == [
        ("recall_any", 1),
        ("recall_any", 5),
        ("recall_any", 10),
    ]


def test_several_charts_of_one_page_share_no_id() -> None:
    alt = theme.altair()
    made = alt.Chart(curve()).mark_line(clip=True).encode(x="loss:Q", y="failed:Q")
    shaded = made.encode(color=alt.Color("loss:Q", scale=alt.Scale(scheme="blues")))
    chart = theme.themed(alt.layer(made, shaded.mark_point(clip=True)))
    one, two = (svg_of(chart, name=name) for name in ("one", "two"))
    assert one == svg_of(chart, name="one")
    ids = [set(re.findall(r" id=\"([^\"]+)\"", each)) for each in (one, two)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for svg, known in zip((one, two), ids, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) == known


def test_without_the_package_the_extra_is_named(
    run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "altair", None)
    with pytest.raises(MissingDependencyError, match=r"pip install .\.\[plots\]"):
        CHARTS["forest"](run_folder)


@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=8))
def test_an_axis_reaches_around_its_values(values: list[float]) -> None:
    ends = decades(values)
    assert ends[0] <= min(values)
    assert max(values) < ends[-1]
    assert ends == sorted(ends)


@given(st.integers(0, 2**32))
def test_names_of_a_few_points_cover_no_point_and_no_name(seed: int) -> None:
    chance = np.random.default_rng(seed)
    # Points as far apart as points are: a crowd has no free place.
    points = [(float(x), float(y)) for x, y in chance.uniform(100, 500, (3, 2))]
    found = places(points, ["bm25"] * 3)
    assert len(found) == 3
    boxes = []
    for (x, y), place in zip(points, found, strict=True):
        left = x + place.dx - (28 if place.align == "right" else 0)
        boxes.append((left, y + place.dy - 7, left + 28, y + place.dy + 7))
    for number, (left, top, right, bottom) in enumerate(boxes):
        assert not any(left < x < right and top < y < bottom for x, y in points)
        assert not any(
            left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
            for other in boxes[:number]
        )


def test_a_name_stands_beside_no_other_name() -> None:
    above, below = places([(100.0, 100.0), (100.0, 112.0)], ["rrf", "bm25"])
    assert (above.align, below.align) == ("left", "right")


def test_a_name_does_not_cover_the_next_point() -> None:
    first, second = places([(100.0, 100.0), (130.0, 100.0)], ["bm25", "rrf"])
    assert (first.align, second.align) == ("right", "left")


def test_a_name_with_no_free_place_still_has_one() -> None:
    assert len(places([(0.0, 0.0)] * 30, ["a name"] * 30)) == 30
