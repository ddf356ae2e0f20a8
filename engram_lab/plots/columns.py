"""What a chart is given, looked at before it is drawn: a wrong frame is one clear sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

import polars as pl

from engram_lab.core.errors import InvalidInputError, shown

__all__ = [
    "MOST_ROWS",
    "Kind",
    "are_hits",
    "checked",
    "checked_shares",
    "is_frame",
    "not_hits",
    "sampled",
    "shortened",
    "told",
]

Kind = Literal["boolean", "number", "text", "texts", "time"]

MOST_ROWS: Final = 5000
"""Rows that a chart carries along in a notebook or a page; Altair refuses more."""

_ROUNDED: Final = 1e-9
_LABEL: Final = 44
"""Characters of a memory's text beside an axis."""

_IS: Final[Mapping[Kind, Callable[[pl.DataType], bool]]] = MappingProxyType(
    {
        "boolean": lambda kind: kind == pl.Boolean,
        "number": lambda kind: kind.is_numeric(),
        "text": lambda kind: isinstance(kind, pl.String | pl.Categorical | pl.Enum),
        "texts": lambda kind: isinstance(kind, pl.List) and kind.inner in {pl.String, pl.Null},
        "time": lambda kind: isinstance(kind, pl.Datetime | pl.Date),
    }
)
_INTO: Final[Mapping[Kind, Any]] = MappingProxyType(
    {
        "boolean": pl.Boolean,
        "number": pl.Float64,
        "text": pl.String,
        "texts": pl.List(pl.String),
        "time": pl.Datetime("us"),
    }
)
_SAID: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        "boolean": "a boolean",
        "number": "a number",
        "text": "a text",
        "texts": "a list of texts",
        "time": "a time",
    }
)


def checked(
    frame: Any,
    *,
    chart: str,
    needed: Mapping[str, Kind],
    optional: Mapping[str, Kind] | None = None,
    made_by: str | None = None,
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
        made_by: What makes such a frame, told to whoever gives another.
        may_be_empty: Whether a frame without a row is one too.

    Raises:
        InvalidInputError: It is no frame, lacks a column, has one of another kind, or has no row.
    """
    data = _frame(frame, chart)
    others = optional or {}
    if missing := [name for name in needed if name not in data.columns]:
        has = ", ".join(data.columns) or "none"
        raise InvalidInputError(
            f"{chart} draws the columns {', '.join(needed)}, and the frame lacks "
            f"{', '.join(missing)}: {made_by or f'it has {has}'}"
        )
    wanted = {**needed, **others}
    for name, kind in wanted.items():
        found = data.schema.get(name)
        if found is not None and found != pl.Null and not _IS[kind](found):
            raise InvalidInputError(
                f"column {name!r} is {found}, and {chart} draws {_SAID[kind]} there: cast it first"
            )
    if data.is_empty() and not may_be_empty:
        raise InvalidInputError(f"{chart} has nothing to draw: the frame has no row")
    return data.select(_column(data, name, kind) for name, kind in wanted.items())


def checked_shares(data: pl.DataFrame, names: Iterable[str], *, chart: str, drawn: str) -> None:
    """Look whether columns hold shares: what a computation leaves beside 0 and 1 is let pass.

    Args:
        data: Where they are numbers.
        names: Of the columns.
        chart: What asks, as an error names it.
        drawn: What it draws of them, in the plural.

    Raises:
        InvalidInputError: A value is outside 0 to 1.
    """
    for name in names:
        if not data[name].drop_nulls().is_between(-_ROUNDED, 1 + _ROUNDED).all():
            raise InvalidInputError(
                f"column {name!r} has values outside 0 to 1, and {chart} draws {drawn}: "
                "give shares, not percentages"
            )


def are_hits(value: object) -> bool:
    """Tell whether something is what a recall found."""
    return hasattr(value, "strategy") and hasattr(value, "query")


def is_frame(value: object) -> bool:
    """Tell whether something is a frame, or speaks the interface of one."""
    return isinstance(value, pl.LazyFrame) or hasattr(value, "__arrow_c_stream__")


def not_hits(value: object, *, chart: str, frame: str) -> InvalidInputError:
    """Return what to raise where hits were asked for, and something else was given.

    Args:
        value: What was given.
        chart: What asks.
        frame: The function whose frame it draws too.
    """
    return InvalidInputError(
        f"{chart} draws the hits of a recall, as engine.recall gives them, or the frame of "
        f"{frame}, and was given {told(value)}"
    )


def told(value: object) -> str:
    """Return what something is, as an error tells it: a word or a number itself, else its type."""
    if value is None:
        return "None"
    if isinstance(value, str | int | float):
        return shown(value)
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"


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
        f"{chart} draws a frame of Polars or a table of Arrow, and was given {told(frame)}"
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
