"""A measure made of a function of one query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from engram_lab.core.errors import EvaluationError, shown

if TYPE_CHECKING:
    import polars as pl

    from engram_lab.evaluation.measures.measure import Judged

__all__ = ["ByQuery", "DefinedMeasure"]

ByQuery = Callable[[Sequence[str], Mapping[str, int], int | None], float | None]
"""Of the ids of the hits, best first, the relevance of each judged memory, and the cut-off."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DefinedMeasure:
    """What `parsing.define` makes.

    Attributes:
        name: With its cut-off.
        function: Of one query.
        k: The cut-off that the function is given.
        default: The value of a query that the run does not hold; None leaves it unscored.
        unjudged: Whether a query to which nothing is relevant is scored too.
        higher_is_better: Whether more is better.
    """

    name: str
    function: ByQuery = field(compare=False, repr=False)
    k: int | None = None
    default: float | None = 0.0
    unjudged: bool = False
    higher_is_better: bool = True

    def values(self, judged: Judged) -> pl.Series:
        """Return what the function says of each query; null where it says None.

        Raises:
            EvaluationError: It says something that is no number, or infinity.
        """
        wanted = np.ones(len(judged.queries), dtype=np.bool_)
        if not self.unjudged:
            wanted = judged.relevant > 0
        values = np.full(len(judged.queries), np.nan)
        rankings = dict(
            judged.hits.group_by("query_id", maintain_order=True).agg("memory_id").rows()
        )
        relevances: dict[str, dict[str, int]] = {}
        for query, memory, relevance in judged.qrels.select(
            "query_id", "memory_id", "relevance"
        ).iter_rows():
            relevances.setdefault(query, {})[memory] = relevance
        for place in np.flatnonzero(wanted & (judged.depths > 0)).tolist():
            query = judged.queries[place]
            value = self.function(rankings[query], relevances.get(query, {}), self.k)
            values[place] = np.nan if value is None else self._checked(value, query)
        missing = judged.depths == 0
        return judged.series(
            values, scored=wanted & (missing | ~np.isnan(values)), default=self.default
        )

    def _checked(self, value: float, query: str) -> float:
        given: Any = value
        if isinstance(given, int | float | np.number) and np.isfinite(given):
            return float(given)
        raise EvaluationError(
            f"the measure {shown(self.name)} is {shown(value)} for the query {shown(query)}: "
            "it must be a finite number, or None where nothing can be scored"
        )
