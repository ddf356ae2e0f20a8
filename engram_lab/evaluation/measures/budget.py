"""Recall within a token budget: what a prompt has room for, whatever the texts' lengths.

A cut at k hits favours long memories, for k sessions say more than k sentences. A budget of tokens
charges what a prompt is charged. Hits are taken as `engine.recall(token_budget=…)` takes them: the
best first, and one that does not fit is left out while the next is still tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal, get_args

import numpy as np
import polars as pl

from engram_lab.core.errors import InvalidInputError, InvalidRunError, shown
from engram_lab.core.text import CHARS_PER_TOKEN
from engram_lab.evaluation.measures.measure import positive

if TYPE_CHECKING:
    from engram_lab.evaluation.measures.measure import Flags, Ints, Judged

__all__ = ["BudgetRecall", "token_counts"]

Of = Literal["recall", "recall_any", "recall_all"]
_KINDS: Final = get_args(Of)


def token_counts(memories: pl.DataFrame) -> pl.DataFrame:
    """Return `memory_id` and `tokens` of memories, as `retrieval.budget` estimates them.

    Args:
        memories: With the columns `id` and `content`; see `datasets.dataset.MEMORIES`.
    """
    chars = pl.col("content").str.len_chars().cast(pl.Int64)
    tokens = (chars + CHARS_PER_TOKEN - 1) // CHARS_PER_TOKEN
    return memories.select(pl.col("id").alias("memory_id"), tokens.alias("tokens"))


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetRecall:
    """Recall among the hits that fit into so many tokens.

    Attributes:
        tokens: The budget.
        of: `recall`: the share of the relevant memories; `recall_any`: 1 if there is one of them;
            `recall_all`: 1 if all are there.
    """

    tokens: int
    of: Of = "recall"
    default: ClassVar[float | None] = 0.0
    higher_is_better: ClassVar[bool] = True
    needs_tokens: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive(self.tokens, name=f"budget of {self.of}@tokens=n")
        if self.of not in _KINDS:
            raise InvalidInputError(f"of is {shown(self.of)}: it can be {', '.join(_KINDS)}")

    @property
    def name(self) -> str:
        """`recall@tokens=n`, `recall_any@tokens=n` or `recall_all@tokens=n`."""
        return f"{self.of}@tokens={self.tokens}"

    def values(self, judged: Judged) -> pl.Series:
        """Return a number from 0 to 1; null for a query to which nothing is relevant.

        Raises:
            InvalidInputError: The lengths of the memories are not at hand.
            InvalidRunError: The length of a memory that was found is not among them.
        """
        kept = _within(judged, self.tokens)
        wanted = judged.judgements.filter(pl.col("relevance") >= 1).drop_nulls("rank")
        starts = _starts(judged)
        rows = starts[wanted["place"].to_numpy()] + wanted["rank"].to_numpy() - 1
        found = judged.count(wanted.filter(pl.Series(kept[rows], dtype=pl.Boolean)))
        relevant = judged.relevant
        values = {
            "recall": found / np.maximum(relevant, 1),
            "recall_any": (found > 0).astype(np.float64),
            "recall_all": (found == relevant).astype(np.float64),
        }[self.of]
        return judged.series(values, scored=relevant > 0, default=self.default)


def _starts(judged: Judged) -> Ints:
    """Return the row of `judged.hits` where each query begins: int64 [queries]."""
    lengths = judged.hits["query_id"].rle().struct.unnest()
    ends = lengths["len"].cast(pl.Int64).cum_sum()
    placed = lengths.with_columns(start=ends - lengths["len"]).join(
        judged.places, left_on="value", right_on="query_id", maintain_order="left"
    )
    starts = np.zeros(len(judged.queries), dtype=np.int64)
    starts[placed["place"].to_numpy()] = placed["start"].to_numpy()
    return starts


def _costs(judged: Judged) -> Ints:
    """Return the tokens of each hit: int64 [hits]."""
    if judged.tokens is None:
        raise InvalidInputError(
            "recall within a token budget needs the texts of the memories: give the data set, "
            "or leave out measures that end in @tokens=n"
        )
    hits = judged.hits.select("query_id", "memory_id").join(
        judged.tokens, on="memory_id", how="left", maintain_order="left"
    )
    if hits["tokens"].null_count():
        query, memory, _ = hits.filter(pl.col("tokens").is_null()).row(0)
        raise InvalidRunError(
            f"the memory {shown(memory)}, found for the query {shown(query)}, is unknown: "
            "there is no text whose tokens could be counted"
        )
    return hits["tokens"].to_numpy().astype(np.int64)


def _within(judged: Judged, budget: int) -> Flags:
    """Return whether each hit has room: bool [hits]. All queries take their r-th hit at once."""
    costs = _costs(judged)
    kept = np.zeros(len(costs), dtype=np.bool_)
    cheapest = int(costs.min()) if len(costs) else 0
    depths, row = judged.depths, _starts(judged)
    active = np.flatnonzero(depths)
    room = np.full(len(depths), budget, dtype=np.int64)
    rank = 0
    while active.size:
        rows = row[active] + rank
        fits = costs[rows] <= room[active]
        kept[rows] = fits
        room[active] -= np.where(fits, costs[rows], 0)
        rank += 1
        active = active[(depths[active] > rank) & (room[active] >= cheapest)]
    return kept
