"""What a chart is given, looked at before it is drawn: a wrong frame is one clear sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

import polars as pl

from engram_lab.core.errors import InvalidInputError, shown

__all__ = ["MOST_ROWS", "Kind", "checked", "checked_hits", "sampled", "shortened"]

Kind = Literal["boolean", "number", "text", "time"]

MOST_ROWS: Final = 5000
"""Rows that a chart carries along in a notebook or a page; Altair refuses more."""

_LABEL: Final = 44
"""Characters of a memory's text beside an axis."""

_IS: Final[Mapping[Kind, Callable[[pl.DataType], bool]]] = MappingProxyType(
    {
        "boolean": lambda kind: kind == pl.Boolean,
        "number": lambda kind: kind.is_numeric(),
        "text": lambda kind: isinstance(kind, pl.String | pl.Categorical | pl.Enum),
        "time": lambda kind: isinstance(kind, pl.Datetime | pl.Date),
    }
)
_INTO: Final[Mapping[Kind, Any]] = MappingProxyType(
    {"boolean": pl.Boolean, "number": pl.Float64, "text": pl.String, "time": pl.Datetime("us")}
)


def checked(
    frame: Any,
    *,
    chart: str,
    needed: Mapping[str, Kind],
    optional: Mapping[str, Kind] | None = None,
    may_be_empty: bool = False,
) -> pl.DataFrame:
    """Return a frame with the columns that a chart draws, each of its kind.

    Numbers become float64, where they are not finite null; optional columns that are not there are
    null, or false.

    Args:
        frame: Of Polars, or a table of Arrow or whatever else speaks its interface.
        chart: What asks, as an error names it.
        needed: Columns that must be there.
        optional: Columns that may be there.
        may_be_empty: Whether a frame without a row is one too.

    Raises:
        InvalidInputError: It is no frame, lacks a column, has one of another kind, or has no row.
    """
    data = _frame(frame, chart)
    others = optional or {}
    if missing := [name for name in needed if name not in data.columns]:
        raise InvalidInputError(
            f"{chart} draws the columns {', '.join(needed)}, and the frame lacks "
            f"{', '.join(missing)}: it has {', '.join(data.columns) or 'none'}"
        )
    wanted = {**needed, **others}
    for name, kind in wanted.items():
        found = data.schema.get(name)
        if found is not None and found != pl.Null and not _IS[kind](found):
            raise InvalidInputError(
                f"column {name!r} is {found}, and {chart} draws a {kind} there: cast it first"
            )
    if data.is_empty() and not may_be_empty:
        raise InvalidInputError(f"{chart} has nothing to draw: the frame has no row")
    return data.select(_column(data, name, kind) for name, kind in wanted.items())


def checked_hits(hits: Any, *, chart: str) -> None:
    """Look whether these are the hits of a recall.

    Raises:
        InvalidInputError: They are something else.
    """
    if not (hasattr(hits, "strategy") and hasattr(hits, "query")):
        raise InvalidInputError(
            f"{chart} draws the hits of a recall, as engine.recall gives them, "
            f"and was given {shown(hits)}"
        )


def sampled(data: pl.DataFrame, *, most: int = MOST_ROWS, seed: int = 0) -> pl.DataFrame:
    """Return the rows, or as many as a chart carries, drawn by chance and in their order."""
    if data.height <= most:
        return data
    numbered = data.with_row_index("__row")
    return numbered.sample(most, seed=seed).sort("__row").drop("__row")


def shortened(text: str, *, most: int = _LABEL) -> str:
    """Return a text in one line, and no longer than it may be."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def _frame(frame: Any, chart: str) -> pl.DataFrame:
    if isinstance(frame, pl.DataFrame):
        return frame
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if hasattr(frame, "__arrow_c_stream__"):
        return pl.DataFrame(frame)
    raise InvalidInputError(
        f"{chart} draws a frame of Polars or a table of Arrow, and was given {shown(frame)}"
    )


def _column(data: pl.DataFrame, name: str, kind: Kind) -> pl.Expr:
    if name not in data.columns:
        empty = pl.lit(value=False) if kind == "boolean" else pl.lit(None, dtype=_INTO.get(kind))
        return empty.alias(name)
    if kind == "number":
        number = pl.col(name).cast(pl.Float64)
        return pl.when(number.is_finite()).then(number).alias(name)
    if kind == "boolean":
        return pl.col(name).cast(pl.Boolean).fill_null(value=False)
    if kind == "time" and data.schema[name] != pl.Null:
        return pl.col(name)
    return pl.col(name).cast(_INTO[kind])
