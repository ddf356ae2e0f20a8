"""One configuration, from notebook to server: what can be set, and where each value came from."""

from __future__ import annotations

from engram_lab.config.dreaming import DreamSettings
from engram_lab.config.given import config_of
from engram_lab.config.hooks import HookSettings
from engram_lab.config.load import LoadedConfig, load_config
from engram_lab.config.model import (
    EngineConfig,
    InterchangeSettings,
    LearningSettings,
)
from engram_lab.config.retrieval import EmbeddingSettings, IndexSettings, RetrievalSettings
from engram_lab.config.serving import (
    AuditSettings,
    AuthSettings,
    BackupSettings,
    ControlSettings,
    LimitSettings,
    ScheduleSettings,
    ServerConfig,
    ServeSettings,
    TelemetrySettings,
    TenancySettings,
    UsageSettings,
)
from engram_lab.config.show import Shown, show
from engram_lab.core.settings import StoreSettings

__all__ = [
    "AuditSettings",
    "AuthSettings",
    "BackupSettings",
    "ControlSettings",
    "DreamSettings",
    "EmbeddingSettings",
    "EngineConfig",
    "HookSettings",
    "IndexSettings",
    "InterchangeSettings",
    "LearningSettings",
    "LimitSettings",
    "LoadedConfig",
    "RetrievalSettings",
    "ScheduleSettings",
    "ServeSettings",
    "ServerConfig",
    "Shown",
    "StoreSettings",
    "TelemetrySettings",
    "TenancySettings",
    "UsageSettings",
    "config_of",
    "load_config",
    "show",
]
