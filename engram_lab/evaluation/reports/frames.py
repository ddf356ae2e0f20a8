"""What reports show, as tidy frames: one row a figure, from the results of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from engram_lab.evaluation.formats import counted, figure
from engram_lab.evaluation.measures.parsing import falls

__all__ = [
    "FLOORS",
    "best_figure",
    "categories_frame",
    "costs_frame",
    "depths_frame",
    "estimates_frame",
    "is_floor",
    "level_of",
    "measures_of",
    "unscored_lines",
]

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

_AT: Final = r"^(?<family>.+)@(?<k>\d+)$"


def measures_of(results: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of all measures of a run, in the order of its first system that has them."""
    return tuple(
        dict.fromkeys(name for system in results["systems"] for name in system.get("measures", {}))
    )


def level_of(results: Mapping[str, Any]) -> float:
    """Return the level of the confidence intervals: what the record says, else 0.95."""
    suite = results.get("record", {}).get("suite")
    found = suite.get("level") if isinstance(suite, Mapping) else None
    return float(found) if isinstance(found, int | float) else 0.95


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


def depths_frame(results: Mapping[str, Any]) -> pl.DataFrame:
    """Return the measures that were taken at several depths, each with its family and its k.

    Returns:
        `estimates_frame` with `family` (`recall_any`, …) and `k`, for the families with two depths
        and more.
    """
    parts = pl.col("measure").str.extract_groups(_AT)
    return (
        estimates_frame(results)
        .with_columns(parts.alias("parts"))
        .unnest("parts")
        .with_columns(pl.col("k").cast(pl.Int64))
        .filter(pl.col("k").n_unique().over("family") > 1, pl.col("k").is_not_null())
    )


def costs_frame(results: Mapping[str, Any]) -> pl.DataFrame:
    """Return a row for each system and cost that is a number; names of nested ones have dots."""
    rows = [
        (system["name"], name, float(value))
        for system in results["systems"]
        for name, value in _flat(system.get("costs") or {})
    ]
    return pl.DataFrame(rows, schema=_COSTS, orient="row")


def is_floor(system: Mapping[str, Any]) -> bool:
    """Whether a system of a run is there to be beaten."""
    return bool(system.get("floor", system["name"] in FLOORS))


def best_figure(rows: pl.DataFrame, measure: str) -> str | None:
    """Return the best mean of one measure as it is written, or None where nothing stands out.

    Floors take no part: of what should be small, a system that finds nothing has least.

    Args:
        rows: Of that measure, as of `estimates_frame`.
        measure: Its name.
    """
    means = rows.filter(~pl.col("floor")).drop_nulls("mean")["mean"].to_list()
    if not means:
        return None
    best = figure(min(means) if falls(measure) else max(means))
    alike = sum(figure(each) == best for each in means)
    return None if 1 < len(means) == alike else best


def unscored_lines(frame: pl.DataFrame) -> Iterator[str]:
    """Yield what was not scored; measures of which the same is said share a line."""
    systems = frame["system"].n_unique()
    lines: dict[str, list[str]] = defaultdict(list)
    missing = frame.filter(pl.col("unscored") > 0)
    for (measure,), part in missing.group_by("measure", maintain_order=True):
        counts = part.select("n", "unscored").unique().rows()
        if len(counts) == 1 and part.height == systems:
            n, unscored = counts[0]
            verb = "has" if unscored == 1 else "have"
            said = f"over {counted(n, 'query', 'queries')}; {unscored:,} {verb} no value"
        else:
            pairs = part.select("system", "unscored").rows()
            said = "queries without a value: " + ", ".join(f"{s} {count:,}" for s, count in pairs)
        lines[said].append(str(measure))
    yield from (f"{', '.join(measures)}: {said}" for said, measures in lines.items())


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
