"""What reports show, as tidy frames: one row a figure, from the results of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from engram_lab.evaluation.formats import counted, figure
from engram_lab.evaluation.measures.parsing import falls
from engram_lab.evaluation.runs.tables import (
    FLOORS,
    categories_frame,
    costs_frame,
    estimates_frame,
    is_floor,
)

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
