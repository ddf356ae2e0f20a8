"""How columns become colours, shapes and axes, the same in every plot."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

from engram_lab.plots.theme import GREY, PALETTE, QUIET, altair

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "away_axis",
    "colour_of",
    "count_axis",
    "decades",
    "few_ticks",
    "order",
    "said_below",
    "systems_colour",
    "systems_dash",
    "systems_shape",
    "tick_values",
    "unit_scale",
]


_MANY_TICKS: Final = 7
_FEW_COUNTS: Final = 4
_WHOLE: Final = (1, 0)
_BROKEN: Final = ((6, 3), (2, 3), (10, 4), (8, 3, 2, 3))


def order(data: pl.DataFrame, column: str) -> list[Any]:
    """Return what a column holds, each once, in the order in which it comes."""
    return data[column].unique(maintain_order=True).to_list()


def _colours(data: pl.DataFrame) -> tuple[list[str], list[str]]:
    """Return the systems and their colours: a floor is grey, whichever it is."""
    rows = data.unique("system", maintain_order=True).select("system", "floor").rows()
    colours = iter(PALETTE * (1 + len(rows) // len(PALETTE)))
    return [name for name, _ in rows], [GREY if floor else next(colours) for _, floor in rows]


def systems_colour(data: pl.DataFrame) -> Any:
    """Return the colour of each system."""
    names, colours = _colours(data)
    return altair().Color("system:N", title=None, scale=altair().Scale(domain=names, range=colours))


def colour_of(data: pl.DataFrame, system: str) -> str:
    """Return the colour that a system has among all."""
    return dict(zip(*_colours(data), strict=True))[system]


def systems_shape(data: pl.DataFrame) -> Any:
    """Return shapes beside the colours, for eyes and printers that know none."""
    names, _ = _colours(data)
    known = (
        *("circle", "square", "diamond", "triangle-up", "cross"),
        *("triangle-down", "triangle-right", "triangle-left"),
    )
    shapes = [known[place % len(known)] for place in range(len(names))]
    return altair().Shape("system:N", title=None, scale=altair().Scale(domain=names, range=shapes))


def systems_dash(data: pl.DataFrame) -> Any:
    """Return how lines are broken: those of floors, which share a colour, each in its own way."""
    rows = data.unique("system", maintain_order=True).select("system", "floor").rows()
    broken = cycle(_BROKEN)
    dashes = [next(broken) if floor else _WHOLE for _, floor in rows]
    scale = altair().Scale(domain=[name for name, _ in rows], range=dashes)
    return altair().StrokeDash("system:N", title=None, scale=scale)


def unit_scale(data: pl.DataFrame) -> Any:
    """Return a scale over zero to one, or over what is there where that is more."""
    most = max(1.0, float(data["mean"].max() or 0.0))  # type: ignore[arg-type]
    return altair().Scale(domain=[0, most])


def said_below(text: str) -> dict[str, Any]:
    """Return what a title takes to say a line more, quietly, below itself."""
    return {"subtitle": text, "subtitleColor": QUIET, "subtitleFontSize": 12, "offset": 16}


def few_ticks() -> Any:
    """Return an axis that leaves its labels room."""
    return altair().Axis(tickCount=6)


def count_axis(most: int) -> Any:
    """Return an axis of counts up to the greatest: whole numbers alone."""
    if most <= _FEW_COUNTS:
        return altair().Axis(values=[*range(most + 1)], format="d")
    return altair().Axis(tickCount=4, tickMinStep=1, format=",d")


def away_axis() -> Any:
    """Return an axis whose names stand clear of points at its end."""
    return altair().Axis(labelPadding=14)


def decades(values: list[float]) -> list[float]:
    """Return 1, 2, 5, 10, … from below the least to above the greatest of some values."""
    steps = [step * 10.0**power for power in range(-9, 13) for step in (1, 2, 5)]
    below = [each for each in steps if each <= min(values, default=1)]
    above = [each for each in steps if each > max(values, default=1)]
    return [each for each in steps if below[-1:] <= [each] <= above[:1]]


def tick_values(ends: list[float]) -> list[float]:
    """Return those of some decades that have room as ticks: of many, 1, 10, 100, … alone."""
    return ends if len(ends) <= _MANY_TICKS else [each for each in ends if f"{each:e}"[0] == "1"]
