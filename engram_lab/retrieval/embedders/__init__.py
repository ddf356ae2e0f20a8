"""Texts in, unit vectors out: models that run here, providers over HTTP, a cache before them."""

from engram_lab.retrieval.embedders.protocol import (
    Embedder,
    ImageEmbedder,
    Kind,
    SentenceAndTokenEmbedder,
    TokenEmbedder,
    TokenVectors,
)
from engram_lab.retrieval.embedders.registry import EMBEDDERS, EmbedderOptions, resolve

__all__ = [
    "EMBEDDERS",
    "Embedder",
    "EmbedderOptions",
    "ImageEmbedder",
    "Kind",
    "SentenceAndTokenEmbedder",
    "TokenEmbedder",
    "TokenVectors",
    "resolve",
]
