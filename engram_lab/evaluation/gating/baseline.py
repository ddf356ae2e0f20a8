"""Baselines: what each system reached on each query of a suite, with where that came from.

A baseline is a file that is committed. A gate compares a run with it query by query, so it holds
values and not only means, and it is replaced only with a reason, which stays in its history.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.brief import brief, counted, quoted
from engram_lab.core.errors import IncomparableError, InvalidInputError, InvalidRunError
from engram_lab.evaluation.gating.finished import (
    AnyRun,
    config_hash_of,
    data_of,
    finished,
    provenance_of,
    rows_of,
    spec_of,
)
from engram_lab.evaluation.gating.sealed import plain, read_sealed, write_sealed
from engram_lab.evaluation.runs.results import KEYS

if TYPE_CHECKING:
    from engram_lab.core.clock import Clock
    from engram_lab.evaluation.runs.results import RunFolder

__all__ = [
    "DIGITS",
    "Baseline",
    "BaselineSystem",
    "baseline_of",
    "read_baseline",
    "rounded",
    "update_baseline",
]

DIGITS: Final = 6
"""Decimal places that are kept; a run is rounded likewise before it is compared."""

_FORMAT: Final = "engram-baseline"
_VERSION: Final = 1
_ADVICE: Final = "bring back the committed file, or make it anew with --update-baseline --reason"


@dataclass(frozen=True, kw_only=True)
class BaselineSystem:
    """What one system reached.

    Attributes:
        spec: All that tells it from another.
        config_hash: Of an engine's configuration; None for what is no engine.
        measures: By name, one value for each query in order; None where a query is unscored.
        provenance: The record of the run that it came from.
    """

    spec: Mapping[str, Any]
    config_hash: str | None
    measures: Mapping[str, Sequence[float | None]]
    provenance: Mapping[str, Any]

    def means(self) -> dict[str, float | None]:
        """Return the mean of each measure over the queries that are scored."""
        found: dict[str, float | None] = {}
        for name, values in self.measures.items():
            scored = [each for each in values if each is not None]
            found[name] = round(sum(scored) / len(scored), DIGITS) if scored else None
        return found


@dataclass(frozen=True, kw_only=True, repr=False)
class Baseline:
    """What a run is compared with.

    Attributes:
        suite: Name of the suite.
        data: SHA-256 of everything that was judged.
        queries: Ids, in order.
        categories: Of each query, or None.
        clusters: Likewise.
        systems: By name.
        history: Every update, oldest first: when, why, and each system's means before and after.
    """

    suite: str
    data: str
    queries: tuple[str, ...]
    categories: tuple[str | None, ...]
    clusters: tuple[str | None, ...]
    systems: Mapping[str, BaselineSystem]
    history: tuple[Mapping[str, Any], ...] = ()

    def __repr__(self) -> str:
        queries = counted(len(self.queries), "query", "queries")
        return brief(self, quoted(self.suite), queries, ", ".join(self.systems))

    def per_query(self, system: str) -> pl.DataFrame:
        """Return the rows of one system: the columns `results.KEYS`, then its measures."""
        held = self.systems[system]
        n = len(self.queries)
        columns: dict[str, Any] = {
            "system": pl.Series([system] * n, dtype=pl.String),
            "query_id": pl.Series(self.queries, dtype=pl.String),
            "category": pl.Series(self.categories, dtype=pl.String),
            "cluster": pl.Series(self.clusters, dtype=pl.String),
        }
        for name, values in held.measures.items():
            columns[name] = pl.Series(values, dtype=pl.Float64, strict=False)
        return pl.DataFrame(columns)

    def provenance(self) -> dict[str, Any]:
        """Return where it came from, for reports: no values of queries."""
        return {
            "suite": self.suite,
            "data": self.data,
            "queries": len(self.queries),
            "systems": {
                name: {"config_hash": each.config_hash, **each.provenance}
                for name, each in self.systems.items()
            },
            "updated": dict(self.history[-1]) if self.history else None,
        }


def baseline_of(run: AnyRun) -> Baseline:
    """Return the baseline that a run would make: all its systems, without a history.

    Args:
        run: A run, or its folder.

    Raises:
        InvalidRunError: The folder holds no results, or they do not fit together.
    """
    run = finished(run)
    if not run.systems:
        raise InvalidRunError(
            "the run holds no system, so nothing can be a baseline: run the suite with --system",
            file=str(run.path),
        )
    first = rows_of(run, run.systems[0])
    for name in run.systems[1:]:
        if not rows_of(run, name).select(KEYS[1:]).equals(first.select(KEYS[1:])):
            raise InvalidRunError(
                f"the systems {run.systems[0]!r} and {name!r} answered different queries: "
                "run them in one command",
                file=str(run.path),
            )
    return Baseline(
        suite=run.suite,
        data=data_of(run),
        queries=tuple(first["query_id"]),
        categories=tuple(first["category"]),
        clusters=tuple(first["cluster"]),
        systems={name: _system_of(run, name) for name in run.systems},
    )


def rounded(rows: pl.DataFrame) -> pl.DataFrame:
    """Return per-query rows with their measures as a baseline keeps them; NaN becomes null."""
    measures = [name for name in rows.columns if name not in KEYS]
    return rows.with_columns(pl.col(name).fill_nan(None).round(DIGITS) for name in measures)


def read_baseline(path: str | os.PathLike[str]) -> Baseline:
    """Return the baseline of a file.

    Raises:
        InvalidRunError: There is none, or it is damaged, of another version, or was edited by hand.
    """
    file = Path(path)
    content = read_sealed(file, kind="baseline", format=_FORMAT, version=_VERSION, advice=_ADVICE)
    try:
        queries = content["queries"]
        baseline = Baseline(
            suite=content["suite"],
            data=content["data"],
            queries=tuple(queries["ids"]),
            categories=tuple(queries["categories"]),
            clusters=tuple(queries["clusters"]),
            systems={name: BaselineSystem(**each) for name, each in content["systems"].items()},
            history=tuple(content["history"]),
        )
        lengths = {
            len(values)
            for each in baseline.systems.values()
            for values in (baseline.categories, baseline.clusters, *each.measures.values())
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise InvalidRunError(
            f"the baseline lacks a part ({error}): {_ADVICE}", file=str(file)
        ) from None
    if lengths - {len(baseline.queries)}:
        raise InvalidRunError(
            f"the baseline names {len(baseline.queries)} queries and holds lists of other lengths: "
            f"{_ADVICE}",
            file=str(file),
        )
    return baseline


def update_baseline(
    path: str | os.PathLike[str],
    run: AnyRun,
    *,
    reason: str,
    clock: Clock,
    systems: Sequence[str] | None = None,
    command: str | None = None,
    other_data: bool = False,
) -> Baseline:
    """Put a run's values in the place of a baseline's, or make a new baseline.

    Systems that the run has not stay as they are, and what was there before is told in the history.

    Args:
        path: The file.
        run: A run, or its folder.
        reason: Why, in words; it is kept.
        clock: Tells when.
        systems: Of these systems alone; else of all in the run.
        command: What was typed, to be kept.
        other_data: Accept that suite, data or queries are other ones; what was there is dropped.

    Raises:
        InvalidInputError: The reason is empty, or a system is not in the run.
        InvalidRunError: The run or the baseline in place cannot be read.
        IncomparableError: Suite, data or queries are other ones than those in place.
    """
    if not reason.strip():
        raise InvalidInputError("the reason is empty: say why the baseline is replaced")
    file = Path(path)
    fresh = _only(baseline_of(run), systems)
    old = read_baseline(file) if file.exists() else None
    kept: Mapping[str, BaselineSystem] = old.systems if old else {}
    if old and (difference := differs(old, fresh)):
        if not other_data:
            raise IncomparableError(
                f"the run does not fit the baseline {file}: {difference}; say so where that is "
                "meant, or write to another file"
            )
        kept = {}
    entry = {
        "at": clock.now().isoformat(),
        "reason": reason.strip(),
        "command": command,
        "data": fresh.data,
        "systems": {
            name: {
                "before": old.systems[name].means() if old and name in old.systems else None,
                "after": each.means(),
            }
            for name, each in fresh.systems.items()
        },
        "dropped": sorted(set(old.systems) - {*kept, *fresh.systems}) if old else [],
    }
    history = (*(old.history if old else ()), entry)
    baseline = replace(fresh, systems={**kept, **fresh.systems}, history=history)
    write_sealed(file, _content(baseline))
    return baseline


def differs(a: Baseline, b: Baseline) -> str | None:
    """Return why two baselines cannot be compared query by query, or None where they can."""
    if a.suite != b.suite:
        return f"the suite was {a.suite!r} and is {b.suite!r}"
    if a.data != b.data:
        return f"the data had the SHA-256 {a.data[:12]}… and have {b.data[:12]}…"
    return other_queries(a.queries, b.queries)


def other_queries(before: Sequence[str], after: Sequence[str]) -> str | None:
    """Say how two sets of queries differ, or return None where they do not."""
    lost, new = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    if not lost and not new:
        return None
    some = ", ".join(map(repr, (lost + new)[:3]))
    return f"{len(lost)} queries of the baseline are missing and {len(new)} are new, such as {some}"


def _only(baseline: Baseline, systems: Sequence[str] | None) -> Baseline:
    if systems is None:
        return baseline
    if strange := [each for each in systems if each not in baseline.systems]:
        raise InvalidInputError(
            f"the run has no system {strange[0]!r}: it has {', '.join(baseline.systems)}"
        )
    return replace(baseline, systems={name: baseline.systems[name] for name in systems})


def _system_of(run: RunFolder, name: str) -> BaselineSystem:
    rows = rounded(rows_of(run, name))
    return BaselineSystem(
        spec=spec_of(run, name),
        config_hash=config_hash_of(run, name),
        measures={each: rows[each].to_list() for each in rows.columns if each not in KEYS},
        provenance=provenance_of(run),
    )


def _content(baseline: Baseline) -> dict[str, Any]:
    content: dict[str, Any] = plain(
        {
            "format": _FORMAT,
            "version": _VERSION,
            "suite": baseline.suite,
            "data": baseline.data,
            "queries": {
                "ids": baseline.queries,
                "categories": baseline.categories,
                "clusters": baseline.clusters,
            },
            "systems": {
                name: {
                    "spec": each.spec,
                    "config_hash": each.config_hash,
                    "provenance": each.provenance,
                    "measures": each.measures,
                }
                for name, each in baseline.systems.items()
            },
            "history": baseline.history,
        }
    )
    return content
