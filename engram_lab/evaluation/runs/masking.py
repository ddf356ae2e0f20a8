"""What must stay secret, left out of whatever is written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from engram_lab.config.model import EngineConfig

__all__ = ["without_secrets"]

_HIDDEN: Final = "***"


def without_secrets(value: Any) -> Any:
    """Return a record, a result or a specification fit to be kept: `***` for every secret in it.

    Settings are known by their names; a text may hold a password in an address, or an option such
    as `--set embedding.api_key=…`.

    Args:
        value: Of mappings, lists, texts and numbers, as JSON has them.
    """
    if isinstance(value, Mapping):
        return {
            name: _HIDDEN if name in _secret_names() and each else without_secrets(each)
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_secrets(each) for each in value]
    return (
        EngineConfig.settings()["embedding.url"].masked(value) if isinstance(value, str) else value
    )


@cache
def _secret_names() -> frozenset[str]:
    """Return what settings are called that must never be written to a file."""
    return frozenset(each.name for each in EngineConfig.settings().values() if each.secret)
