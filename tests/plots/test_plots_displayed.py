"""A chart shows itself in a notebook: as what JupyterLab draws by itself, and as a picture."""

from __future__ import annotations

import copy
import pickle
import struct
import sys
from typing import TYPE_CHECKING, Any

import altair as alt
import pytest
import vl_convert
from IPython.core.formatters import DisplayFormatter

from engram_lab import plots
from engram_lab.plots.displayed import VEGA_LITE, bundle_of
from tests.plots.test_plots_saved import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    Charts = dict[str, Callable[[], Any]]

OLDEST = "5.8"
"""The oldest grammar here, two minor versions from that of JupyterLab."""


def shown(chart: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a kernel sends to show a chart."""
    formatter = DisplayFormatter()
    formatter.active_types = [*formatter.format_types]
    found: tuple[dict[str, Any], dict[str, Any]] = formatter.format(chart)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_chart_is_shown_in_a_grammar_that_jupyterlab_draws(charts: Charts, name: str) -> None:
    data, about = shown(charts[name]())

    assert set(data) == {VEGA_LITE, "image/png", "text/plain"}
    assert data["text/plain"] == "a chart: engram_lab.plots.save writes it to a file"
    assert data[VEGA_LITE]["$schema"].endswith("/v5.json")
    drawn = vl_convert.vegalite_to_svg(data[VEGA_LITE], vl_version=OLDEST)
    assert drawn.startswith("<svg")
    assert about[VEGA_LITE]["embed_options"]["actions"]["editor"] is False
    assert struct.unpack(">II", data["image/png"][16:24]) == (
        pytest.approx(2 * about["image/png"]["width"], abs=2),
        pytest.approx(2 * about["image/png"]["height"], abs=2),
    )


def test_a_slider_is_still_one_in_that_grammar(charts: Charts) -> None:
    spec = shown(charts["link_graph"]())[0][VEGA_LITE]

    bound = [each["bind"] for each in spec["params"] if each["name"] == "moment"]
    assert [each["input"] for each in bound] == ["range"]


def test_what_is_made_from_a_chart_shows_itself_too(charts: Charts) -> None:
    chart = charts["forest"]()

    for other in (
        chart.properties(title="mine"),
        copy.deepcopy(chart),
        pickle.loads(pickle.dumps(chart)),  # noqa: S301 - it was made in the line above
    ):
        assert VEGA_LITE in shown(other)[0]
    assert chart.to_dict() == alt.LayerChart.from_dict(chart.to_dict()).to_dict()


def test_who_chooses_a_renderer_of_altair_gets_it(charts: Charts) -> None:
    chart = charts["forest"]()

    with alt.renderers.enable("svg"):
        assert set(shown(chart)[0]) == {"image/svg+xml", "text/plain"}
    assert VEGA_LITE in shown(chart)[0]


def test_a_chart_of_somebody_else_is_left_as_it_is(frames: dict[str, pl.DataFrame]) -> None:
    plots.forest(frames["forest"])
    theirs = alt.Chart(frames["forest"]).mark_bar().encode(x="mean:Q")

    assert VEGA_LITE not in shown(theirs)[0]
    assert type(alt.Chart.from_dict(theirs.to_dict())) is alt.Chart


def test_without_the_renderer_the_grammar_is_there(
    charts: Charts, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart = charts["forest"]()
    monkeypatch.setitem(sys.modules, "vl_convert", None)

    assert set(bundle_of(chart)[0]) == {VEGA_LITE, "text/plain"}
