"""The configuration in force, as a table fit to be shown: secrets masked, sources named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engram_lab.config.load import LoadedConfig

__all__ = ["Shown", "show"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One setting: its dotted name, its value (masked if secret), its source and its meaning."""

    name: str
    value: object
    source: str
    help: str


def show(loaded: LoadedConfig) -> list[Shown]:
    """Return one row for every setting, in the order of their declaration."""
    parts = (loaded.config, loaded.server)
    values = {name: value for part in parts for name, value in part.flat().items()}
    return [
        Shown(
            name=name,
            value=each.masked(values[name]),
            source=loaded.sources[name],
            help=each.help,
        )
        for part in parts
        for name, each in part.settings().items()
    ]
