"""An entry of the audit as a line, for the time until the control plane has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.clock import from_us, to_us
from engram_lab.serve.control.records import AuditEntry
from engram_lab.serve.observing.kinds import AUDIT_LOST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from engram_lab.serve.observing.floods import Flood

__all__ = ["entry_of", "flood_entry", "line_of", "loss_entry"]

_LONGEST: Final = 500
_LONGEST_DETAILS: Final = 4_096
_OPTIONS: Final = orjson.OPT_NON_STR_KEYS


def line_of(entry: AuditEntry) -> bytes:
    """Return the line of an entry."""
    return orjson.dumps(
        {
            "id": entry.id,
            "tenant": entry.tenant_id,
            "at": to_us(entry.at),
            "kind": entry.kind,
            "actor": _text(entry.actor),
            "target": entry.target and _text(entry.target),
            "outcome": _text(entry.outcome),
            "request": entry.request_id and _text(entry.request_id),
            "details": _details(entry.details),
        }
    )


def entry_of(line: bytes) -> AuditEntry | None:
    """Return the entry of a line, None where it is none."""
    try:
        told: dict[str, Any] = orjson.loads(line)
        if not isinstance(told["details"], dict):
            return None
        return AuditEntry(
            id=told["id"],
            tenant_id=told["tenant"],
            at=from_us(told["at"]),
            kind=told["kind"],
            actor=told["actor"],
            target=told["target"],
            outcome=told["outcome"],
            request_id=told["request"],
            details=told["details"],
        )
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def flood_entry(flood: Flood, entry_id: str, at: datetime) -> AuditEntry:
    """Return the entry that stands for what was not told one by one."""
    return AuditEntry(
        id=entry_id,
        tenant_id=flood.tenant_id,
        at=at,
        kind=flood.kind,
        actor="many",
        outcome="MANY",
        details={"client": flood.source, "count": flood.count, "within_s": 60},
    )


def loss_entry(count: int, entry_id: str, at: datetime) -> AuditEntry:
    """Return the operator's entry that tells how many were lost."""
    return AuditEntry(
        id=entry_id,
        tenant_id=None,
        at=at,
        kind=AUDIT_LOST,
        actor="system",
        outcome="LOST",
        details={"count": count},
    )


def _text(value: str) -> str:
    """Return a text as JSON takes it, and no longer than an entry is worth."""
    return value[:_LONGEST].encode("utf-8", "replace").decode("utf-8")


def _details(details: Mapping[str, Any]) -> Any:
    if not details:
        return {}
    try:
        encoded = orjson.dumps(
            dict(details), default=lambda value: f"<{type(value).__name__}>", option=_OPTIONS
        )
    except TypeError:
        return {"left_out": "they cannot be written as JSON"}
    if len(encoded) > _LONGEST_DETAILS:
        return {"left_out": f"{len(encoded)} bytes are more than {_LONGEST_DETAILS}"}
    return orjson.Fragment(encoded)
