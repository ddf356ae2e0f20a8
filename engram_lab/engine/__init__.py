"""The engine: one memory database, and the one place where its parts are wired together."""

from engram_lab.engine.engine import Engine
from engram_lab.engine.memories import Neighbour

__all__ = ["Engine", "Neighbour"]
