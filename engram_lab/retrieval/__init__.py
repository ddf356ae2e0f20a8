"""Text in, ranked hits out. Retrieval reads and never writes."""

from engram_lab.retrieval.hits import Arm, Compact, Explanation, Hit, Hits, Step
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.suggest import Suggestion

__all__ = ["Arm", "Compact", "Explanation", "Hit", "Hits", "Ranking", "Step", "Suggestion"]
