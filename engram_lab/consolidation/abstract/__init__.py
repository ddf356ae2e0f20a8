"""Gists: what a group of related old memories says, in fewer words, beside them."""

from engram_lab.consolidation.abstract.extractive import Extractive
from engram_lab.consolidation.abstract.protocol import SUMMARISERS, Summariser
from engram_lab.consolidation.abstract.step import Abstract

__all__ = ["SUMMARISERS", "Abstract", "Extractive", "Summariser"]
