"""Plots of the benchmark of consolidation: curves with their bands, and forecasts as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.evaluation.reports.encodings import order, systems_colour, systems_shape
from engram_lab.evaluation.reports.theme import FAINT, GREY, WIDTH, altair, themed

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

_PANELS: Final = 4
"""Beside each other."""
_FEW_POINTS: Final = 12
"""Up to so many, each point of a line is marked."""


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


def curves_plot(curves: pl.DataFrame, *, x: str, y: str) -> Any:
    """Return a line for each system over its band.

    Args:
        curves: See `curves_frame`, of one plot.
        x: What lies on the horizontal axis.
        y: What lies on the vertical axis.
    """
    alt = altair()
    across = alt.X(
        "x:Q",
        title=x,
        scale=alt.Scale(zero=False, nice=False, padding=10),
        axis=alt.Axis(grid=False, tickCount=8),
    )
    least, most = float(curves["low"].min() or 0.0), float(curves["high"].max() or 0.0)  # type: ignore[arg-type]
    scale = alt.Scale(domain=[min(0.0, least), max(1.0, most)])
    base = alt.Chart(curves).encode(x=across, color=systems_colour(curves))
    layers = [base.mark_line(strokeWidth=1.8).encode(y=alt.Y("y:Q", title=y, scale=scale))]
    if (curves["low"] != curves["high"]).any():
        band = alt.Chart(curves).mark_area(opacity=0.12)
        colour = systems_colour(curves).legend(symbolOpacity=1)
        up = alt.Y("low:Q", title=y, scale=scale)
        layers.insert(0, band.encode(x=across, y=up, y2="high:Q", color=colour))
    if curves.group_by("system").len()["len"].max() <= _FEW_POINTS:  # type: ignore[operator]
        points = base.mark_point(filled=True, size=45, opacity=1)
        layers.append(points.encode(y="y:Q", shape=systems_shape(curves)))
    return themed(alt.layer(*layers).properties(width=WIDTH - 120, height=260))


def reliability_plot(curves: pl.DataFrame) -> alt.TopLevelMixin:
    """Return how often what was given a chance came: a panel for each system.

    On the dashed line, what is said to come in a third of the cases comes in a third of them.

    Args:
        curves: See `curves_frame`, of one plot.
    """
    alt = altair()
    systems = order(curves, "system")
    scale = alt.Scale(domain=[0, 1])
    ends = pl.DataFrame({"from": [0.0], "to": [1.0]})
    axis = alt.Axis(tickCount=3, grid=True)
    panels = []
    for name in systems:
        some = curves.filter(pl.col("system") == name)
        base = alt.Chart(some).encode(
            x=alt.X("x:Q", title="forecast", scale=scale, axis=axis),
            y=alt.Y("y:Q", title="came", scale=scale, axis=axis),
            color=_colour_of(curves, name),
        )
        panels.append(
            alt.layer(
                alt.Chart(ends)
                .mark_rule(strokeDash=[3, 3], color=GREY)
                .encode(x="from:Q", x2="to:Q", y="from:Q", y2="to:Q"),
                base.mark_rule(strokeWidth=1.5, opacity=0.5).encode(
                    y=alt.Y("low:Q", title="came", scale=scale), y2="high:Q"
                ),
                base.mark_line(strokeWidth=1, color=FAINT),
                base.mark_point(filled=True, size=40, opacity=1),
            ).properties(
                width=(WIDTH - 180) // _PANELS, height=(WIDTH - 180) // _PANELS, title=name
            )
        )
    return themed(alt.concat(*panels, columns=_PANELS, spacing=24))


def _colour_of(curves: pl.DataFrame, system: str) -> Any:
    """Return the colour that a system has among all, as a value."""
    scale = systems_colour(curves).to_dict()["scale"]
    chosen = dict(zip(scale["domain"], scale["range"], strict=True))[system]
    return altair().value(chosen)
