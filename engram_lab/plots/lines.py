"""A line for each system over its band: what survival, retention and other curves share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import InvalidInputError
from engram_lab.plots.columns import checked, checked_shares
from engram_lab.plots.encodings import systems_colour, systems_dash, systems_shape
from engram_lab.plots.theme import WIDTH, altair, themed

if TYPE_CHECKING:
    import altair as alt

__all__ = ["lines"]

_TICKS: Final = 8
_FEW_POINTS: Final = 12
"""Up to so many, each point of a line is marked."""


def lines(
    frame: Any, *, chart: str, across: str, up: str, x: str, y: str, of_shares: bool = False
) -> alt.TopLevelMixin:
    """Return a line for each system; an area where `low` and `high` say how sure it is.

    Args:
        frame: Columns as `across` and `up` name them, and where there are some `system`, `low`,
            `high` and `floor`.
        chart: What draws it, as an error names it.
        across: The column of the horizontal axis.
        up: The column of the vertical axis.
        x: What lies on the horizontal axis, as it says itself.
        y: What lies on the vertical axis, as it says itself.
        of_shares: Whether what lies there is from 0 to 1, and anything else a mistake.

    Raises:
        InvalidInputError: A column is missing or of the wrong kind, no point has both values, or
            what is to be a share is none.
        MissingDependencyError: Altair is absent.
    """
    alt = altair()
    data = _points(frame, chart=chart, across=across, up=up, of_shares=of_shares)
    least, most = float(data["low"].min() or 0.0), float(data["high"].max() or 0.0)  # type: ignore[arg-type]
    scale = alt.Scale(domain=[min(0.0, least), max(1.0, most)])
    places = alt.X(
        "x:Q",
        title=x,
        scale=alt.Scale(zero=False, nice=False, padding=10),
        axis=_axis(data["x"]),
    )
    alone = data["system"].n_unique() == 1 and not data["system"][0]
    marked = data.group_by("system").len()["len"].max() <= _FEW_POINTS  # type: ignore[operator]
    colour, marks, dash = systems_colour(data), systems_shape(data), systems_dash(data)
    if alone:
        colour, marks = colour.legend(None), marks.legend(None)
    if alone or marked:  # a shape tells enough, and its outline is not to be broken
        dash = dash.legend(None)
    tooltip = ["system:N", alt.Tooltip("x:Q", title=x), alt.Tooltip("y:Q", title=y, format=".3f")]
    # Floors come last: a broken line lets one see what it lies upon.
    base = alt.Chart(data.sort("floor", maintain_order=True)).encode(x=places, color=colour)
    value = alt.Y("y:Q", title=y, scale=scale)
    line = base.mark_line(strokeWidth=1.8)
    layers = [line.encode(y=value, strokeDash=dash)]
    if (data["low"] != data["high"]).any():
        band = alt.Chart(data).mark_area(opacity=0.12)
        faint = colour if alone else systems_colour(data).legend(symbolOpacity=1)
        low = alt.Y("low:Q", title=y, scale=scale)
        layers.insert(0, band.encode(x=places, y=low, y2="high:Q", color=faint))
    if marked:
        points = base.mark_point(filled=True, size=45, opacity=1)
        layers.append(points.encode(y="y:Q", shape=marks, tooltip=tooltip))
    found = alt.layer(*layers).properties(width=WIDTH - 120, height=260)
    return themed(found.resolve_legend(strokeDash="independent") if marked else found)


def _axis(values: pl.Series) -> Any:
    """Return a horizontal axis; among a few whole numbers, as of nights, it has no broken ones."""
    first, last = float(values.min() or 0.0), float(values.max() or 0.0)  # type: ignore[arg-type]
    if last - first > _TICKS or not (values == values.round()).all():
        return altair().Axis(grid=False, tickCount=_TICKS)
    few = [*range(round(first), round(last) + 1)]
    return altair().Axis(grid=False, values=few, format=",d")


def _points(frame: Any, *, chart: str, across: str, up: str, of_shares: bool) -> pl.DataFrame:
    """Return the frame as `system`, `x`, `y`, `low`, `high`, `floor`; no band is the point."""
    data = checked(
        frame,
        chart=chart,
        needed={across: "number", up: "number"},
        optional={"system": "text", "low": "number", "high": "number", "floor": "boolean"},
    )
    if of_shares:
        checked_shares(data, (up, "low", "high"), chart=chart, drawn="shares")
    found = (
        data.rename({across: "x", up: "y"})
        .drop_nulls(["x", "y"])
        .with_columns(pl.col("system").fill_null(""), pl.col("low", "high").fill_null(pl.col("y")))
        .sort("x", maintain_order=True)
    )
    if found.is_empty():
        raise InvalidInputError(f"{chart} has nothing to draw: no row has both {across} and {up}")
    names = data["system"].fill_null("").unique(maintain_order=True)
    place = pl.col("system").replace_strict(names, range(len(names)))
    # Systems keep the order in which they came: so does the legend, and each its colour.
    return found.sort(place, maintain_order=True)
