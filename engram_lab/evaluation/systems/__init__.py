"""What is judged: engines of any configuration, the floors below them, and systems of one's own."""

from __future__ import annotations

from engram_lab.evaluation.systems.corpora import Corpus, Question, corpora_of
from engram_lab.evaluation.systems.registry import (
    LADDER,
    SYSTEMS,
    Searcher,
    System,
    SystemSpec,
    ladder,
    load_system,
    make_system,
    system_names,
)
from engram_lab.evaluation.systems.workshop import Workshop

__all__ = [
    "LADDER",
    "SYSTEMS",
    "Corpus",
    "Question",
    "Searcher",
    "System",
    "SystemSpec",
    "Workshop",
    "corpora_of",
    "ladder",
    "load_system",
    "make_system",
    "system_names",
]
