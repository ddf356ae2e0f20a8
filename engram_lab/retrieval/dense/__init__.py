"""The semantic arm's indexes: the vectors of one embedder, searched exactly or nearly so."""

from engram_lab.retrieval.dense.following import DenseIndex
from engram_lab.retrieval.dense.protocol import VectorIndex, VectorIndexOptions
from engram_lab.retrieval.dense.registry import VECTOR_INDEXES

__all__ = ["VECTOR_INDEXES", "DenseIndex", "VectorIndex", "VectorIndexOptions"]
