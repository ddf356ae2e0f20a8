"""Systems below each other, each with its mean and its interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import InvalidInputError
from engram_lab.plots.columns import checked
from engram_lab.plots.encodings import few_ticks, order
from engram_lab.plots.theme import GOOD, GREY, INK, QUIET, WIDTH, altair, themed

if TYPE_CHECKING:
    import altair as alt

__all__ = ["forest"]

_STEP: Final = 26
"""Points from one row to the next."""


def forest(
    frame: Any, *, measure: str = "mean", lower_is_better: bool = False
) -> alt.TopLevelMixin:
    """Return a row for each system: its mean as a dot, its interval as a line, both as figures.

    The dashed line stands at the best of all; floors are grey.

    Args:
        frame: Columns `system` and `mean`, and where they are known `low` and `high` (the interval)
            and `floor` (whether it is there to be beaten). A row without a mean is left out. Where
            there is a column `measure`, as `RunFolder.to_polars()` has it, its rows are drawn.
        measure: What the mean is of, as the axis says it.
        lower_is_better: Whether the best is the least.

    Raises:
        InvalidInputError: A column is missing or of the wrong kind, the frame has no such measure,
            or no system has a mean.
        MissingDependencyError: Altair is absent.
    """
    alt = altair()
    data = checked(
        frame,
        chart="forest",
        needed={"system": "text", "mean": "number"},
        optional={"low": "number", "high": "number", "floor": "boolean", "measure": "text"},
    )
    data = _of_measure(data, measure).drop_nulls("mean")
    if data.is_empty():
        raise InvalidInputError("forest has nothing to draw: no system of the frame has a mean")
    said = [_said(row["mean"], row["low"], row["high"]) for row in data.iter_rows(named=True)]
    data = data.with_columns(
        pl.col("low", "high").fill_null(pl.col("mean")), pl.Series("said", said, dtype=pl.String)
    )
    best = data["mean"].min() if lower_is_better else data["mean"].max()
    tooltip = ["system:N", *(alt.Tooltip(f"{name}:Q", format=".4f") for name in _FIGURES)]
    y = alt.Y("system:N", sort=data["system"].to_list(), title=None, axis=alt.Axis(labelLimit=300))
    colour = alt.condition("datum.floor", alt.value(GREY), alt.value(GOOD))
    x = alt.X("low:Q", title=measure, scale=alt.Scale(zero=False, padding=8), axis=few_ticks())
    width = WIDTH - 140
    base = alt.Chart(data)
    line = (
        alt.Chart(pl.DataFrame({"best": [best]}))
        .mark_rule(strokeDash=[3, 3], color=GREY)
        .encode(x="best:Q")
    )
    point = base.mark_point(filled=True, size=70, opacity=1)
    chart = alt.layer(
        line,
        base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q", y=y, color=colour),
        point.encode(x="mean:Q", y=y, color=colour, tooltip=tooltip),
        base.mark_text(align="left", x=width + 14).encode(
            y=y, text="said:N", color=alt.condition("datum.floor", alt.value(QUIET), alt.value(INK))
        ),
    )
    return themed(chart.properties(width=width, height=alt.Step(_STEP)))


_FIGURES: Final = ("mean", "low", "high")


def _of_measure(data: pl.DataFrame, measure: str) -> pl.DataFrame:
    """Return the rows of a measure, where rows say of which they are."""
    known = order(data.drop_nulls("measure"), "measure")
    if known and measure not in known:
        raise InvalidInputError(
            f"forest draws one measure, and the frame has no {measure!r}: "
            f"give as measure one of {', '.join(known)}"
        )
    found = data.filter(pl.col("measure") == measure) if known else data
    return found.drop("measure")


def _said(mean: float, low: float | None, high: float | None) -> str:
    """Return a mean and its interval as they are written."""
    if low is None or high is None:
        return _figure(mean)
    return f"{_figure(mean)}  [{_figure(low)}, {_figure(high)}]"


def _figure(value: float) -> str:
    places = 3 if abs(value) < 100 else max(0, 3 - math.floor(math.log10(abs(value))))  # noqa: PLR2004
    return f"{value:,.{places}f}".replace("-", "\N{MINUS SIGN}")
