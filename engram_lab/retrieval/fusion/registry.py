"""The fusions and normalisers that a configuration may name."""

from __future__ import annotations

from typing import Any

from engram_lab.core.registry import Registry
from engram_lab.retrieval.fusion.adaptive import AdaptiveFusion
from engram_lab.retrieval.fusion.dbsf import DistributionBased
from engram_lab.retrieval.fusion.min_max import MinMax
from engram_lab.retrieval.fusion.rrf import ReciprocalRankFusion
from engram_lab.retrieval.fusion.tmm import TheoreticalMinMax
from engram_lab.retrieval.fusion.weighted import WeightedFusion
from engram_lab.retrieval.fusion.zmuv import ZeroMeanUnitVariance

__all__ = ["FUSIONS", "NORMALISERS"]

FUSIONS: Registry[Any] = Registry("fusion", group="engram_lab.fusions")
"""Whatever returns a `Fusion` when called with its parameters."""
FUSIONS.add("rrf", ReciprocalRankFusion)
FUSIONS.add("weighted", WeightedFusion)
FUSIONS.add("adaptive", AdaptiveFusion)

NORMALISERS: Registry[Any] = Registry("normaliser", group="engram_lab.normalisers")
"""Whatever returns a `Normaliser` when called with its parameters."""
NORMALISERS.add("min-max", MinMax)
NORMALISERS.add("zmuv", ZeroMeanUnitVariance)
NORMALISERS.add("dbsf", DistributionBased)
NORMALISERS.add("tmm", TheoreticalMinMax)
