"""Variants of nDCG that reports of agent memory print, under names of their own.

The standard one is `nDCG@k`: sum(relevance(r) / log2(r + 1)) over the ideal ranking of all that is
relevant. Figures of these variants are no figures of it. Both take relevance as yes or no.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import polars as pl

from engram_lab.evaluation.measures.measure import AtK

if TYPE_CHECKING:
    from engram_lab.evaluation.measures.measure import Floats, Ints, Judged

__all__ = ["LongMemEvalNdcg", "RetrievedNdcg"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LongMemEvalNdcg(AtK):
    """LongMemEval's nDCG, in which ranks 1 and 2 weigh the same.

    DCG = rel(1) + sum over r from 2 to k of rel(r) / log2(r), so the weights are 1, 1, 0.63, 0.5 …
    where the standard ones are 1, 0.63, 0.5, 0.43 …; the ideal is that of all relevant memories.

    Source: Wu et al., LongMemEval (ICLR 2025), `ndcg_any@k` of its published code
    (`src/retrieval/eval_utils.py`); the form of DCG is that of Järvelin and Kekäläinen (2002),
    equation 2, with b = 2.
    """

    family: ClassVar[str] = "ndcg_longmemeval"

    def values(self, judged: Judged) -> pl.Series:
        """Return a number from 0 to 1; null for a query to which nothing is relevant."""
        ranks = np.arange(1, self.k + 1)
        weights = 1 / np.maximum(np.log2(ranks), 1)
        return _normalised(judged, weights, of=judged.relevant, default=self.default)


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrievedNdcg(AtK):
    """nDCG whose ideal orders only what was found: it does not see what is missing.

    One relevant memory at rank 1 gives 1, however many others were not found. So it is never below
    `nDCG@k`, and a system that finds less can score more.

    Source: MemPalace, `benchmarks/longmemeval_bench.py`, whose `ndcg` sorts the relevances of the
    first k hits for its ideal; the weights are the standard ones.
    """

    family: ClassVar[str] = "ndcg_mempalace"

    def values(self, judged: Judged) -> pl.Series:
        """Return a number from 0 to 1; null for a query to which nothing is relevant."""
        weights = 1 / np.log2(np.arange(2, self.k + 2))
        return _normalised(judged, weights, of=judged.found(self.k), default=self.default)


def _normalised(judged: Judged, weights: Floats, *, of: Ints, default: float | None) -> pl.Series:
    """Return the gain of each query over that of so many relevant memories at the first ranks.

    Args:
        judged: The rankings.
        weights: float64 [k], of the ranks from 1.
        of: int64 [queries].
        default: Of the measure.
    """
    k = len(weights)
    hits = judged.judgements.filter((pl.col("relevance") >= 1) & (pl.col("rank") <= k))
    gain = np.bincount(
        hits["place"].to_numpy(),
        weights=weights[hits["rank"].to_numpy() - 1],
        minlength=len(judged.queries),
    ).astype(np.float64)  # which is of whole numbers where there are no weights
    ideal = np.concatenate(([0.0], np.cumsum(weights)))[np.minimum(of, k)]
    values = np.divide(gain, ideal, out=np.zeros_like(gain), where=ideal > 0)
    return judged.series(values, scored=judged.relevant > 0, default=default)
