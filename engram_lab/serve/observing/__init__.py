"""What the server tells of itself: logs, metrics, traces, audit, health."""

from engram_lab.serve.observing.audit import Audit, open_audit
from engram_lab.serve.observing.health import (
    Check,
    CheckFailedError,
    Health,
    backups_check,
    folder_check,
    lag_check,
    simple_check,
)
from engram_lab.serve.observing.lag import LoopWatch
from engram_lab.serve.observing.logs import STREAMING, Logger, configure_logs
from engram_lab.serve.observing.metrics import Metrics
from engram_lab.serve.observing.spent import spend
from engram_lab.serve.observing.tracing import Tracing

__all__ = [
    "STREAMING",
    "Audit",
    "Check",
    "CheckFailedError",
    "Health",
    "Logger",
    "LoopWatch",
    "Metrics",
    "Tracing",
    "backups_check",
    "configure_logs",
    "folder_check",
    "lag_check",
    "open_audit",
    "simple_check",
    "spend",
]
