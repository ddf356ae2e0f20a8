"""What a dream changed, and what it left: before and after."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import InvalidInputError
from engram_lab.plots.columns import checked
from engram_lab.plots.encodings import count_axis, order, said_below
from engram_lab.plots.theme import GOOD, GREY, INK, PALETTE, WIDTH, altair, themed

if TYPE_CHECKING:
    import altair as alt

    from engram_lab.consolidation.report import DreamReport

__all__ = ["dream_diff"]

_ACTIONS: Final = ("remember", "update", "forget", "link", "unlink")
_COLOURS: Final = MappingProxyType(
    dict(zip(_ACTIONS, (PALETTE[each] for each in (2, 1, 5, 0, 3)), strict=True))
)
_BEFORE, _AFTER = "before", "after"
_STEP: Final = 28
_PANEL: Final = 120
_NOTHING: Final = pl.DataFrame(
    schema={"step": pl.String, "action": pl.String, "changes": pl.Int64, "place": pl.Int64}
)


def dream_diff(report: DreamReport | Any) -> alt.TopLevelMixin:
    """Return how many changes of which kind each step makes, beside what there is before and after.

    Args:
        report: Of a dream, planned or carried out. Or a frame of changes, as
            `DreamReport.to_polars()` gives it: columns `step` and `action`, a row for each change;
            it does not say how much there was before.

    Raises:
        InvalidInputError: A column is missing or of the wrong kind, or an action is unknown.
        MissingDependencyError: Altair is absent.
    """
    alt = altair()
    run = getattr(report, "run", None)
    if run is None:
        changes = checked(
            report, chart="dream_diff", needed={"step": "text", "action": "text"}
        ).drop_nulls()
        return themed(_bars(changes, order(changes, "step")))
    changes = report.to_polars().select("step", "action")
    steps = [each.step for each in run.steps] or order(changes, "step")
    amounts = (
        ("memories", run.memories_before, run.memories_after),
        ("tokens", run.tokens_before, run.tokens_after),
    )
    panels = [_before_after(*each) for each in amounts]
    below = [_bars(changes, steps)] if steps else []
    done = "would make" if report.dry_run else "made"
    count = f"{len(report):,} change" + ("" if len(report) == 1 else "s")
    said = said_below(f"it {done} {count}" + (f"; {run.stopped}" if run.stopped else ""))
    title = alt.Title(f"Dream of {run.workspace}", **said)
    chart = alt.vconcat(alt.hconcat(*panels, spacing=100), *below, spacing=24)
    return themed(chart.properties(title=title))


def _bars(changes: pl.DataFrame, steps: list[str]) -> Any:
    """Return a row for each step: how many changes it makes, by action."""
    alt = altair()
    if others := sorted(set(changes["action"]) - set(_ACTIONS)):
        raise InvalidInputError(
            f"dream_diff knows no action {others[0]!r}: allowed are {', '.join(_ACTIONS)}"
        )
    place = pl.col("action").replace_strict(list(_ACTIONS), range(len(_ACTIONS)))
    counted = (
        changes.group_by("step", "action", maintain_order=True)
        .agg(pl.len().cast(pl.Int64).alias("changes"))
        .with_columns(place.cast(pl.Int64).alias("place"))
        if changes.height
        else _NOTHING
    )
    totals = pl.DataFrame({"step": steps}).join(
        counted.group_by("step").agg(pl.col("changes").sum()), on="step", how="left"
    )
    totals = totals.with_columns(pl.col("changes").fill_null(0))
    y = alt.Y("step:N", sort=steps, title=None)
    some = [action for action in _ACTIONS if action in set(changes["action"])]
    colour = alt.Color(
        "action:N",
        title=None,
        scale=alt.Scale(domain=some, range=[_COLOURS[action] for action in some]),
        legend=alt.Legend(orient="bottom", symbolType="square", columnPadding=14, columns=5),
    )
    most = max(1, int(totals["changes"].max() or 0))  # type: ignore[arg-type]
    x = alt.X(
        "changes:Q",
        title="changes",
        stack="zero",
        axis=count_axis(most),
        scale=alt.Scale(domainMin=0, domainMax=most),
    )
    bars = alt.Chart(counted).mark_bar(height=15)
    sums = alt.Chart(totals).mark_text(align="left", dx=7, color=INK)
    return alt.layer(
        bars.encode(
            x=x, y=y, color=colour, order="place:Q", tooltip=["step:N", "action:N", "changes:Q"]
        ),
        sums.encode(x=alt.X("changes:Q"), y=y, text=alt.Text("changes:Q", format=",d")),
    ).properties(width=WIDTH - 180, height=alt.Step(_STEP))


def _before_after(what: str, before: int, after: int) -> Any:
    """Return two bars, and by how much the second is another."""
    alt = altair()
    change = f"{(after - before) / before:+.1%}".replace("-", "\N{MINUS SIGN}") if before else ""
    frame = pl.DataFrame(
        {
            "when": [_BEFORE, _AFTER],
            "count": [before, after],
            "said": [f"{before:,}", f"{after:,}" + (f"  ({change})" if change else "")],
        }
    )
    y = alt.Y("when:N", sort=[_BEFORE, _AFTER], title=None)
    x = alt.X(
        "count:Q",
        title=None,
        axis=None,
        scale=alt.Scale(domain=[0, max(1, before, after)]),
    )
    colour = alt.condition(f"datum.when === '{_BEFORE}'", alt.value(GREY), alt.value(GOOD))
    base = alt.Chart(frame).encode(x=x, y=y)
    return alt.layer(
        base.mark_bar(height=15).encode(color=colour, tooltip=["when:N", "count:Q"]),
        base.mark_text(align="left", dx=7, color=INK).encode(text="said:N"),
    ).properties(width=_PANEL, height=alt.Step(_STEP), title=what)
