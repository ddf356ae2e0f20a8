"""A finished run as gates and baselines read it: what does not fit together is not judged."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import polars as pl

from engram_lab.config.model import all_settings
from engram_lab.core.errors import InvalidInputError, InvalidRunError
from engram_lab.evaluation.runs.results import KEYS, RunFolder, read_results

__all__ = ["JUDGED", "QRELS", "AnyRun", "Finished", "finished", "without_secrets"]

_RESULTS: Final = "results.json"
_PER_QUERY: Final = "per_query.parquet"
QRELS: Final = "qrels.parquet"

JUDGED: Final = (_RESULTS, _PER_QUERY)
"""The files that a verdict rests on."""

_HIDDEN: Final = "***"

_TOLD: Final = ("id", "seed", "clock", "code", "environment", "command", "began_at")
"""What a baseline takes over from a record."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What `engram eval run` left in a folder.

    Attributes:
        run: The folder, of which every part that is used here was checked.
    """

    run: RunFolder

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.run.path

    @property
    def suite(self) -> str:
        """Name of the suite."""
        return self.run.suite

    @property
    def data(self) -> str:
        """SHA-256 of everything that was judged."""
        return str(self.run.record["dataset"]["hash"])

    @property
    def apart(self) -> tuple[str, ...]:
        """Categories that are no part of the headline."""
        suite = self.run.record.get("suite")
        return tuple(suite.get("apart", ())) if isinstance(suite, Mapping) else ()

    @property
    def provenance(self) -> dict[str, Any]:
        """Return what a baseline says of where it came from."""
        record = self.run.record
        dataset = {key: value for key, value in record["dataset"].items() if key != "files"}
        told: dict[str, Any] = {key: record[key] for key in _TOLD if key in record}
        told["dataset"] = dataset
        found: dict[str, Any] = without_secrets(told)
        return found

    @property
    def systems(self) -> tuple[str, ...]:
        """Names of the systems that were run, in order."""
        return self.run.systems

    @property
    def skipped(self) -> dict[str, str]:
        """Systems that were not run, each with the reason."""
        return {each["name"]: each["reason"] for each in self.run.results.get("skipped", ())}

    def result(self, system: str) -> Mapping[str, Any]:
        """Return what `results.json` says of a system.

        Raises:
            InvalidInputError: The run has no such system.
        """
        for each in self.run.results["systems"]:
            if each["name"] == system:
                found: Mapping[str, Any] = each
                return found
        why = f" (it was skipped: {self.skipped[system]})" if system in self.skipped else ""
        raise InvalidInputError(
            f"the run has no system {system!r}{why}: it has {', '.join(self.systems) or 'none'}"
        )

    def spec(self, system: str) -> Mapping[str, Any]:
        """Return all that tells a system from another, without what must stay secret."""
        found: Mapping[str, Any] = without_secrets(self.result(system).get("spec") or {})
        return found

    def config_hash(self, system: str) -> str | None:
        """Return the hash of an engine's configuration; None for what is no engine."""
        found = (self.result(system).get("spec") or {}).get("config_hash")
        return None if found is None else str(found)

    def rows(self, system: str) -> pl.DataFrame:
        """Return the values of a system by query id, without measures that it has not."""
        held = self.run.of(system).sort("query_id")
        kept = [name for name in held.columns if name in KEYS or held[name].count()]
        return held.select(kept)

    def hits(self, system: str) -> pl.DataFrame:
        """Return what a system found; see `run.RUN`.

        Raises:
            InvalidRunError: The run file is missing, or is none.
        """
        file = self.folder / "runs" / f"{system}.parquet"
        try:
            return pl.read_parquet(file, columns=["query_id", "memory_id", "rank"])
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InvalidRunError(f"cannot be read ({error})", file=str(file)) from None


AnyRun = Finished | RunFolder | str | os.PathLike[str]
"""A run, or its folder."""


def finished(run: AnyRun) -> Finished:
    """Return a run, checked.

    Raises:
        InvalidRunError: The folder is none that `engram eval run` wrote, or its files do not fit
            together.
    """
    if isinstance(run, Finished):
        return run
    found = Finished(run if isinstance(run, RunFolder) else read_results(Path(run)))
    _check(found)
    return found


def _check(found: Finished) -> None:
    """Refuse files that do not fit together."""
    results, values = found.folder / _RESULTS, found.folder / _PER_QUERY
    try:
        names, _ = found.systems, (found.data, found.skipped)
    except (AttributeError, KeyError, TypeError) as error:
        raise InvalidRunError(
            f"lacks a part ({type(error).__name__}: {error}): systems by name and a record with "
            "the hash of the data are expected",
            file=str(results),
        ) from None
    rows = found.run.per_query
    if missing := [key for key in KEYS if key not in rows.columns]:
        raise InvalidRunError(f"has no column {missing[0]!r}", file=str(values))
    if strange := [key for key in found.run.measures if rows.schema[key] != pl.Float64]:
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


def without_secrets(value: Any) -> Any:
    """Return a record, a result or a specification fit to be kept: `***` for every secret in it.

    Settings are known by their names; a text may hold a password in an address, or an option such
    as `--set embedding.api_key=…`.
    """
    if isinstance(value, Mapping):
        return {
            name: _HIDDEN if name in _secret_names() and each else without_secrets(each)
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_secrets(each) for each in value]
    return all_settings()["embedding.url"].masked(value) if isinstance(value, str) else value


@cache
def _secret_names() -> frozenset[str]:
    """Return what settings are called that must never be written to a file."""
    return frozenset(each.name for each in all_settings().values() if each.secret)
