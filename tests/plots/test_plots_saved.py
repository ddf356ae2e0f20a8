"""Every chart becomes a file of every kind, the same each time, without a network."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from engram_lab import plots
from engram_lab.core.errors import InvalidInputError, MissingDependencyError
from engram_lab.plots.saving import SUFFIXES, svg_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Charts = dict[str, Callable[[], Any]]

NAMES = (
    *("forest", "query_deltas", "reliability", "survival", "retention", "index_speed"),
    *("score_anatomy", "score_anatomy of steps", "arm_overlap", "link_graph", "embedding_map"),
    *("dream_diff", "dream_diff of a frame", "score_anatomy of a frame", "arm_overlap of a frame"),
)


def test_every_chart_is_tried_here(charts: Charts) -> None:
    assert set(charts) == set(NAMES)
    drawn = {name.partition(" of ")[0] for name in NAMES}
    assert drawn | {"save", "altair", "anatomy_frame", "overlap_frame"} == set(plots.__all__)


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def svg(charts: Charts, name: str) -> str:
    return svg_of(charts[name]())


def test_a_chart_is_what_the_grammar_allows_and_the_same_each_time(
    charts: Charts, name: str, svg: str
) -> None:
    chart = charts[name]()

    assert chart.to_dict(validate=True)["config"]["aria"] is False
    assert svg == svg_of(chart)
    assert "NaN" not in svg
    assert "undefined" not in svg


def test_text_can_be_read_at_full_size(svg: str) -> None:
    sizes = [float(each) for each in re.findall(r"font-size=\"([\d.]+)px\"", svg)]

    assert sizes
    assert min(sizes) >= 12


def test_a_png_shows_ink_on_white(charts: Charts, name: str, tmp_path: Path) -> None:
    path = plots.save(charts[name](), tmp_path / "chart.png")

    data = path.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert width > 200
    assert height > 200
    assert width < 2400
    assert len(data) > 4000  # an empty picture of that size is smaller


def test_html_is_one_file_that_asks_nothing_of_a_network(charts: Charts, tmp_path: Path) -> None:
    text = plots.save(charts["link_graph"](), tmp_path / "graph.html").read_text("utf-8")

    assert not re.findall(r"<(?:script|link|iframe)[^>]*(?:src|href)=", text)
    assert "memory 3 of the harbour" in text
    assert "vegaEmbed" in text
    assert len(text) > 300_000  # what draws it is inside


def test_json_is_the_grammar_of_the_chart(charts: Charts, tmp_path: Path) -> None:
    text = plots.save(charts["forest"](), tmp_path / "forest.json").read_text("utf-8")

    assert json.loads(text) == charts["forest"]().to_dict()


def test_svg_stands_on_white_by_itself_and_shows_the_page_through_in_one(
    charts: Charts, tmp_path: Path
) -> None:
    alone = plots.save(charts["forest"](), tmp_path / "forest.SVG").read_text("utf-8")

    assert re.search(r"<rect[^>]*fill=\"white\"", alone)
    assert not re.search(r"<rect[^>]*fill=\"white\"", svg_of(charts["forest"]()))


@pytest.mark.parametrize("ending", ["chart.gif", "chart", "chart.png.zip"])
def test_another_ending_is_one_sentence(charts: Charts, ending: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        plots.save(charts["forest"](), tmp_path / ending)

    assert ending in str(caught.value)
    assert all(suffix in str(caught.value) for suffix in SUFFIXES)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_one_sentence(charts: Charts, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="make its folder first"):
        plots.save(charts["forest"](), tmp_path / "no" / "chart.png")


def test_what_is_no_chart_is_refused(tmp_path: Path) -> None:
    for given, said in (("a chart", "'a chart'"), (pl.DataFrame({"x": [1]}), "a DataFrame")):
        with pytest.raises(InvalidInputError, match=f"^{said} is no chart"):
            plots.save(given, tmp_path / "chart.png")


@pytest.mark.parametrize(("module", "chart"), [("altair", "forest"), ("networkx", "link_graph")])
def test_without_a_package_the_extra_is_named(
    charts: Charts, module: str, chart: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependencyError, match=r"pip install .\.\[plots\]"):
        charts[chart]()


def test_looking_at_the_charts_needs_no_altair() -> None:
    program = (
        "import sys, engram_lab.plots\n"
        "assert not {'altair', 'networkx', 'vl_convert', 'apsw'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_the_renderer_the_extra_is_named(
    charts: Charts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart = charts["forest"]()
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(MissingDependencyError, match=r"pip install .\.\[plots\]"):
        plots.save(chart, tmp_path / "chart.png")
