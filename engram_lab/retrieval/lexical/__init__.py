"""Search by words: BM25 over an index of our own that is exact, fresh and fast."""

from engram_lab.retrieval.lexical.analyser import ANALYSERS, Analyser
from engram_lab.retrieval.lexical.index import LexicalIndex

__all__ = ["ANALYSERS", "Analyser", "LexicalIndex"]
