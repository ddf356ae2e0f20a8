"""The plots of the page, each beside its table: inline, named for those who cannot see them."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.evaluation.formats import cost_label, counted
from engram_lab.evaluation.reports.frames import (
    categories_frame,
    costs_frame,
    depths_frame,
    estimates_frame,
    measures_of,
)
from engram_lab.evaluation.reports.page import Markup, element
from engram_lab.evaluation.reports.plots import (
    categories_dots,
    cost_scatter,
    deltas_plot,
    depths_plot,
    forest_plot,
)
from engram_lab.plots.saving import svg_of

if TYPE_CHECKING:
    from engram_lab.evaluation.statistics.contrast import Comparison

__all__ = [
    "categories_figure",
    "costs_figure",
    "deltas_figure",
    "depths_figure",
    "drawn",
    "forest_figure",
]

_LATENCY: Final = "latency_p50_ms"


def forest_figure(results: Mapping[str, Any]) -> Markup | None:
    """Return the first measure of each system with its interval."""
    frame, measure = estimates_frame(results), next(iter(measures_of(results)), "")
    if frame.filter(pl.col("measure") == measure).drop_nulls("mean").is_empty():
        return None
    said = f"{measure} of each system with its interval; dashed: the best, grey: floors"
    return drawn(forest_plot(frame, measure=measure), name="forest", said=said)


def categories_figure(results: Mapping[str, Any]) -> Markup | None:
    """Return the first measure in each category."""
    frame, measure = categories_frame(results), next(iter(measures_of(results)), "")
    if frame.filter(pl.col("measure") == measure).drop_nulls("mean").is_empty():
        return None
    chart = categories_dots(frame, measure=measure)
    return drawn(chart, name="categories", said=f"{measure} of each system in each category")


def depths_figure(results: Mapping[str, Any]) -> Markup | None:
    """Return measures over k, where some were taken at several depths."""
    frame = depths_frame(results).drop_nulls("mean")
    if frame.is_empty():
        return None
    families = ", ".join(frame["family"].unique(maintain_order=True))
    return drawn(depths_plot(frame), name="depths", said=f"{families} over the depth k")


def deltas_figure(comparison: Comparison, *, name: str) -> Markup | None:
    """Return the queries that moved, from the largest loss to the largest gain."""
    if not comparison.moved:
        return None
    deltas = pl.DataFrame(
        {
            "delta": [each.after - each.before for each in comparison.moved],
            "newly_failed": [each.newly_failed for each in comparison.moved],
        }
    )
    measure = comparison.moved[0].measure
    said = (
        f"Change of {measure} of the {counted(len(deltas), 'query', 'queries')} that moved, a bar "
        "each, from the largest loss to the largest gain"
    )
    return drawn(deltas_plot(deltas, measure=measure), name=name, said=said)


def costs_figure(results: Mapping[str, Any]) -> Markup | None:
    """Return the first measure against latency, where two systems and more were timed."""
    costs = costs_frame(results).filter(pl.col("cost") == _LATENCY, pl.col("value") > 0)
    measure = next(iter(measures_of(results)), "")
    frame = estimates_frame(results).join(
        costs.select("system", pl.col("value").alias("cost")), on="system"
    )
    if frame.filter(pl.col("measure") == measure).drop_nulls("mean").height < 2:  # noqa: PLR2004 - one is no trade
        return None
    label = cost_label(_LATENCY)
    chart = cost_scatter(frame, measure=measure, cost=f"{label}, ms")
    return drawn(chart, name="costs", said=f"{measure} against {label}")


def drawn(chart: Any, *, name: str, said: str) -> Markup:
    """Return a figure with its caption, which is also what it is called."""
    label = f'<svg role="img" aria-label="{html.escape(said)}"'
    inline = svg_of(chart, name=name).replace("<svg", label, 1)
    return element("figure", Markup(inline), element("figcaption", f"{said}."), class_="plot")
