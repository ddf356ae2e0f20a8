"""Two systems' values, query by query, in one order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from engram_lab.core.errors import IncomparableError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Pairs", "paired"]

_EXAMPLES: Final = 3


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """The same queries of two systems.

    Attributes:
        queries: Ids, sorted.
        categories: Of each query.
        clusters: Of each query.
        a: float64 [n, m], NaN where unscored.
        b: Likewise.
    """

    queries: tuple[str, ...]
    categories: tuple[str | None, ...]
    clusters: tuple[str | None, ...]
    a: NDArray[np.float64]
    b: NDArray[np.float64]

    @property
    def deltas(self) -> NDArray[np.float64]:
        """B minus A, float64 [n, m]; NaN where not both are scored."""
        return self.b - self.a

    def only(self, rows: Sequence[int]) -> Pairs:
        """Return the pairs of some queries."""
        return Pairs(
            queries=tuple(self.queries[row] for row in rows),
            categories=tuple(self.categories[row] for row in rows),
            clusters=tuple(self.clusters[row] for row in rows),
            a=self.a[list(rows)],
            b=self.b[list(rows)],
        )


def paired(
    a: pl.DataFrame, b: pl.DataFrame, *, names: tuple[str, str], measures: Sequence[str]
) -> Pairs:
    """Return the values of two systems, query by query.

    Args:
        a: Per-query frame: `query_id`, `category`, `cluster` and one column for each measure.
        b: Likewise.
        names: Of both systems, as errors say them.
        measures: The columns to take.

    Raises:
        IncomparableError: They hold other queries, categories, clusters or measures, or a query
            more than once.
    """
    for name, frame in zip(names, (a, b), strict=True):
        _check_frame(frame, name, measures)
    left, right = a.sort("query_id"), b.sort("query_id")
    _check_queries(left, right, names)
    for column in ("category", "cluster"):
        _check_same(left, right, names, column)
    return Pairs(
        queries=tuple(left["query_id"].to_list()),
        categories=tuple(left["category"].cast(pl.String).to_list()),
        clusters=tuple(left["cluster"].cast(pl.String).to_list()),
        a=_values(left, names[0], measures),
        b=_values(right, names[1], measures),
    )


def _values(frame: pl.DataFrame, name: str, measures: Sequence[str]) -> NDArray[np.float64]:
    columns = [frame[each].cast(pl.Float64).fill_null(float("nan")) for each in measures]
    for each in columns:
        if each.is_infinite().any():
            raise IncomparableError(
                f"{each.name} of {shown(name)} is infinite for a query: give finite values, "
                "null where a query is not scored"
            )
    return np.column_stack([each.to_numpy() for each in columns])


def _check_frame(frame: pl.DataFrame, name: str, measures: Sequence[str]) -> None:
    wanted = ["query_id", "category", "cluster", *measures]
    if missing := [each for each in wanted if each not in frame.columns]:
        raise IncomparableError(
            f"the results of {shown(name)} lack {_listed(missing)}: score both systems with the "
            f"same measures (there: {', '.join(frame.columns)})"
        )
    if frame["query_id"].has_nulls():
        raise IncomparableError(f"the results of {shown(name)} hold a row without a query_id")
    repeated = frame.filter(pl.col("query_id").is_duplicated())["query_id"]
    if ids := repeated.unique().sort().to_list():
        raise IncomparableError(
            f"the results of {shown(name)} hold {_listed(ids)} more than once: "
            "give the rows of one system"
        )


def _check_queries(a: pl.DataFrame, b: pl.DataFrame, names: tuple[str, str]) -> None:
    first, second = set(a["query_id"]), set(b["query_id"])
    said = [
        f"{len(lost)} only {shown(name)} has ({_listed(sorted(lost))})"
        for name, lost in zip(names, (first - second, second - first), strict=True)
        if lost
    ]
    if said:
        raise IncomparableError(
            f"{shown(names[0])} and {shown(names[1])} were not asked the same queries: of "
            f"{len(first | second)}, {' and '.join(said)}; compare runs over the same data"
        )


def _check_same(a: pl.DataFrame, b: pl.DataFrame, names: tuple[str, str], column: str) -> None:
    first, second = (each[column].cast(pl.String) for each in (a, b))
    other = a["query_id"].filter(first.ne_missing(second)).to_list()
    if other:
        raise IncomparableError(
            f"{len(other)} queries have another {column} in {shown(names[0])} than in "
            f"{shown(names[1])} ({_listed(other)}): compare runs over the same data"
        )


def _listed(ids: Sequence[str]) -> str:
    more = len(ids) - _EXAMPLES
    return ", ".join(map(shown, ids[:_EXAMPLES])) + (f" and {more} more" if more > 0 else "")
