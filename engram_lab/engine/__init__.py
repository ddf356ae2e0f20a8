"""The engine: one memory database, and the one place where its parts are wired together."""

from engram_lab.engine.bundle import Bundle, read_bundle
from engram_lab.engine.engine import Engine
from engram_lab.engine.graph import Neighbour
from engram_lab.engine.graph_frames import Graph
from engram_lab.engine.hooks import HookAnswer
from engram_lab.engine.paths import LinkPath
from engram_lab.engine.whole_graph import MemoryClusters

__all__ = [
    "Bundle",
    "Engine",
    "Graph",
    "HookAnswer",
    "LinkPath",
    "MemoryClusters",
    "Neighbour",
    "read_bundle",
]
