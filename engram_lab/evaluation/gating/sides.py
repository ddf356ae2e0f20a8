"""The sides of a comparison, as a command names them: a folder or a baseline, and a system."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engram_lab.core.errors import IncomparableError, InvalidInputError
from engram_lab.evaluation.gating.baseline import read_baseline
from engram_lab.evaluation.gating.finished import data_of, finished
from engram_lab.evaluation.runs.results import KEYS
from engram_lab.evaluation.statistics.comparing import compare
from engram_lab.evaluation.suite import apart_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from engram_lab.evaluation.runs.results import RunFolder
    from engram_lab.evaluation.statistics.contrast import Comparison

__all__ = ["Side", "compare_sides", "side"]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One system's values.

    Attributes:
        name: As reports call it.
        system: Its name where it was run.
        per_query: Its rows of the per-query frame.
        data: The hash of the data it was run on.
        suite: The name of the suite.
        apart: Categories that are no part of the headline.
        tested: Measures that the suite's gate tests.
        folder: Where it was run; None for a baseline.
    """

    name: str
    system: str
    per_query: pl.DataFrame
    data: str
    suite: str
    apart: tuple[str, ...]
    tested: tuple[str, ...] = ()
    folder: RunFolder | None = None


def side(named: str) -> Side:
    """Return what `PLACE` or `PLACE:SYSTEM` names.

    Args:
        named: A folder that `engram eval run` or `score` wrote, or the file of a baseline; the
            system may be left out where there is only one.

    Raises:
        InvalidRunError: There is no such thing.
        InvalidInputError: The system is not there, or there are several to choose from.
    """
    place, system = Path(named), ""
    if not place.exists() and ":" in named:
        before, _, system = named.rpartition(":")
        place = Path(before)
    return _of_baseline(place, system) if place.suffix == ".json" else _of_folder(place, system)


def compare_sides(a: Side, b: Side, *, measures: Sequence[str] = ()) -> Comparison:
    """Return how B differs from A.

    Args:
        a: The one that stands.
        b: The one that is judged.
        measures: The first tells which queries moved. Unless given, those that the gate of B's
            suite tests: the more are tested, the less each can show.

    Raises:
        IncomparableError: They are of different data, queries or measures.
    """
    if a.data != b.data:
        raise IncomparableError(
            f"{a.name} was run on other data than {b.name} ({a.suite} {a.data[:12]}, {b.suite} "
            f"{b.data[:12]}): run both on the same"
        )
    common = [name for name in a.per_query.columns if name in set(b.per_query.columns) - {*KEYS}]
    usual = [name for name in b.tested if name in common] or common
    return compare(
        a.per_query,
        b.per_query,
        names=(a.name, b.name),
        measures=measures or usual,
        apart=b.apart or a.apart,
    )


def _of_folder(place: Path, system: str) -> Side:
    folder = finished(place)
    chosen = _chosen(folder.systems, system, place)
    record = folder.record
    return Side(
        name=f"{place.name}:{chosen}",
        system=chosen,
        per_query=folder.of(chosen),
        data=data_of(folder),
        suite=folder.suite,
        apart=apart_of(record),
        tested=tuple(record["suite"]["gate"]["measures"]),
        folder=folder,
    )


def _of_baseline(place: Path, system: str) -> Side:
    baseline = read_baseline(place)
    chosen = _chosen(tuple(baseline.systems), system, place)
    return Side(
        name=f"{place.stem}:{chosen}",
        system=chosen,
        per_query=baseline.per_query(chosen),
        data=baseline.data,
        suite=baseline.suite,
        apart=apart_of(baseline.systems[chosen].provenance),
    )


def _chosen(known: Sequence[str], system: str, place: Path) -> str:
    if not system and len(known) == 1:
        return known[0]
    if system not in known:
        said = f"has no system {system!r}" if system else "holds several systems"
        raise InvalidInputError(
            f"{place} {said}: write {place}:NAME with one of {', '.join(known)}"
        )
    return system
