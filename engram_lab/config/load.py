"""Where values come from: a flag, else an `ENGRAM_` variable, else the file, else the default.

Every source is checked in full, also where a higher one overrules it, and all problems are raised
together, each with its source.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from engram_lab.config.file import expand, parse_yaml
from engram_lab.config.model import EngineConfig
from engram_lab.config.sections import Sectioned, flattened, nest, unknown
from engram_lab.config.serving import ServerConfig
from engram_lab.core.brief import brief
from engram_lab.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike

__all__ = ["DEFAULT_FILE", "LoadedConfig", "load_config", "variable_of"]

DEFAULT_FILE: Final = "~/.engram/config.yaml"
"""Read if it exists and no other file is named."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class LoadedConfig:
    """The configuration of an engine and of a server, and where each value came from.

    `sources` holds, by dotted name, `default`, a file, a variable or a flag.
    """

    config: EngineConfig
    server: ServerConfig
    sources: Mapping[str, str] = field(hash=False)

    def __repr__(self) -> str:
        told = (f"{name} by {each}" for name, each in self.sources.items() if each != "default")
        return brief(self, *told)


def load_config(
    path: str | PathLike[str] | None = None,
    *,
    overrides: Mapping[str, tuple[object, str]] | None = None,
    environ: Mapping[str, str] | None = None,
) -> LoadedConfig:
    """Gather the configuration from all its sources.

    Args:
        path: A YAML file, which must exist; without it `DEFAULT_FILE` is read if it exists.
        overrides: What flags say: a value and the flag's name by dotted name, such as
            `{"store.path": ("notes.db", "--db")}`.
        environ: The environment, the process's own unless given.

    Raises:
        ConfigError: Some source is wrong; lists every problem with its source.
    """
    environ = os.environ if environ is None else environ
    gathering = _Gathering()
    gathering.read_file(path, environ)
    gathering.read_variables(environ)
    gathering.read_overrides(overrides or {})
    return gathering.result()


def variable_of(name: str) -> str:
    """Return the environment variable of a setting: `ENGRAM_STORE_PATH` of `store.path`."""
    return f"ENGRAM_{name}".replace(".", "_").upper()


_SECTIONS: Final = {**EngineConfig.sections(), **ServerConfig.sections()}
_KNOWN: Final = {**EngineConfig.settings(), **ServerConfig.settings()}


class _Gathering:
    """The values and the problems met so far, reading sources from the lowest to the highest."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._sources = dict.fromkeys(_KNOWN, "default")
        self._problems: list[str] = []

    def read_file(self, path: str | PathLike[str] | None, environ: Mapping[str, str]) -> None:
        # Unlike Path.expanduser, this one does not fail where there is no home.
        file = os.path.expanduser(DEFAULT_FILE if path is None else path)  # noqa: PTH111
        try:
            text = Path(file).read_text(encoding="utf-8")
        except FileNotFoundError:
            if path is not None:
                self._note(file, ["no such file"])
        except OSError as error:
            self._note(file, [f"cannot be read: {error.strerror}"])
        except UnicodeDecodeError:
            self._note(file, ["is not text in UTF-8"])
        else:
            self._read_yaml(text, file, environ)

    def _read_yaml(self, text: str, file: str, environ: Mapping[str, str]) -> None:
        content, faults = parse_yaml(text)
        values, problems = flattened(content, _SECTIONS, _KNOWN)
        self._note(file, faults + problems)
        for name, value in values.items():
            expanded, faults = expand(value, environ) if isinstance(value, str) else (value, [])
            self._note(file, [f"{name} {fault}" for fault in faults])
            if not faults:
                self._take(name, expanded, file)

    def read_variables(self, environ: Mapping[str, str]) -> None:
        names = {variable_of(name): name for name in _KNOWN}
        ours = tuple(f"{variable_of(section)}_" for section in _SECTIONS)
        for variable, text in environ.items():
            if variable in names:
                self._take(names[variable], text, variable)
            elif variable.startswith(ours):
                self._problems.append(unknown(variable, names))

    def read_overrides(self, overrides: Mapping[str, tuple[object, str]]) -> None:
        for name, (value, flag) in overrides.items():
            if name in _KNOWN:
                self._take(name, value, flag)
            else:
                self._note(flag, [unknown(name, _KNOWN)])

    def result(self) -> LoadedConfig:
        if self._problems:
            raise ConfigError(self._problems)
        values = nest(self._values)
        return LoadedConfig(
            config=EngineConfig.from_dict(_parts(values, EngineConfig)),
            server=ServerConfig.from_dict(_parts(values, ServerConfig)),
            sources=MappingProxyType(self._sources),
        )

    def _take(self, name: str, value: object, source: str) -> None:
        setting = _KNOWN[name]
        parsed = setting.parse(value) if isinstance(value, str) else value
        if fault := setting.fault(parsed):
            self._note(source, [f"{name} {fault}"])
        else:
            self._values[name] = parsed
            self._sources[name] = source

    def _note(self, source: str, problems: Iterable[str]) -> None:
        self._problems += [f"{source}: {problem}" for problem in problems]


def _parts(values: Mapping[str, Any], kind: type[Sectioned]) -> dict[str, Any]:
    return {name: content for name, content in values.items() if name in kind.sections()}
