"""Records as rows, and rows as records: the names of columns are those of the records' fields."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC
from typing import TYPE_CHECKING, Any

from engram_lab.core.errors import InvalidInputError
from engram_lab.serve.control.records import (
    ApiKey,
    AuditEntry,
    Invite,
    Member,
    Tenant,
    UsageDay,
    UsageEvent,
    Workspace,
)

if TYPE_CHECKING:
    from sqlalchemy import Row

__all__ = [
    "api_key",
    "audit_entry",
    "event_values",
    "held",
    "invite",
    "member",
    "tenant",
    "usage_day",
    "values",
    "workspace",
]


def held(text: str) -> str:
    """Return a text as any database can hold it: else each such character is a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")


def values(record: Tenant | Member | Invite | ApiKey | Workspace) -> dict[str, Any]:
    """Return the row of a record.

    Raises:
        InvalidInputError: A text that not every database can hold.
    """
    named = {each.name: getattr(record, each.name) for each in fields(record)}
    for name, value in named.items():
        if isinstance(value, str) and held(value) != value:
            raise InvalidInputError(f"{name} holds a NUL or half a character: remove it")
    return named


def tenant(row: Row[Any]) -> Tenant:
    """Return a row of tenants."""
    return Tenant(**row._asdict())


def member(row: Row[Any]) -> Member:
    """Return a row of members."""
    return Member(**row._asdict())


def invite(row: Row[Any]) -> Invite:
    """Return a row of invites."""
    return Invite(**row._asdict())


def api_key(row: Row[Any]) -> ApiKey:
    """Return a row of keys."""
    return ApiKey(**row._asdict())


def workspace(row: Row[Any]) -> Workspace:
    """Return a row of workspaces."""
    return Workspace(**row._asdict())


def usage_day(row: Row[Any]) -> UsageDay:
    """Return a row of the sums of days."""
    return UsageDay(**row._asdict())


def audit_entry(row: Row[Any]) -> AuditEntry:
    """Return a row of the audit."""
    named = row._asdict()
    named["tenant_id"] = named["tenant_id"] or None
    named["details"] = json.loads(named["details"])
    return AuditEntry(**named)


def event_values(event: UsageEvent) -> dict[str, Any]:
    """Return the row of what one request used; its day is that in UTC."""
    return {
        "tenant_id": held(event.tenant_id),
        "request_id": held(event.request_id),
        "workspace": held(event.workspace),
        "at": event.at,
        "day": event.at.astimezone(UTC).date(),
        "route": held(event.route),
        "status": event.status,
        "api_calls": event.api_calls,
        "searches": event.searches,
        "memories_created": event.memories_created,
    }
