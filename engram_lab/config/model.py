"""What can be set: one frozen record, nested by concern.

Only settings that do something exist; a feature brings its own.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_type_hints

import yaml

from engram_lab.config.dreaming import DreamSettings
from engram_lab.config.hooks import HookSettings
from engram_lab.config.retrieval import EmbeddingSettings, IndexSettings, RetrievalSettings
from engram_lab.core.errors import ConfigError
from engram_lab.core.settings import Setting, StoreSettings, check_section, setting, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

__all__ = [
    "COMPRESSIONS",
    "Compression",
    "EngineConfig",
    "InterchangeSettings",
    "LearningSettings",
    "all_settings",
    "flatten",
    "nest",
    "sections",
    "unknown",
]

Compression = Literal["zstd", "snappy", "none"]
COMPRESSIONS: Final[tuple[Compression, ...]] = get_args(Compression)

_MOST_LISTED: Final = 12
"""So many names fit into one sentence."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineConfig:
    """Everything that decides how an engine behaves."""

    store: StoreSettings = field(default_factory=StoreSettings)
    embedding: EmbeddingSettings = field(default_factory=EmbeddingSettings)
    index: IndexSettings = field(default_factory=IndexSettings)
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)
    learning: LearningSettings = field(default_factory=LearningSettings)
    dream: DreamSettings = field(default_factory=DreamSettings)
    hooks: HookSettings = field(default_factory=HookSettings)
    interchange: InterchangeSettings = field(default_factory=InterchangeSettings)

    def __post_init__(self) -> None:
        problems = [
            f"{name} is a {type(getattr(self, name)).__name__}: give {section.__name__}(...)"
            for name, section in sections().items()
            if not isinstance(getattr(self, name), section)
        ]
        if problems:
            raise ConfigError(problems)

    @property
    def content_hash(self) -> str:
        """SHA-256, in hexadecimal, of every setting that changes behaviour.

        Equal for equal configurations, wherever their values came from.
        """
        known = all_settings()
        identity = {name: value for name, value in self.flat().items() if known[name].identity}
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()

    def flat(self) -> dict[str, Any]:
        """Return every value by its dotted name, such as `store.path`."""
        return {name: each.plain(attrgetter(name)(self)) for name, each in all_settings().items()}

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return every value, by section and by name."""
        return nest(self.flat())

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> EngineConfig:
        """Return the configuration with these values, by section and by name; the rest is default.

        Raises:
            ConfigError: A section or a name is unknown, or a value is refused; lists them all.
        """
        values, problems = flatten(mapping)
        faults = {name: all_settings()[name].fault(value) for name, value in values.items()}
        problems += [f"{name} {fault}" for name, fault in faults.items() if fault]
        if problems:
            raise ConfigError(problems)
        return cls(**{name: sections()[name](**content) for name, content in nest(values).items()})

    def to_yaml(self) -> str:
        """Return the text of a configuration file that loads as this configuration."""
        values = {
            # In a file `${` begins a variable, and `$${` stands for itself.
            name: value.replace("${", "$${") if isinstance(value, str) else value
            for name, value in self.flat().items()
        }
        # In ASCII, as PyYAML reads some of the line breaks that Unicode has as spaces.
        return yaml.safe_dump(nest(values), sort_keys=False)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the configuration as a file that `load_config` reads."""
        Path(path).write_text(self.to_yaml(), encoding="utf-8")


@cache
def sections() -> Mapping[str, type[Any]]:
    """Return the sections of a configuration: each a dataclass of settings."""
    return MappingProxyType(get_type_hints(EngineConfig))


@cache
def all_settings() -> Mapping[str, Setting]:
    """Return every setting by its dotted name."""
    return MappingProxyType(
        {
            f"{name}.{key}": each
            for name, section in sections().items()
            for key, each in settings_of(section).items()
        }
    )


def nest(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return values with dotted names by section and by name."""
    nested: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        section, _, key = name.partition(".")
        nested.setdefault(section, {})[key] = value
    return nested


def flatten(mapping: object) -> tuple[dict[str, Any], list[str]]:
    """Return the known values of a nested mapping by dotted name, and what is wrong with the rest.

    A section without content, as YAML reads a heading alone, is an empty one.
    """
    if not isinstance(mapping, Mapping):
        return {}, [f"the whole is a {type(mapping).__name__}: give sections such as store"]
    values: dict[str, Any] = {}
    problems: list[str] = []
    for section, content in mapping.items():
        if section not in sections():
            problems.append(unknown(str(section), sections()))
        elif isinstance(content, Mapping):
            values |= {f"{section}.{key}": value for key, value in content.items()}
        elif content is not None:
            problems.append(f"{section} is a {type(content).__name__}: give names with values")
    known = all_settings()
    problems += [unknown(name, known) for name in values if name not in known]
    return {name: value for name, value in values.items() if name in known}, problems


def unknown(name: str, known: Iterable[str]) -> str:
    """Say that a name is unknown, and which known one is nearest."""
    known = tuple(known)
    nearest = difflib.get_close_matches(name, known, n=1)
    if nearest:
        hint = f"did you mean {nearest[0]}?"
    elif len(known) <= _MOST_LISTED:
        hint = f"known are {', '.join(known)}"
    else:
        hint = "`engram config show` lists those that are known"
    return f"{name} is unknown: {hint}"
