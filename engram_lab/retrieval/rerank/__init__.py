"""The best candidates of a recall put in a better order, each place with its reasons."""

from engram_lab.retrieval.rerank.building import candidates_of, rerank_in_turn
from engram_lab.retrieval.rerank.late_interaction import MaxSim, late_interaction
from engram_lab.retrieval.rerank.mmr import MaximalMarginalRelevance
from engram_lab.retrieval.rerank.pairs import PairReranker, PairScorer
from engram_lab.retrieval.rerank.priors import (
    Feedback,
    Importance,
    Prior,
    Priors,
    Project,
    Recency,
    Tags,
    Votes,
)
from engram_lab.retrieval.rerank.protocol import (
    Candidate,
    Factor,
    Reranked,
    Reranker,
    RerankQuery,
)
from engram_lab.retrieval.rerank.registry import RERANKERS

__all__ = [
    "RERANKERS",
    "Candidate",
    "Factor",
    "Feedback",
    "Importance",
    "MaxSim",
    "MaximalMarginalRelevance",
    "PairReranker",
    "PairScorer",
    "Prior",
    "Priors",
    "Project",
    "Recency",
    "RerankQuery",
    "Reranked",
    "Reranker",
    "Tags",
    "Votes",
    "candidates_of",
    "late_interaction",
    "rerank_in_turn",
]
