"""Text in, ranked hits out. Retrieval reads and never writes."""

from engram_lab.retrieval.hits import Arm, Explanation, Hit, Hits
from engram_lab.retrieval.keyword import keyword_recall

__all__ = ["Arm", "Explanation", "Hit", "Hits", "keyword_recall"]
