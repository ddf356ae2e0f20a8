"""Plots of the benchmark of consolidation: curves with their bands, and forecasts as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.evaluation.runs.tables import CURVES, curves_frame
from engram_lab.plots.lines import lines
from engram_lab.plots.reliability import reliability

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

__all__ = ["CURVES", "curves_frame", "curves_plot", "reliability_plot"]


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
