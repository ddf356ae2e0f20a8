"""The rerankers that a configuration may name."""

from __future__ import annotations

from typing import Any

from engram_lab.core.registry import Registry
from engram_lab.retrieval.rerank.late_interaction import late_interaction
from engram_lab.retrieval.rerank.mmr import MaximalMarginalRelevance
from engram_lab.retrieval.rerank.pairs import PairReranker
from engram_lab.retrieval.rerank.priors import Priors

__all__ = ["RERANKERS"]

RERANKERS: Registry[Any] = Registry("reranker", group="engram_lab.rerankers")
"""Whatever returns a `Reranker` when called with its parameters."""
RERANKERS.add("cross-encoder", PairReranker)
RERANKERS.add("late-interaction", late_interaction)
RERANKERS.add("mmr", MaximalMarginalRelevance)
RERANKERS.add("priors", Priors)
