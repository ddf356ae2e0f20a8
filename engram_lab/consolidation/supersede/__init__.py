"""The step "supersede": where a newer statement says otherwise, the validity of the older ends."""

from engram_lab.consolidation.supersede.step import CONTRADICTS, SUPERSEDES, Supersede

__all__ = ["CONTRADICTS", "SUPERSEDES", "Supersede"]
