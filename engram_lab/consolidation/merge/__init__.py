"""Near-duplicates become one: candidates from the index, guards and a score, groups, the step."""

from __future__ import annotations

from engram_lab.consolidation.merge.guards import GUARDS, difference
from engram_lab.consolidation.merge.pairs import MODEL, Model, Verdict, compare
from engram_lab.consolidation.merge.statements import Statement, read
from engram_lab.consolidation.merge.step import MERGED_INTO, Merge

__all__ = [
    "GUARDS",
    "MERGED_INTO",
    "MODEL",
    "Merge",
    "Model",
    "Statement",
    "Verdict",
    "compare",
    "difference",
    "read",
]
