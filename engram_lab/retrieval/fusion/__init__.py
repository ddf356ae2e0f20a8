"""Several rankings of one question made into one, each place with its reasons."""

from engram_lab.retrieval.fusion.adaptive import AdaptiveFusion
from engram_lab.retrieval.fusion.dbsf import DistributionBased
from engram_lab.retrieval.fusion.min_max import MinMax
from engram_lab.retrieval.fusion.protocol import (
    Contribution,
    Fused,
    Fusion,
    Normalised,
    Normaliser,
)
from engram_lab.retrieval.fusion.registry import FUSIONS, NORMALISERS
from engram_lab.retrieval.fusion.rrf import ReciprocalRankFusion
from engram_lab.retrieval.fusion.tmm import TheoreticalMinMax
from engram_lab.retrieval.fusion.weighted import WeightedFusion
from engram_lab.retrieval.fusion.zmuv import ZeroMeanUnitVariance

__all__ = [
    "FUSIONS",
    "NORMALISERS",
    "AdaptiveFusion",
    "Contribution",
    "DistributionBased",
    "Fused",
    "Fusion",
    "MinMax",
    "Normalised",
    "Normaliser",
    "ReciprocalRankFusion",
    "TheoreticalMinMax",
    "WeightedFusion",
    "ZeroMeanUnitVariance",
]
