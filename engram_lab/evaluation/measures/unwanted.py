"""What must not be found: memories that were superseded, and those that are not to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import polars as pl

from engram_lab.evaluation.datasets.dataset import FORBIDDEN, STALE
from engram_lab.evaluation.measures.measure import AtK

if TYPE_CHECKING:
    from engram_lab.evaluation.measures.measure import Judged

__all__ = ["CurrentAboveStale", "ForbiddenHits", "StaleHits"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StaleHits(AtK):
    """How many superseded memories are in the first k hits. Less is better.

    A query that the run does not hold has none: nothing was shown.
    """

    family: ClassVar[str] = "stale"
    higher_is_better: ClassVar[bool] = False

    def values(self, judged: Judged) -> pl.Series:
        """Return a count; null for a query that supersedes nothing."""
        return _unwanted(judged, STALE, k=self.k, default=self.default)


@dataclass(frozen=True, kw_only=True, slots=True)
class ForbiddenHits(AtK):
    """How many memories that must not be shown are in the first k hits. Less is better.

    A query that the run does not hold has none: nothing was shown.
    """

    family: ClassVar[str] = "forbidden"
    higher_is_better: ClassVar[bool] = False

    def values(self, judged: Judged) -> pl.Series:
        """Return a count; null for a query to which nothing is forbidden."""
        return _unwanted(judged, FORBIDDEN, k=self.k, default=self.default)


@dataclass(frozen=True, kw_only=True, slots=True)
class CurrentAboveStale:
    """1 if what answers now was found, and ranks above all that it superseded; else 0.

    The best of several current memories counts. A superseded memory that was not found ranks below
    all; where the current one was not found either, the value is 0.
    """

    default: ClassVar[float | None] = 0.0
    higher_is_better: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """`current_above_stale`."""
        return "current_above_stale"

    def values(self, judged: Judged) -> pl.Series:
        """Return 0 or 1; null for a query that has not both, a current and a superseded memory."""
        rows = judged.judgements
        current = _best(judged, rows.filter(pl.col("relevance") >= 1))
        stale_rows = rows.filter(pl.col("relevance") == STALE)
        above = current < _best(judged, stale_rows)
        scored = (judged.relevant > 0) & (judged.count(stale_rows) > 0)
        return judged.series(above.astype(np.float64), scored=scored, default=self.default)


def _unwanted(judged: Judged, kind: int, *, k: int, default: float | None) -> pl.Series:
    """Return how many of the first k hits were judged to be of this kind."""
    rows = judged.judgements.filter(pl.col("relevance") == kind)
    shown = judged.count(rows.filter(pl.col("rank") <= k))
    return judged.series(shown.astype(np.float64), scored=judged.count(rows) > 0, default=default)


def _best(judged: Judged, rows: pl.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the first rank at which one of these was found: float64 [queries], else infinity."""
    best = np.full(len(judged.queries), np.inf)
    found = rows.drop_nulls("rank")
    np.minimum.at(best, found["place"].to_numpy(), found["rank"].to_numpy().astype(np.float64))
    return best
