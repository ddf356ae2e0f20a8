"""How far each query moved from one system to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import InvalidInputError
from engram_lab.plots.columns import MOST_ROWS, checked
from engram_lab.plots.theme import BAD, GOOD, GREY, PALETTE, WIDTH, altair, themed

if TYPE_CHECKING:
    import altair as alt

__all__ = ["query_deltas"]

_FAILED, _WORSE, _BETTER = _KINDS = ("newly failed", "worse", "better")
_APART: Final = 150
"""Up to so many bars there is room between them."""


def query_deltas(
    frame: Any, *, measure: str = "the measure", lower_is_better: bool = False
) -> alt.TopLevelMixin:
    """Return a bar for each query that moved, from the largest loss to the largest gain.

    Of more queries than a chart carries, every second, third, … is drawn, so that the outline
    stays.

    Args:
        frame: Column `delta`, after less before, a row for each query, those that stayed included;
            and where it is known `query` (its name or its text) and `newly_failed` (whether
            it found something before, and nothing now). Rows without a delta are left out, and
            the axis says how many.
        measure: Of which measure.
        lower_is_better: Whether a fall is a gain.

    Raises:
        InvalidInputError: A column is missing or of the wrong kind, no query has a value, or none
            moved.
        MissingDependencyError: Altair is absent.
    """
    alt = altair()
    every = checked(
        frame,
        chart="query_deltas",
        needed={"delta": "number"},
        optional={"query": "text", "newly_failed": "boolean"},
    )
    data = every.drop_nulls("delta")
    if data.is_empty():
        raise InvalidInputError(
            "query_deltas has nothing to draw: no query of the frame has a delta"
        )
    moved = data.filter(pl.col("delta") != 0).sort(
        "delta", "newly_failed", descending=[lower_is_better, True], maintain_order=True
    )
    if moved.is_empty():
        raise InvalidInputError("query_deltas has nothing to draw: no query of the frame moved")
    whole = f"{data.height:,} " + ("query" if data.height == 1 else "queries")
    said = f"{moved.height:,} of {whole} moved" if moved.height < data.height else f"{whole} moved"
    if missing := every.height - data.height:
        said += f"; {missing:,} {'has' if missing == 1 else 'have'} no value"
    moved = moved.gather_every(-(-moved.height // MOST_ROWS)).with_row_index("place")
    better = pl.col("delta") < 0 if lower_is_better else pl.col("delta") > 0
    kind = pl.when("newly_failed").then(pl.lit(_FAILED)).when(better).then(pl.lit(_BETTER))
    drawn = moved.with_columns(kind.otherwise(pl.lit(_WORSE)).alias("kind"))
    told = ["query:N"] if drawn["query"].null_count() < drawn.height else []
    chart = (
        alt.Chart(drawn.select("place", "delta", "kind", *(each[:-2] for each in told)))
        .mark_bar()
        .encode(
            x=alt.X(
                "place:O",
                title=said,
                axis=alt.Axis(labels=False, grid=False, titlePadding=8),
                scale=alt.Scale(paddingInner=0.15 if drawn.height <= _APART else 0),
            ),
            y=alt.Y("delta:Q", title=f"change of {measure}"),
            color=alt.Color(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=list(_KINDS), range=[BAD, PALETTE[1], GOOD]),
                legend=alt.Legend(orient="top", symbolType="square"),
            ),
            tooltip=[*told, alt.Tooltip("delta:Q", format="+.4f"), "kind:N"],
        )
    )
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=GREY).encode(y="zero:Q")
    return themed(alt.layer(chart, zero).properties(width=WIDTH, height=200))
