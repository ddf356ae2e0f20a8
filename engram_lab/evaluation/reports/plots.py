"""Plots of an evaluation: tidy frames in, Altair charts out.

Every function takes the frames of `frames`, or others with the columns that it names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import polars as pl

from engram_lab.evaluation.measures.parsing import falls
from engram_lab.plots.encodings import (
    away_axis,
    decades,
    order,
    systems_colour,
    systems_shape,
    tick_values,
    unit_scale,
)
from engram_lab.plots.forest import forest
from engram_lab.plots.placing import Place, places
from engram_lab.plots.query_deltas import query_deltas
from engram_lab.plots.theme import (
    FAINT,
    GOOD,
    GREY,
    INK,
    WIDTH,
    altair,
    themed,
)

if TYPE_CHECKING:
    import altair as alt

__all__ = [
    "categories_dots",
    "cost_scatter",
    "deltas_plot",
    "depths_plot",
    "forest_plot",
    "tuning_plot",
]

_STEP: Final = 26
"""Points from one row to the next."""


def forest_plot(estimates: pl.DataFrame, *, measure: str) -> alt.TopLevelMixin:
    """Return the systems below each other, each with its mean and its interval.

    Args:
        estimates: Columns `system`, `measure`, `mean`, `low`, `high`, `floor`.
        measure: Which to show.
    """
    data = estimates.filter(pl.col("measure") == measure)
    return forest(data, measure=measure, lower_is_better=falls(measure))


def categories_dots(categories: pl.DataFrame, *, measure: str) -> alt.TopLevelMixin:
    """Return a row for each category with a dot for each system.

    Args:
        categories: Columns `system`, `category`, `measure`, `mean`, `floor`.
        measure: Which to show.
    """
    alt = altair()
    data = categories.filter(pl.col("measure") == measure).drop_nulls("mean")
    reach = data.group_by("category", maintain_order=True).agg(
        pl.col("mean").min().alias("least"), pl.col("mean").max().alias("most")
    )
    y = alt.Y("category:N", sort=reach["category"].to_list(), title=None, axis=away_axis())
    chart = alt.layer(
        alt.Chart(reach)
        .mark_rule(color=FAINT, strokeWidth=2)
        .encode(x=alt.X("least:Q", title=measure, scale=unit_scale(data)), x2="most:Q", y=y),
        alt.Chart(data)
        .mark_point(filled=True, size=80, opacity=0.95)
        .encode(x="mean:Q", y=y, color=systems_colour(data), shape=systems_shape(data)),
    )
    return themed(chart.properties(width=WIDTH - 110, height=alt.Step(_STEP + 4)))


def depths_plot(depths: pl.DataFrame) -> alt.TopLevelMixin:
    """Return how measures grow with k: a panel for each family, a line for each system.

    Args:
        depths: Columns `system`, `family`, `k`, `mean`, `floor`.
    """
    alt = altair()
    data = depths.drop_nulls("mean")
    families = order(data, "family")
    base = alt.Chart(data).encode(
        x=alt.X(
            "k:Q",
            title="k",
            scale=alt.Scale(type="log", nice=False, padding=8),
            axis=alt.Axis(values=sorted(set(data["k"])), format="d", grid=False),
        ),
        y=alt.Y("mean:Q", title=None, scale=unit_scale(data)),
        color=systems_colour(data),
        shape=systems_shape(data),
    )
    lines = alt.layer(
        base.mark_line(strokeWidth=1.8), base.mark_point(filled=True, size=45, opacity=1)
    ).properties(width=max(180, (WIDTH - 120) // max(1, len(families))), height=230)
    return themed(lines.facet(column=alt.Column("family:N", sort=families, title=None), spacing=28))


def deltas_plot(deltas: pl.DataFrame, *, measure: str) -> alt.TopLevelMixin:
    """Return how far each query moved, sorted; what moved to zero is marked.

    Args:
        deltas: Columns `delta` and `newly_failed`; a row for each query, those that stayed
            included.
        measure: Of which measure.
    """
    return query_deltas(deltas, measure=measure, lower_is_better=falls(measure))


def cost_scatter(estimates: pl.DataFrame, *, measure: str, cost: str) -> alt.TopLevelMixin:
    """Return quality against cost, on a logarithmic axis.

    Args:
        estimates: Columns `system`, `measure`, `mean`, `low`, `high`, `floor` and `cost`, which is
            above zero.
        measure: The quality.
        cost: What the cost is called, with its unit.
    """
    alt = altair()
    data = estimates.filter(pl.col("measure") == measure, pl.col("cost") > 0).drop_nulls("mean")
    data = data.with_columns(pl.col("low", "high").fill_null(pl.col("mean")))
    height, ends = 260, decades(data["cost"].to_list())
    colour = alt.condition("datum.floor", alt.value(GREY), alt.value(GOOD))
    x = alt.X(
        "cost:Q",
        title=cost,
        scale=alt.Scale(type="log", domain=[ends[0], ends[-1]], nice=False),
        axis=alt.Axis(values=tick_values(ends), format="~g"),
    )
    y = alt.Y("mean:Q", title=measure, scale=unit_scale(data))
    base = alt.Chart(data).encode(x=x)
    names = [
        base.transform_filter(alt.datum.system == name)
        .mark_text(align=place.align, dx=place.dx, dy=place.dy, color=INK)
        .encode(y=y, text="system:N")
        for name, place in _named(data, ends, height)
    ]
    chart = alt.layer(
        base.mark_rule(strokeWidth=1.5, opacity=0.6).encode(
            y=alt.Y("low:Q", title=measure, scale=unit_scale(data)), y2="high:Q", color=colour
        ),
        base.mark_point(filled=True, size=70, opacity=1).encode(y=y, color=colour),
        *names,
    )
    return themed(chart.properties(width=WIDTH, height=height))


def _named(data: pl.DataFrame, ends: list[float], height: float) -> Iterator[tuple[str, Place]]:
    """Yield each system with where its name stands."""
    span = math.log(ends[-1] / ends[0])
    points = [
        (WIDTH * math.log(cost / ends[0]) / span, height * (1 - mean))
        for cost, mean in data.select("cost", "mean").iter_rows()
    ]
    names = data["system"].to_list()
    yield from zip(names, places(points, names), strict=True)


def tuning_plot(trials: pl.DataFrame, *, measure: str) -> alt.TopLevelMixin:
    """Return what each trial of a search reached, and the best so far.

    Args:
        trials: Columns `trial` (a number) and `value`, null where a trial failed.
        measure: What was maximised.
    """
    alt = altair()
    data = (
        trials.drop_nulls("value")
        .sort("trial")
        .with_columns(pl.col("value").cum_max().alias("best"))
    )
    x = alt.X("trial:Q", title="trial", axis=alt.Axis(grid=False, tickMinStep=1, format="d"))
    y = alt.Y("value:Q", title=measure, scale=alt.Scale(zero=False, padding=8))
    base = alt.Chart(data)
    chart = alt.layer(
        base.mark_point(filled=True, size=40, color=GREY, opacity=0.8).encode(x=x, y=y),
        base.mark_line(interpolate="step-after", color=GOOD, strokeWidth=2).encode(x=x, y="best:Q"),
    )
    return themed(chart.properties(width=WIDTH, height=230))
