"""Which systems differ from one of them: paired tests, one for each system and measure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.measures.parsing import falls
from engram_lab.evaluation.reports.frames import (
    estimates_frame,
    is_floor,
    measures_of,
)
from engram_lab.evaluation.suite import HEADLINE, apart_of

if TYPE_CHECKING:
    from engram_lab.evaluation.runs.results import RunFolder

__all__ = ["best_system", "differences", "differences_of"]

_DIFFERENCES: Final = pl.Schema(
    {
        "system": pl.String,
        "reference": pl.String,
        "measure": pl.String,
        "delta": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "p": pl.Float64,
        "p_adjusted": pl.Float64,
        "alpha": pl.Float64,
        "differs": pl.Boolean,
    }
)


def best_system(results: Mapping[str, Any], measure: str | None = None) -> str | None:
    """Return the system with the best mean of a measure; of equal ones, the first.

    Args:
        results: What `results.json` holds.
        measure: By default the first of the run.

    Returns:
        None where no system has a value. A floor is best only where there is nothing else.
    """
    if measure is None:
        measure = next(iter(measures_of(results)), "")
    rows = estimates_frame(results).filter(pl.col("measure") == measure).drop_nulls("mean")
    some = rows.filter(~pl.col("floor"))
    ranked = (some if some.height else rows).sort(
        "mean", descending=not falls(measure), maintain_order=True
    )
    return ranked["system"].first() if ranked.height else None  # type: ignore[return-value]


def differences_of(folder: RunFolder, reference: str | None = None) -> pl.DataFrame | None:
    """Return how the systems of a run differ from one of them, in every measure.

    Floors are not tested: each test more costs the others power.

    Args:
        folder: The run.
        reference: The system that others are held against; by default the best.

    Returns:
        See `differences`; None where there is nothing to test.

    Raises:
        InvalidInputError: There is no such system.
    """
    base = reference or best_system(folder.results)
    others = [
        each["name"]
        for each in folder.results["systems"]
        if not is_floor(each) and each["name"] != base
    ]
    if base is None or not others:
        return None
    return differences(
        folder.per_query,
        reference=base,
        systems=others,
        measures=measures_of(folder.results),
        apart=apart_of(folder.record),
    )


def differences(
    per_query: pl.DataFrame,
    *,
    reference: str,
    systems: Sequence[str],
    measures: Sequence[str],
    apart: Sequence[str] = (),
    alpha: float = 0.05,
    resamples: int = 10_000,
    seed: int = 0,
) -> pl.DataFrame:
    """Return how each system differs from one of them, over the headline.

    The tests are two-sided and paired by query. Holm's correction is over the systems, in each
    measure by itself: measures of one ranking say nearly the same, and over all of them ten
    conversations, whose test has 1,024 outcomes, could show nothing.

    Args:
        per_query: Values by system and query.
        reference: The system that the others are held against.
        systems: Which others are tested; the reference itself is none.
        measures: Which are tested; one that a system does not have is left out.
        apart: Categories that are no part of the headline.
        alpha: Family-wise error rate.
        resamples: Of bootstrap and test.
        seed: Of both.

    Returns:
        Columns `system`, `reference`, `measure`, `delta` (system less reference), `low`, `high`,
        `p`, `p_adjusted`, `alpha`, `differs`; a row for each test.

    Raises:
        InvalidInputError: There is no such system.
    """
    from engram_lab.evaluation.statistics.comparing import compare
    from engram_lab.evaluation.statistics.holm import holm

    frames = {
        str(name): part
        for (name,), part in per_query.group_by("system", maintain_order=True)
        if name == reference or name in systems
    }
    if reference not in frames:
        raise InvalidInputError(
            f"the run has no system {reference!r} to compare with: it has "
            f"{', '.join(frames) or 'none'}"
        )
    base, rows = frames.pop(reference), []
    for name, frame in frames.items():
        shared = [each for each in measures if base[each].count() and frame[each].count()]
        if not shared:
            continue
        found = compare(
            base,
            frame,
            names=(reference, name),
            measures=shared,
            apart=apart,
            categories=False,
            alpha=alpha,
            resamples=resamples,
            seed=seed,
        )
        rows += [
            (name, reference, each.measure, each.delta, each.low, each.high, each.p)
            for each in found.contrasts
            if each.group == HEADLINE
        ]
    adjusted = [math.nan] * len(rows)
    for measure in measures:
        at = [place for place, row in enumerate(rows) if row[2] == measure]
        for place, p in zip(at, holm([rows[each][-1] for each in at]), strict=True):
            adjusted[place] = p
    return pl.DataFrame(
        [(*row, p, alpha, p < alpha) for row, p in zip(rows, adjusted, strict=True)],
        schema=_DIFFERENCES,
        orient="row",
    )
