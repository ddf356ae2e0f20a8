"""What a tenant is told of the engine that answers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.sqlite.migrations import migrations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.engine import Bundle

__all__ = ["EngineAbout", "summary_of", "versions"]

_PACKAGE: Final = "engram-lab"


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineAbout:
    """The engine of a tenant.

    Attributes:
        config_hash: Of all settings that change behaviour.
        bundle: Its name, None for the server's own configuration.
        system: Of the bundle: what it was called when it was evaluated.
        suite: Of the bundle: where.
        evidence: Of the bundle: the verdict, what it was held against, and what it reached.
        embedder: What makes the vectors, by its fingerprint; None where nothing does, or where it
            cannot be loaded now.
        versions: Of this program, of its databases, of SQLite.
    """

    config_hash: str
    bundle: str | None
    system: str | None
    suite: str | None
    evidence: Mapping[str, Any] | None = field(hash=False)
    embedder: str | None
    versions: Mapping[str, str] = field(hash=False)


@cache
def versions() -> Mapping[str, str]:
    """Return the versions of this program, of the schema of its databases, and of SQLite."""
    binding = metadata.version("apsw")  # three numbers of the SQLite within, one of its own
    return MappingProxyType(
        {
            "engram_lab": metadata.version(_PACKAGE),
            "schema": str(len(migrations())),
            "sqlite": ".".join(binding.split(".")[:3]),
        }
    )


def summary_of(bundle: Bundle) -> Mapping[str, Any]:
    """Return of a bundle's evidence what fits into an answer: no queries, no texts."""
    gate = _object(bundle.evidence.get("gate"))
    result = _object(bundle.evidence.get("result"))
    code = _object(bundle.record.get("code"))
    return {
        "verdict": gate.get("verdict"),
        "baseline": _object(gate.get("baseline")).get("suite"),
        "checks": [
            {key: each.get(key) for key in ("name", "status", "said")}
            for each in gate.get("checks") or ()
        ],
        "measures": result.get("measures"),
        "code": code.get("revision"),
    }


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
