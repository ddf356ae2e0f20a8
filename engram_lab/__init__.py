"""Memory for AI agents: an engine on SQLite that loses nothing, and the bench it is measured on."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from engram_lab.config import EngineConfig, load_config
    from engram_lab.consolidation.report import DreamReport
    from engram_lab.core.clock import ManualClock, SystemClock
    from engram_lab.core.dreams import Change
    from engram_lab.core.errors import EngramError
    from engram_lab.core.types import Link, Memory, RecallEvent
    from engram_lab.engine import Bundle, Engine
    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.runs.run import Run
    from engram_lab.retrieval import Hit, Hits

__all__ = [
    "Bundle",
    "Change",
    "Dataset",
    "DreamReport",
    "Engine",
    "EngineConfig",
    "EngramError",
    "Hit",
    "Hits",
    "Link",
    "ManualClock",
    "Memory",
    "RecallEvent",
    "Run",
    "SystemClock",
    "load_config",
]

_HOMES: Final = {
    "Bundle": "engram_lab.engine",
    "Change": "engram_lab.core.dreams",
    "Dataset": "engram_lab.evaluation.datasets.dataset",
    "DreamReport": "engram_lab.consolidation.report",
    "Engine": "engram_lab.engine",
    "EngineConfig": "engram_lab.config",
    "EngramError": "engram_lab.core.errors",
    "Hit": "engram_lab.retrieval",
    "Hits": "engram_lab.retrieval",
    "Link": "engram_lab.core.types",
    "ManualClock": "engram_lab.core.clock",
    "Memory": "engram_lab.core.types",
    "RecallEvent": "engram_lab.core.types",
    "Run": "engram_lab.evaluation.runs.run",
    "SystemClock": "engram_lab.core.clock",
    "load_config": "engram_lab.config",
}


def __getattr__(name: str) -> Any:
    """Import a public noun at its first use: `engram --help` needs no PyArrow."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return list(__all__)


def load_ipython_extension(shell: Any) -> None:
    """Add the magics to an IPython: what `%load_ext engram_lab` does."""
    import_module("engram_lab.notebook.loading").load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take them out again: what `%unload_ext engram_lab` does."""
    import_module("engram_lab.notebook.loading").unload(shell)
