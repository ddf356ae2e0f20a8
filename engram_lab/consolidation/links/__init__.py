"""Links that a dream makes by itself: by meaning, by time, by session."""

from __future__ import annotations

from engram_lab.consolidation.links.semantic import SIMILAR, SemanticLinks
from engram_lab.consolidation.links.sessions import NEXT_IN_SESSION, SessionLinks
from engram_lab.consolidation.links.temporal import NEAR_IN_TIME, TemporalLinks

__all__ = [
    "NEAR_IN_TIME",
    "NEXT_IN_SESSION",
    "SIMILAR",
    "SemanticLinks",
    "SessionLinks",
    "TemporalLinks",
]
