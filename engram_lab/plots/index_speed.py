"""How long an index takes to answer, the more it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import InvalidInputError
from engram_lab.plots.columns import checked
from engram_lab.plots.encodings import decades, systems_colour, systems_shape, tick_values
from engram_lab.plots.theme import WIDTH, altair, themed

if TYPE_CHECKING:
    import altair as alt

__all__ = ["index_speed"]

_HEIGHT: Final = 260


def index_speed(frame: Any, *, y: str = "ms per question") -> alt.TopLevelMixin:
    """Return a line for each index, over how many memories it holds, both axes logarithmic.

    Where it is known how much of the exact answer an index gives, that stands beside it.

    Args:
        frame: Columns `index` (its name), `memories` (how many it holds) and `ms` (how long it
            takes), both above zero, and where they are known `low` and `high` (the interval of
            `ms`) and `recall` (which share of the exact answer it gives).
        y: What takes so long, as the axis says it.

    Raises:
        InvalidInputError: A column is missing or of the wrong kind, a value is not above zero, or
            no row has both values.
        MissingDependencyError: Altair is absent.
    """
    data = _measured(frame)
    alt = altair()
    colour, shape = systems_colour(data), systems_shape(data)
    known = data.drop_nulls("recall")
    width = WIDTH - 120 if known.is_empty() else (WIDTH - 60) // 2
    x = alt.X("memories:Q", title="memories", **_logarithmic(data["memories"], digits="~s"))
    values = pl.concat([data["ms"], data["low"], data["high"]])
    up = _logarithmic(values, digits="~g")
    base = alt.Chart(data).encode(x=x, color=colour)
    tooltip = [
        alt.Tooltip("system:N", title="index"),
        alt.Tooltip("memories:Q", format=",.0f"),
        alt.Tooltip("ms:Q", title=y, format=".4~g"),
        *([] if known.is_empty() else [alt.Tooltip("recall:Q", format=".3f")]),
    ]
    layers = [
        base.mark_line(strokeWidth=1.8).encode(y=alt.Y("ms:Q", title=y, **up)),
        base.mark_point(filled=True, size=55, opacity=1).encode(
            y="ms:Q", shape=shape, tooltip=tooltip
        ),
    ]
    if (data["low"] != data["high"]).any():
        between = base.mark_rule(strokeWidth=1.5, opacity=0.6)
        # Its colour has no legend of its own, else that would be as faint.
        layers.insert(
            0,
            between.encode(
                color=colour.legend(symbolOpacity=1), y=alt.Y("low:Q", title=y, **up), y2="high:Q"
            ),
        )
    chart = alt.layer(*layers).properties(width=width, height=_HEIGHT)
    if known.is_empty():
        return themed(chart)
    return themed(alt.hconcat(chart, _exactness(data, known, x, tooltip, width), spacing=28))


def _measured(frame: Any) -> pl.DataFrame:
    data = checked(
        frame,
        chart="index_speed",
        needed={"index": "text", "memories": "number", "ms": "number"},
        optional={"low": "number", "high": "number", "recall": "number"},
    ).drop_nulls(["index", "memories", "ms"])
    if data.is_empty():
        raise InvalidInputError("index_speed has nothing to draw: no row has memories and ms")
    data = data.with_columns(pl.col("low", "high").fill_null(pl.col("ms")))
    for name in ("memories", "ms", "low"):
        if not (data[name] > 0).all():
            raise InvalidInputError(
                f"column {name!r} has values of zero or less, and index_speed draws it on a "
                "logarithmic axis: leave those rows out"
            )
    return data.rename({"index": "system"}).with_columns(pl.lit(value=False).alias("floor"))


def _exactness(data: pl.DataFrame, known: pl.DataFrame, x: Any, tooltip: Any, width: int) -> Any:
    """Return how much of the exact answer each index gives."""
    alt = altair()
    least = min(0.9, float(known["recall"].min() or 0.0))  # type: ignore[arg-type]
    up = alt.Y("recall:Q", title="recall", scale=alt.Scale(domain=[least, 1.0], nice=True))
    base = alt.Chart(known).encode(x=x, y=up, color=systems_colour(data))
    points = base.mark_point(filled=True, size=55, opacity=1)
    return alt.layer(
        base.mark_line(strokeWidth=1.8),
        points.encode(shape=systems_shape(data), tooltip=tooltip),
    ).properties(width=width, height=_HEIGHT)


def _logarithmic(values: pl.Series, *, digits: str) -> dict[str, Any]:
    """Return scale and axis around some values, with no more ticks than have room."""
    alt = altair()
    ends = decades(values.to_list())
    scale = alt.Scale(type="log", domain=[ends[0], ends[-1]], nice=False)
    return {"scale": scale, "axis": alt.Axis(values=tick_values(ends), format=digits)}
