"""Folds that leave whole conversations out, so that a setting is judged where it was not chosen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from engram_lab.core.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Fold", "Folds", "chosen_units", "make_folds", "units"]

_FEWEST: Final = 2
_ITSELF: Final = pl.concat_str(pl.lit("query "), "query_id")
_ONE_CLUSTER: Final = (
    "all queries lie in the one cluster {!r}: single queries are left out instead, which tells "
    "nothing of other clusters"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fold:
    """What is left out at once.

    Attributes:
        name: The cluster, or the number of the fold.
        units: Which units lie in it, sorted; see `units`.
        queries: Their ids, in the order of the data.
    """

    name: str
    units: tuple[str, ...]
    queries: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Folds:
    """All queries, each in one fold.

    Attributes:
        how: In words, as a report says it.
        folds: Two or more.
        warnings: What a reader must know.
    """

    how: str
    folds: tuple[Fold, ...]
    warnings: tuple[str, ...] = ()


def units(queries: pl.DataFrame) -> pl.Series:
    """Return what each query is a part of: its cluster, or itself where it has none.

    Args:
        queries: With `query_id` and `cluster`.
    """
    return queries.select(unit=pl.coalesce("cluster", _ITSELF))["unit"]


def make_folds(queries: pl.DataFrame, *, groups: int = 5, most: int = 20, seed: int = 0) -> Folds:
    """Return folds that never part the queries of a cluster.

    Up to `most` clusters are left out one by one; more are dealt into `groups` of about as many
    queries each. Where each query stands for itself, or all lie in one cluster, single queries are
    dealt, by the hash of their ids.

    Args:
        queries: With `query_id` and `cluster`.
        groups: How many folds, where not one a cluster.
        most: Up to how many clusters are each a fold.
        seed: Of the dealing.

    Raises:
        EvaluationError: There are fewer than two queries, or fewer than two groups were asked for.
    """
    if queries.height < _FEWEST:
        raise EvaluationError(
            f"{queries.height} queries cannot be cross-validated: give two or more"
        )
    if groups < _FEWEST:
        raise EvaluationError(f"{groups} folds leave nothing to choose on: give two or more")
    of = units(queries)
    clusters = queries["cluster"].drop_nulls().n_unique()
    warnings: tuple[str, ...] = ()
    if of.n_unique() < _FEWEST:
        of = queries.select(unit=_ITSELF)["unit"]
        warnings = (_ONE_CLUSTER.format(queries["cluster"][0]),)
        clusters = 0
    counts = dict(of.value_counts().iter_rows())
    if len(counts) == clusters <= most:
        dealt = {unit: unit for unit in sorted(counts)}
        how = f"each of {clusters} clusters left out in turn"
    else:
        groups = min(groups, len(counts))
        dealt = _dealt(counts, groups, seed)
        noun = "clusters" if clusters else "queries"
        how = f"{groups} groups of whole {noun}, each left out in turn"
    return Folds(how=how, folds=_folds(queries, of, dealt), warnings=warnings)


def chosen_units(queries: pl.DataFrame, *, share: float, seed: int = 0) -> tuple[str, ...]:
    """Return units to hold out, chosen by their hash, that hold at least this share of the queries.

    Args:
        queries: With `query_id` and `cluster`.
        share: Above 0 and below 1.
        seed: Another one chooses others.

    Raises:
        EvaluationError: The share is no such number, or nothing would be left.
    """
    if not 0 < share < 1:
        raise EvaluationError(f"a share of {share} cannot be held out: it lies between 0 and 1")
    counts = dict(units(queries).value_counts().iter_rows())
    chosen: list[str] = []
    held = 0
    for unit in sorted(counts, key=lambda each: _hash(each, seed)):
        if held >= share * queries.height:
            break
        chosen.append(unit)
        held += counts[unit]
    if held == queries.height:
        raise EvaluationError(
            f"a share of {share} of {len(counts)} clusters is all of them: hold out less"
        )
    return tuple(sorted(chosen))


def _dealt(counts: dict[str, int], groups: int, seed: int) -> dict[str, str]:
    """Deal units, the largest first, each to the group that has the fewest queries so far."""
    width = len(str(groups))
    names = [f"{number:0{width}}" for number in range(1, groups + 1)]
    held = dict.fromkeys(names, 0)
    dealt: dict[str, str] = {}
    for unit in sorted(counts, key=lambda each: (-counts[each], _hash(each, seed))):
        fewest = min(names, key=lambda name: held[name])
        dealt[unit] = fewest
        held[fewest] += counts[unit]
    return dealt


def _hash(unit: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}\0{unit}".encode()).hexdigest()


def _folds(queries: pl.DataFrame, of: pl.Series, dealt: dict[str, str]) -> tuple[Fold, ...]:
    members: dict[str, list[str]] = {name: [] for name in sorted(set(dealt.values()))}
    held: dict[str, set[str]] = {name: set() for name in members}
    pairs: Iterable[tuple[str, str]] = zip(queries["query_id"], of, strict=True)
    for query, unit in pairs:
        members[dealt[unit]].append(query)
        held[dealt[unit]].add(unit)
    return tuple(
        Fold(name=name, units=tuple(sorted(held[name])), queries=tuple(members[name]))
        for name in members
    )
