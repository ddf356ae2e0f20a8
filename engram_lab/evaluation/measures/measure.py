"""A measure: a value with a canonical name, computed for each query."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.evaluation.datasets.dataset import QRELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.evaluation.runs.run import Run

__all__ = ["AtK", "Flags", "Floats", "Ints", "Judged", "Measure", "positive"]

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What measures look at: a ranking for each query, and what was judged.

    Attributes:
        queries: The ids of all queries that are scored, in order.
        hits: `query_id`, `memory_id`, `rank` (from 1, without gaps), `score`;
            each query's hits stand together, by rank.
        qrels: See `datasets.dataset.QRELS`, of these queries alone.
        tokens: `memory_id` and `tokens` of each memory, where the texts are at hand; else None.
    """

    queries: tuple[str, ...]
    hits: pl.DataFrame
    qrels: pl.DataFrame
    tokens: pl.DataFrame | None = None

    @classmethod
    def of(
        cls,
        run: Run,
        qrels: pl.DataFrame,
        *,
        queries: Sequence[str],
        tokens: pl.DataFrame | None = None,
    ) -> Judged:
        """Return what is to be judged of a run: of other queries than these, nothing.

        Raises:
            InvalidInputError: A query is named twice, a pair judged twice, or the judgements have
                other columns.
        """
        if len(set(queries)) < len(queries):
            raise InvalidInputError("queries are named more than once: name each once")
        if qrels.schema != QRELS:
            raise InvalidInputError(
                f"judgements have the columns {dict(qrels.schema)}: they must be {dict(QRELS)}"
            )
        if qrels.select(pl.struct("query_id", "memory_id").is_duplicated().any()).item():
            raise InvalidInputError("a memory is judged twice for a query: leave one judgement")
        asked = set(queries)
        hits = run.hits
        if not asked.issuperset(run.queries):
            hits = hits.filter(pl.col("query_id").is_in(list(asked)))
        if not asked.issuperset(qrels["query_id"].unique()):
            qrels = qrels.filter(pl.col("query_id").is_in(list(asked)))
        return cls(queries=tuple(queries), hits=hits, qrels=qrels, tokens=tokens)

    @cached_property
    def places(self) -> pl.DataFrame:
        """The `query_id` of each query and its `place` in `queries`, from 0."""
        return pl.DataFrame(
            {
                "query_id": pl.Series(self.queries, dtype=pl.String),
                "place": pl.Series(np.arange(len(self.queries)), dtype=pl.Int64),
            }
        )

    @cached_property
    def depths(self) -> Ints:
        """How many hits each query has: int64 [queries]; 0 where the run does not hold it."""
        lengths = self.hits["query_id"].rle().struct.unnest()
        placed = lengths.join(
            self.places, left_on="value", right_on="query_id", how="left", maintain_order="left"
        )
        depths = np.zeros(len(self.queries), dtype=np.int64)
        depths[placed["place"].to_numpy()] = placed["len"].to_numpy()
        return depths

    @cached_property
    def judgements(self) -> pl.DataFrame:
        """Each judgement with the `place` of its query and its `rank`, which is null if not found.

        Ordered by place, rank (null last), relevance (falling), then the order of `qrels`.
        """
        pair = ["query_id", "memory_id"]
        # Hits are many and judgements few: one column drops most, at a tenth of the cost of a join.
        judged = self.qrels["memory_id"].unique().implode()
        found = self.hits.filter(pl.col("memory_id").is_in(judged)).select(*pair, "rank")
        return (
            self.qrels.join(self.places, on="query_id", maintain_order="left")
            .join(found.join(self.qrels, on=pair, how="semi"), on=pair, how="left")
            .sort(
                ["place", "rank", "relevance"],
                descending=[False, False, True],
                nulls_last=True,
                maintain_order=True,
            )
        )

    @cached_property
    def relevant(self) -> Ints:
        """How many memories are relevant to each query: int64 [queries]."""
        return self.count(self.judgements.filter(pl.col("relevance") >= 1))

    def count(self, judgements: pl.DataFrame) -> Ints:
        """Return how many of these rows of `judgements` each query has: int64 [queries]."""
        return np.bincount(judgements["place"].to_numpy(), minlength=len(self.queries)).astype(
            np.int64
        )

    def found(self, k: int) -> Ints:
        """Return how many relevant memories are in each query's first k hits: int64 [queries]."""
        return self.count(
            self.judgements.filter((pl.col("relevance") >= 1) & (pl.col("rank") <= k))
        )

    def series(self, values: Floats, *, scored: Flags, default: float | None) -> pl.Series:
        """Return values as a measure gives them.

        Args:
            values: float64 [queries]; what stands where a query is not scored does not matter.
            scored: bool [queries]: whether the judgements say enough of the query.
            default: See `Measure`; it takes the place of the values of queries without hits.
        """
        missing = self.depths == 0
        if default is None:
            scored = scored & ~missing
        else:
            values = np.where(missing, default, values)
        return pl.Series(np.where(scored, values, np.nan), dtype=pl.Float64).fill_nan(None)


class Measure(Protocol):
    """How good one ranking is.

    Guarantees: equal names are equal measures, and `parse_measure(measure.name) == measure`. The
    value of a query does not depend on the other queries.
    """

    @property
    def name(self) -> str:
        """The canonical name, such as `R@10`."""
        ...

    @property
    def default(self) -> float | None:
        """The value of a query that the run does not hold; None leaves it unscored."""
        ...

    @property
    def higher_is_better(self) -> bool:
        """Whether more is better; where it is not, a gate takes a rise for a loss."""
        ...

    def values(self, judged: Judged) -> pl.Series:
        """Return a float64 for each of `judged.queries`, in order; null where none can be scored.

        A query without relevant judgements is null for measures that divide by their number.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class AtK:
    """What measures of the first k hits have in common.

    Attributes:
        k: The first hits, this many, count.

    Raises:
        InvalidInputError: `k` is no whole number from 1.
    """

    family: ClassVar[str]
    default: ClassVar[float | None] = 0.0
    higher_is_better: ClassVar[bool] = True

    k: int

    def __post_init__(self) -> None:
        positive(self.k, name=f"k of {self.family}@k")

    @property
    def name(self) -> str:
        """The family and where it cuts, such as `recall_any@10`."""
        return f"{self.family}@{self.k}"


def positive(value: Any, *, name: str) -> int:
    """Return a cut-off, or refuse what is none.

    Raises:
        InvalidInputError: It is no whole number from 1.
    """
    if type(value) is not int or value < 1:
        raise InvalidInputError(f"the {name} is {shown(value)}: give a whole number from 1")
    return value
