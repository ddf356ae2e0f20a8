"""Plots of a search: what each setting was worth, and what the choice was worth elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engram_lab.evaluation.reports.plots import tuning_plot
from engram_lab.evaluation.tuning.report import folds_frame, slices_frame, trials_frame
from engram_lab.plots.saving import svg_of
from engram_lab.plots.theme import (
    FAINT,
    GOOD,
    GREY,
    QUIET,
    WIDTH,
    altair,
    themed,
)

if TYPE_CHECKING:
    from pathlib import Path

    import altair as alt
    import polars as pl

    from engram_lab.evaluation.tuning.tune import Tuned

__all__ = ["folds_plot", "slices_plot", "write_plots"]

_COLUMNS: Final = 3
_SIZE: Final = 180
_STEP: Final = 24
_LEGEND: Final = "grey: the default; blue: what was chosen without this fold"


def slices_plot(slices: pl.DataFrame, *, measure: str) -> alt.TopLevelMixin:
    """Return a small plot for each parameter: its value, and what the trial was worth.

    Args:
        slices: Columns `parameter`, `number` (null for a choice), `choice`, `value`.
        measure: What was maximised.
    """
    alt = altair()
    scale = alt.Scale(zero=False, padding=8)
    y = alt.Y("value:Q", title=measure, scale=scale, axis=alt.Axis(tickCount=4))
    best = slices["value"].max()
    colour = alt.condition(alt.datum.value >= best, alt.value(GOOD), alt.value(GREY))
    plots = []
    for (name,), rows in sorted(slices.partition_by("parameter", as_dict=True).items()):
        title = str(name).removeprefix("retrieval.")
        if rows["number"].null_count():
            x = alt.X("choice:N", title=title, axis=alt.Axis(labelAngle=0))
        else:
            x = alt.X("number:Q", title=title, axis=alt.Axis(tickCount=4), scale=scale)
        points = alt.Chart(rows).mark_point(filled=True, size=36, opacity=0.8)
        plots.append(points.encode(x=x, y=y, color=colour).properties(width=_SIZE, height=_SIZE))
    return themed(alt.concat(*plots, columns=_COLUMNS))


def folds_plot(folds: pl.DataFrame, *, measure: str) -> alt.TopLevelMixin:
    """Return, for each fold, the choice that was made without it beside the default.

    Args:
        folds: Columns `fold`, `held_out` and `default`, null or NaN where nothing is scored.
        measure: What was maximised.
    """
    alt = altair()
    data = folds.select("fold", "held_out", "default").fill_nan(None).drop_nulls()
    y = alt.Y("fold:N", title="left out", sort=data["fold"].to_list())
    x = alt.X("default:Q", title=measure, scale=alt.Scale(zero=False, padding=8))
    base = alt.Chart(data)
    layers: list[Any] = [
        base.mark_rule(color=FAINT, strokeWidth=2).encode(x=x, x2="held_out:Q", y=y),
        base.mark_point(filled=True, size=60, color=GREY, opacity=1).encode(x=x, y=y),
        base.mark_point(filled=True, size=60, color=GOOD, opacity=1).encode(x="held_out:Q", y=y),
    ]
    said = alt.Title(_LEGEND, color=QUIET, fontWeight="normal", fontSize=12)
    height = _STEP * max(1, data.height)
    return themed(alt.layer(*layers).properties(width=WIDTH, height=height, title=said))


def write_plots(tuned: Tuned, folder: Path) -> list[Path]:
    """Write `history.svg`, `slices.svg` and `folds.svg`, and return where they lie.

    Raises:
        MissingDependencyError: Altair or its renderer is not installed.
    """
    measure = tuned.plan.measure
    plots = {
        "history": tuning_plot(trials_frame(tuned), measure=measure),
        "slices": slices_plot(slices_frame(tuned), measure=measure),
        "folds": folds_plot(folds_frame(tuned), measure=measure),
    }
    written = []
    for name, plot in plots.items():
        file = folder / f"{name}.svg"
        file.write_text(svg_of(plot, name=name), encoding="utf-8", newline="\n")
        written.append(file)
    return written
