"""What can be set of an engine: one frozen record, nested by concern.

Only settings that do something exist; a feature brings its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from engram_lab.config.dreaming import DreamSettings
from engram_lab.config.hooks import HookSettings
from engram_lab.config.retrieval import EmbeddingSettings, IndexSettings, RetrievalSettings
from engram_lab.config.sections import Sectioned
from engram_lab.core.settings import StoreSettings, check_section, setting

__all__ = [
    "COMPRESSIONS",
    "Compression",
    "EngineConfig",
    "InterchangeSettings",
    "LearningSettings",
]

Compression = Literal["zstd", "snappy", "none"]
COMPRESSIONS: Final[tuple[Compression, ...]] = get_args(Compression)


@dataclass(frozen=True, kw_only=True, slots=True)
class LearningSettings:
    """What is kept to learn from."""

    record_recalls: bool = setting(
        default=True, help="keep what was asked and what came back as events"
    )
    event_batch: int = setting(
        32, help="events held in memory before one transaction writes them", ge=1, le=10_000
    )

    def __post_init__(self) -> None:
        check_section("learning", self)


@dataclass(frozen=True, kw_only=True, slots=True)
class InterchangeSettings:
    """How tables go in and out."""

    batch_rows: int = setting(
        16_384, help="rows of one batch on the way in or out", ge=1, le=1_048_576
    )
    compression: Compression = setting(  # noqa: RUF009 - declares a field
        "zstd", help="how Parquet files are compressed", choices=COMPRESSIONS
    )

    def __post_init__(self) -> None:
        check_section("interchange", self)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class EngineConfig(Sectioned):
    """Everything that decides how an engine behaves."""

    store: StoreSettings = field(default_factory=StoreSettings)
    embedding: EmbeddingSettings = field(default_factory=EmbeddingSettings)
    index: IndexSettings = field(default_factory=IndexSettings)
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)
    learning: LearningSettings = field(default_factory=LearningSettings)
    dream: DreamSettings = field(default_factory=DreamSettings)
    hooks: HookSettings = field(default_factory=HookSettings)
    interchange: InterchangeSettings = field(default_factory=InterchangeSettings)
