"""Recall of all that answers a query: any of it, all of it, or as much as k places can hold.

The share of it, which most papers call recall, is `R@k` of the standard measures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from engram_lab.evaluation.measures.measure import AtK

if TYPE_CHECKING:
    import polars as pl

    from engram_lab.evaluation.measures.measure import Judged

__all__ = ["CappedRecall", "RecallAll", "RecallAny"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecallAny(AtK):
    """1 if at least one relevant memory is in the first k hits, else 0.

    What many reports of agent memory call recall; equal to `Success@k`.

    Source: Wu et al., LongMemEval (ICLR 2025), `recall_any@k` of its retrieval evaluation.
    """

    family: ClassVar[str] = "recall_any"

    def values(self, judged: Judged) -> pl.Series:
        """Return 0 or 1; null for a query to which nothing is relevant."""
        hit = judged.found(self.k) > 0
        return judged.series(
            hit.astype(np.float64), scored=judged.relevant > 0, default=self.default
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RecallAll(AtK):
    """1 if every relevant memory is in the first k hits, else 0.

    It is 0 by necessity where more than k are relevant.

    Source: Wu et al., LongMemEval (ICLR 2025), `recall_all@k` of its retrieval evaluation.
    """

    family: ClassVar[str] = "recall_all"

    def values(self, judged: Judged) -> pl.Series:
        """Return 0 or 1; null for a query to which nothing is relevant."""
        whole = judged.found(self.k) == judged.relevant
        return judged.series(
            whole.astype(np.float64), scored=judged.relevant > 0, default=self.default
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class CappedRecall(AtK):
    """The share of the relevant memories that k places can hold: found / min(relevant, k).

    Source: Thakur et al., BEIR (NeurIPS 2021 Datasets and Benchmarks), Appendix, capped recall
    `R_cap@k`; LMEB reports it beside nDCG@10.
    """

    family: ClassVar[str] = "R_cap"

    def values(self, judged: Judged) -> pl.Series:
        """Return a share from 0 to 1; null for a query to which nothing is relevant."""
        most = np.clip(judged.relevant, 1, self.k)
        return judged.series(
            judged.found(self.k) / most, scored=judged.relevant > 0, default=self.default
        )
