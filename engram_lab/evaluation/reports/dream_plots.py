"""Plots of the benchmark of consolidation: curves with their bands, and forecasts as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.plots.lines import lines
from engram_lab.plots.reliability import reliability

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import altair as alt

__all__ = ["CURVES", "curves_frame", "curves_plot", "reliability_plot"]

CURVES: Final = pl.Schema(
    {
        "plot": pl.String,
        "system": pl.String,
        "x": pl.Float64,
        "y": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "floor": pl.Boolean,
    }
)


def curves_frame(curves: Sequence[Mapping[str, Any]], floors: frozenset[str]) -> pl.DataFrame:
    """Return a row for each point of curves; the band is the point where there is none.

    Args:
        curves: As results hold them: `plot`, `system`, `x`, `y`, and perhaps `low` and `high`.
        floors: Systems that are there to be beaten.
    """
    rows = []
    for each in curves:
        low, high = each.get("low") or each["y"], each.get("high") or each["y"]
        rows += [
            (each["plot"], each["system"], *point, each["system"] in floors)
            for point in zip(each["x"], each["y"], low, high, strict=True)
        ]
    return pl.DataFrame(rows, schema=CURVES, orient="row")


def curves_plot(curves: pl.DataFrame, *, x: str, y: str) -> alt.TopLevelMixin:
    """Return a line for each system over its band.

    Args:
        curves: See `curves_frame`, of one plot.
        x: What lies on the horizontal axis.
        y: What lies on the vertical axis.
    """
    return lines(curves, chart="curves_plot", across="x", up="y", x=x, y=y)


def reliability_plot(curves: pl.DataFrame) -> alt.TopLevelMixin:
    """Return how often what was given a chance came: a panel for each system.

    Args:
        curves: See `curves_frame`, of one plot.
    """
    return reliability(curves.rename({"x": "forecast", "y": "came"}))
