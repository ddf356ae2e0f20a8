"""A finished run as gates and baselines read it: what does not fit together is not judged."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from engram_lab.core.errors import InvalidInputError, InvalidRunError
from engram_lab.evaluation.runs.masking import without_secrets
from engram_lab.evaluation.runs.results import KEYS, RunFolder, read_results
from engram_lab.evaluation.suite import apart_of

__all__ = [
    "JUDGED",
    "AnyRun",
    "config_hash_of",
    "data_of",
    "finished",
    "provenance_of",
    "result_of",
    "rows_of",
    "skipped_of",
    "spec_of",
]

_RESULTS: Final = "results.json"
_PER_QUERY: Final = "per_query.parquet"

JUDGED: Final = (_RESULTS, _PER_QUERY)
"""The files that a verdict rests on."""

_TOLD: Final = ("id", "seed", "clock", "code", "environment", "command", "began_at")
"""What a baseline takes over from a record."""

AnyRun = RunFolder | str | os.PathLike[str]
"""A run, or its folder."""


def finished(run: AnyRun) -> RunFolder:
    """Return a run of which every part that is used here was checked.

    Raises:
        InvalidRunError: The folder is none that `engram eval run` wrote, or its files do not fit
            together.
    """
    found = run if isinstance(run, RunFolder) else read_results(Path(run))
    _check(found)
    return found


def data_of(run: RunFolder) -> str:
    """Return the SHA-256 of everything that was judged."""
    return str(run.record["dataset"]["hash"])


def skipped_of(run: RunFolder) -> dict[str, str]:
    """Return the systems that were not run, each with the reason."""
    return {each["name"]: each["reason"] for each in run.results.get("skipped", ())}


def provenance_of(run: RunFolder) -> dict[str, Any]:
    """Return what a baseline says of where it came from, without what must stay secret."""
    told: dict[str, Any] = {key: run.record[key] for key in _TOLD if key in run.record}
    dataset = run.record["dataset"]
    told["suite"] = {"apart": list(apart_of(run.record))}
    told["dataset"] = {key: value for key, value in dataset.items() if key != "files"}
    found: dict[str, Any] = without_secrets(told)
    return found


def result_of(run: RunFolder, system: str) -> Mapping[str, Any]:
    """Return what `results.json` says of a system.

    Raises:
        InvalidInputError: The run has no such system.
    """
    for each in run.results["systems"]:
        if each["name"] == system:
            found: Mapping[str, Any] = each
            return found
    skipped = skipped_of(run)
    why = f" (it was skipped: {skipped[system]})" if system in skipped else ""
    raise InvalidInputError(
        f"the run has no system {system!r}{why}: it has {', '.join(run.systems) or 'none'}"
    )


def spec_of(run: RunFolder, system: str) -> Mapping[str, Any]:
    """Return all that tells a system from another, without what must stay secret."""
    found: Mapping[str, Any] = without_secrets(result_of(run, system).get("spec") or {})
    return found


def config_hash_of(run: RunFolder, system: str) -> str | None:
    """Return the hash of an engine's configuration; None for what is no engine."""
    found = (result_of(run, system).get("spec") or {}).get("config_hash")
    return None if found is None else str(found)


def rows_of(run: RunFolder, system: str) -> pl.DataFrame:
    """Return the values of a system by query id, without measures that it has not."""
    held = run.of(system).sort("query_id")
    kept = [name for name in held.columns if name in KEYS or held[name].count()]
    return held.select(kept)


def _check(run: RunFolder) -> None:
    """Refuse files that do not fit together."""
    results, values = run.path / _RESULTS, run.path / _PER_QUERY
    try:
        names, _ = run.systems, (data_of(run), skipped_of(run))
    except (AttributeError, KeyError, TypeError) as error:
        raise InvalidRunError(
            f"lacks a part ({type(error).__name__}: {error}): systems by name and a record with "
            "the hash of the data are expected",
            file=str(results),
        ) from None
    rows = run.per_query
    if missing := [key for key in KEYS if key not in rows.columns]:
        raise InvalidRunError(f"has no column {missing[0]!r}", file=str(values))
    if strange := [key for key in run.measures if rows.schema[key] != pl.Float64]:
        raise InvalidRunError(
            f"the column {strange[0]!r} is of type {rows.schema[strange[0]]}: measures are Float64",
            file=str(values),
        )
    twice = rows.filter(pl.struct("system", "query_id").is_duplicated())
    if twice.height:
        raise InvalidRunError(
            f"holds the query {twice['query_id'][0]!r} of {twice['system'][0]!r} more than once",
            file=str(values),
        )
    if absent := set(names) - set(rows["system"].to_list()):
        raise InvalidRunError(
            f"names the system {min(absent)!r}, of which {_PER_QUERY} has no row", file=str(results)
        )
