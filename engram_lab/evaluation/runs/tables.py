"""The figures of a finished evaluation as tidy frames: one row a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "CURVES",
    "FLOORS",
    "TABLES",
    "categories_frame",
    "costs_frame",
    "curves_frame",
    "estimates_frame",
    "is_floor",
    "table_of",
]

TABLES: Final = ("means", "categories", "costs", "curves")
"""What `table_of` gives."""

FLOORS: Final = frozenset({"random", "recency"})
"""Systems that look at no text: floors, where results do not say which systems are."""

_ESTIMATES: Final = pl.Schema(
    {
        "system": pl.String,
        "category": pl.String,
        "measure": pl.String,
        "mean": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "n": pl.Int64,
        "unscored": pl.Int64,
        "floor": pl.Boolean,
    }
)

_COSTS: Final = pl.Schema({"system": pl.String, "cost": pl.String, "value": pl.Float64})

CURVES: Final = pl.Schema(
    {
        "plot": pl.String,
        "system": pl.String,
        "x": pl.Float64,
        "y": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "floor": pl.Boolean,
    }
)


def table_of(results: Mapping[str, Any], table: str) -> pl.DataFrame:
    """Return one table of a finished evaluation.

    Args:
        results: What `results.json` holds.
        table: One of `TABLES`.

    Raises:
        InvalidInputError: There is no such table.
    """
    if table not in TABLES:
        raise InvalidInputError(
            f"a run has no table {shown(table)}: allowed are {', '.join(TABLES)}"
        )
    if table == "curves":
        floors = frozenset(each["name"] for each in results["systems"] if is_floor(each))
        return curves_frame(results.get("benchmark", {}).get("curves", ()), floors)
    made = {"means": estimates_frame, "categories": categories_frame, "costs": costs_frame}
    return made[table](results)


def estimates_frame(results: Mapping[str, Any]) -> pl.DataFrame:
    """Return a row for each system and measure, over the headline.

    Args:
        results: What `results.json` holds.

    Returns:
        Columns `system`, `category` (null), `measure`, `mean`, `low`, `high`, `n`, `unscored`,
        `floor`; a figure that is not there is null.
    """
    rows = (
        _row(system, None, name, found)
        for system in results["systems"]
        for name, found in system.get("measures", {}).items()
    )
    return pl.DataFrame(list(rows), schema=_ESTIMATES, orient="row")


def categories_frame(results: Mapping[str, Any]) -> pl.DataFrame:
    """Return a row for each system, category and measure; columns as of `estimates_frame`."""
    rows = (
        _row(system, category, name, found)
        for system in results["systems"]
        for category, measures in system.get("categories", {}).items()
        for name, found in measures.items()
    )
    return pl.DataFrame(list(rows), schema=_ESTIMATES, orient="row")


def costs_frame(results: Mapping[str, Any]) -> pl.DataFrame:
    """Return a row for each system and cost that is a number; names of nested ones have dots."""
    rows = [
        (system["name"], name, float(value))
        for system in results["systems"]
        for name, value in _flat(system.get("costs") or {})
    ]
    return pl.DataFrame(rows, schema=_COSTS, orient="row")


def curves_frame(curves: Sequence[Mapping[str, Any]], floors: frozenset[str]) -> pl.DataFrame:
    """Return a row for each point of curves; the band is the point where there is none.

    Args:
        curves: As results hold them: `plot`, `system`, `x`, `y`, and perhaps `low` and `high`.
        floors: Systems that are there to be beaten.
    """
    rows = []
    for each in curves:
        low, high = each.get("low") or each["y"], each.get("high") or each["y"]
        rows += [
            (each["plot"], each["system"], *point, each["system"] in floors)
            for point in zip(each["x"], each["y"], low, high, strict=True)
        ]
    return pl.DataFrame(rows, schema=CURVES, orient="row")


def is_floor(system: Mapping[str, Any]) -> bool:
    """Whether a system of a run is there to be beaten."""
    return bool(system.get("floor", system["name"] in FLOORS))


def _row(
    system: Mapping[str, Any], category: str | None, measure: str, found: Mapping[str, Any]
) -> Sequence[Any]:
    low, high = found.get("ci") or (None, None)
    name = system["name"]
    return (
        *(name, category, measure, found["mean"], low, high),
        *(found.get("n", 0), found.get("unscored", 0), is_floor(system)),
    )


def _flat(costs: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    for name, value in costs.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{above}{name}", float(value)
