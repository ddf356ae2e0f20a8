"""A configuration as a whole: one frozen record, nested by concern, known by dotted names.

`Sectioned` is what the engine's configuration and the server's have in common.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self, get_type_hints

import yaml

from engram_lab.core.brief import brief
from engram_lab.core.errors import ConfigError
from engram_lab.core.settings import Setting, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

__all__ = ["Sectioned", "flattened", "nest", "unknown"]

_MOST_LISTED: Final = 12
"""So many names fit into one sentence."""


class Sectioned:
    """A frozen dataclass each field of which is a section: a dataclass of settings."""

    __slots__ = ()

    def __post_init__(self) -> None:
        problems = [
            f"{name} is a {type(getattr(self, name)).__name__}: give {section.__name__}(...)"
            for name, section in self.sections().items()
            if not isinstance(getattr(self, name), section)
        ]
        if problems:
            raise ConfigError(problems)

    @classmethod
    def sections(cls) -> Mapping[str, type[Any]]:
        """Return the dataclass of each section by name."""
        return _sections(cls)  # type: ignore[arg-type]  # a class is hashable

    @classmethod
    def settings(cls) -> Mapping[str, Setting]:
        """Return every setting by its dotted name."""
        return _settings(cls)  # type: ignore[arg-type]  # a class is hashable

    @property
    def content_hash(self) -> str:
        """SHA-256, in hexadecimal, of every setting that changes behaviour.

        Equal for equal configurations, wherever their values came from.
        """
        known = self.settings()
        identity = {name: value for name, value in self.flat().items() if known[name].identity}
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()

    def __repr__(self) -> str:
        usual = type(self)().flat()
        known = self.settings()
        told = [
            f"{name}={known[name].masked(value)!r}"
            for name, value in self.flat().items()
            if value != usual[name]
        ]
        return brief(self, *told)

    def flat(self) -> dict[str, Any]:
        """Return every value by its dotted name, such as `store.path`."""
        return {name: each.plain(attrgetter(name)(self)) for name, each in self.settings().items()}

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return every value, by section and by name."""
        return nest(self.flat())

    @classmethod
    def flatten(cls, mapping: object) -> tuple[dict[str, Any], list[str]]:
        """Return known values by dotted name, and what is wrong with the rest."""
        return flattened(mapping, cls.sections(), cls.settings())

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> Self:
        """Return the configuration with these values, by section and by name; the rest is default.

        Raises:
            ConfigError: A section or a name is unknown, or a value is refused; lists them all.
        """
        values, problems = cls.flatten(mapping)
        faults = {name: cls.settings()[name].fault(value) for name, value in values.items()}
        problems += [f"{name} {fault}" for name, fault in faults.items() if fault]
        if problems:
            raise ConfigError(problems)
        return cls(
            **{name: cls.sections()[name](**content) for name, content in nest(values).items()}
        )

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
def _sections(kind: type[Sectioned]) -> Mapping[str, type[Any]]:
    return MappingProxyType(get_type_hints(kind))


@cache
def _settings(kind: type[Sectioned]) -> Mapping[str, Setting]:
    return MappingProxyType(
        {
            f"{name}.{key}": each
            for name, section in kind.sections().items()
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


def flattened(
    mapping: object, sections: Mapping[str, type[Any]], known: Mapping[str, Setting]
) -> tuple[dict[str, Any], list[str]]:
    """Return the known values of a nested mapping by dotted name, and what is wrong with the rest.

    A section without content, as YAML reads a heading alone, is an empty one.
    """
    if not isinstance(mapping, Mapping):
        return {}, [f"the whole is a {type(mapping).__name__}: give sections such as store"]
    values: dict[str, Any] = {}
    problems: list[str] = []
    for section, content in mapping.items():
        if section not in sections:
            problems.append(unknown(str(section), sections))
        elif isinstance(content, Mapping):
            values |= {f"{section}.{key}": value for key, value in content.items()}
        elif content is not None:
            problems.append(f"{section} is a {type(content).__name__}: give names with values")
    problems += [unknown(name, known) for name in values if name not in known]
    return {name: value for name, value in values.items() if name in known}, problems


def unknown(name: str, known: Iterable[str]) -> str:
    """Say that a name is unknown, and which known one is nearest."""
    known = tuple(known)
    holding = _holding(name, known)
    nearest = difflib.get_close_matches(name, holding or known, n=1, cutoff=0 if holding else 0.6)
    if nearest:
        hint = f"did you mean {nearest[0]}?"
    elif len(known) <= _MOST_LISTED:
        hint = f"known are {', '.join(known)}"
    else:
        hint = "`engram config show` lists those that are known"
    return f"{name} is unknown: {hint}"


def _holding(name: str, known: Iterable[str]) -> list[str]:
    """Return the known names of the same section that have the last word as one of their parts.

    So `retrieval.k1` is near to `retrieval.bm25_k1`, though `retrieval.k` is spelled more alike.
    """
    section, dot, word = name.rpartition(".")
    if not dot:
        return []
    return [
        each
        for each in known
        if each.startswith(f"{section}.") and word in each.rpartition(".")[2].split("_")
    ]
