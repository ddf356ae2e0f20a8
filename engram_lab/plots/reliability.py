"""How often what was given a chance came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import InvalidInputError
from engram_lab.plots.columns import checked, checked_shares
from engram_lab.plots.encodings import colour_of, order
from engram_lab.plots.theme import FAINT, GREY, WIDTH, altair, themed

if TYPE_CHECKING:
    import altair as alt

__all__ = ["reliability"]

_PANELS: Final = 4
"""Beside each other."""

_CHANCES: Final = ("forecast", "came", "low", "high")


def reliability(frame: Any) -> alt.TopLevelMixin:
    """Return a panel for each system: how often came what it gave a chance of so much.

    On the dashed line, what is said to come in a third of the cases comes in a third of them.

    Source: Murphy and Winkler 1977, Reliability of subjective probability forecasts of
    precipitation and temperature, Applied Statistics 26(1).

    Args:
        frame: Columns `forecast` and `came`, both from 0 to 1, a row for each bin of forecasts;
            and where there are some `system`, `low` and `high` (the interval of `came`), `count`
            (forecasts in the bin) and `floor` (whether it is there to be beaten).

    Raises:
        InvalidInputError: A column is missing or of the wrong kind, a value is outside 0 to 1, or
            no row has both values.
        MissingDependencyError: Altair is absent.
    """
    data = _bins(frame)
    alt = altair()
    systems = order(data, "system")
    side = (WIDTH - 180) // _PANELS if len(systems) > 1 else (WIDTH - 180) // 2
    scale = alt.Scale(domain=[0, 1])
    ends = pl.DataFrame({"from": [0.0], "to": [1.0]})
    axis = alt.Axis(tickCount=3 if len(systems) > 1 else 6, grid=True)
    panels = []
    for name in systems:
        base = alt.Chart(data.filter(pl.col("system") == name)).encode(
            x=alt.X("forecast:Q", title="chance given", scale=scale, axis=axis),
            y=alt.Y("came:Q", title="share that came", scale=scale, axis=axis),
            color=alt.value(colour_of(data, name)),
        )
        points = base.mark_point(filled=True, size=40, opacity=1)
        panels.append(
            alt.layer(
                alt.Chart(ends)
                .mark_rule(strokeDash=[3, 3], color=GREY)
                .encode(x="from:Q", x2="to:Q", y="from:Q", y2="to:Q"),
                base.mark_rule(strokeWidth=1.5, opacity=0.5).encode(
                    y=alt.Y("low:Q", title="share that came", scale=scale), y2="high:Q"
                ),
                base.mark_line(strokeWidth=1, color=FAINT),
                points.encode(tooltip=_tooltip(data)),
            ).properties(width=side, height=side, title=name)
        )
    return themed(alt.concat(*panels, columns=_PANELS, spacing=24))


def _bins(frame: Any) -> pl.DataFrame:
    data = checked(
        frame,
        chart="reliability",
        needed={"forecast": "number", "came": "number"},
        optional={
            "system": "text",
            "low": "number",
            "high": "number",
            "count": "number",
            "floor": "boolean",
        },
    ).drop_nulls(["forecast", "came"])
    if data.is_empty():
        raise InvalidInputError(
            "reliability has nothing to draw: no row has both forecast and came"
        )
    checked_shares(data, _CHANCES, chart="reliability", drawn="chances")
    return data.with_columns(
        pl.col("system").fill_null(""), pl.col("low", "high").fill_null(pl.col("came"))
    )


def _tooltip(data: pl.DataFrame) -> list[Any]:
    alt = altair()
    names = _CHANCES if data["count"].is_null().all() else (*_CHANCES, "count")
    return [alt.Tooltip(f"{name}:Q", format=",.0f" if name == "count" else ".3f") for name in names]
