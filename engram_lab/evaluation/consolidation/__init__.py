"""A benchmark of consolidation that needs no language model: every number beside its null."""
