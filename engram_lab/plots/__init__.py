"""Charts of what the engine does and of how it was judged: frames in, Altair charts out.

Each chart is a function in a file of its own that says which columns it draws; `save` writes any
of them without a browser or a network. The pages of an evaluation are made of the same charts.
"""

from engram_lab.plots.arm_overlap import arm_overlap, overlap_frame
from engram_lab.plots.dream_diff import dream_diff
from engram_lab.plots.embedding_map import embedding_map
from engram_lab.plots.forest import forest
from engram_lab.plots.index_speed import index_speed
from engram_lab.plots.link_graph import link_graph
from engram_lab.plots.query_deltas import query_deltas
from engram_lab.plots.reliability import reliability
from engram_lab.plots.retention import retention
from engram_lab.plots.saving import save
from engram_lab.plots.score_anatomy import anatomy_frame, score_anatomy
from engram_lab.plots.survival import survival
from engram_lab.plots.theme import altair

__all__ = [
    "altair",
    "anatomy_frame",
    "arm_overlap",
    "dream_diff",
    "embedding_map",
    "forest",
    "index_speed",
    "link_graph",
    "overlap_frame",
    "query_deltas",
    "reliability",
    "retention",
    "save",
    "score_anatomy",
    "survival",
]
