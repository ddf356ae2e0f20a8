"""Links that learn: memories that are recalled together are linked, and those links fade."""

from __future__ import annotations

from engram_lab.consolidation.hebbian.rules import RULES, Concordance, Counting, Rule
from engram_lab.consolidation.hebbian.step import COACTIVATION, Hebbian

__all__ = ["COACTIVATION", "RULES", "Concordance", "Counting", "Hebbian", "Rule"]
