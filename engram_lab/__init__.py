"""Memory for AI agents: an engine on SQLite that loses nothing, and the bench it is measured on."""

from engram_lab.config import EngineConfig, load_config
from engram_lab.core.clock import ManualClock, SystemClock
from engram_lab.core.errors import EngramError
from engram_lab.core.types import Link, Memory, RecallEvent
from engram_lab.engine import Engine
from engram_lab.retrieval import Hit, Hits

__all__ = [
    "Engine",
    "EngineConfig",
    "EngramError",
    "Hit",
    "Hits",
    "Link",
    "ManualClock",
    "Memory",
    "RecallEvent",
    "SystemClock",
    "load_config",
]
