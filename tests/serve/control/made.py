"""Records for the tests of the control plane."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from engram_lab.serve.control.records import (
    ApiKey,
    AuditEntry,
    Invite,
    Tenant,
    UsageEvent,
    Workspace,
)

if TYPE_CHECKING:
    from engram_lab.serve.control import ControlPlane

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TODAY = NOON.date()


def tenant(name: str, /, **about: object) -> Tenant:
    given = {"id": f"id-of-{name}", "slug": name, "name": name.title(), "created_at": NOON}
    return Tenant(**(given | about))  # type: ignore[arg-type]


def api_key(name: str, of: str = "acme", /, **about: object) -> ApiKey:
    given = {
        "id": f"key-{name}",
        "tenant_id": f"id-of-{of}",
        "name": name,
        "prefix": f"ek_live_{name}"[:12],
        "hash": f"$argon2id$of-{name}",
        "environment": "live",
        "scopes": ("memories:read", "search"),
        "created_at": NOON,
        "created_by": "user:ann",
    }
    return ApiKey(**(given | about))  # type: ignore[arg-type]


def usage(number: int, of: str = "acme", **about: object) -> UsageEvent:
    given = {
        "request_id": f"request-{number}",
        "tenant_id": f"id-of-{of}",
        "at": NOON + timedelta(seconds=number),
        "route": "POST /v1/search",
        "status": 200,
        "searches": 1,
    }
    return UsageEvent(**(given | about))  # type: ignore[arg-type]


def entry(number: int | str, of: str | None = "acme", **about: object) -> AuditEntry:
    given = {
        "id": f"entry-{number}",
        "tenant_id": of and f"id-of-{of}",
        "at": NOON,
        "kind": "memory.create",
        "actor": "user:ann",
    }
    return AuditEntry(**(given | about))  # type: ignore[arg-type]


def invite(name: str, of: str = "acme", **about: object) -> Invite:
    given = {
        "id": f"invite-{name}",
        "tenant_id": f"id-of-{of}",
        "email": f"{name}@example.org",
        "role": "member",
        "token_hash": f"sha256-of-{name}",
        "created_at": NOON,
        "created_by": "user:ann",
        "expires_at": NOON + timedelta(days=7),
    }
    return Invite(**(given | about))  # type: ignore[arg-type]


def furnished(plane: ControlPlane, *names: str) -> None:
    """Add tenants, each with an owner, a key, an invitation, a workspace, usage and audit."""
    for name in names or ("acme",):
        plane.as_operator().add_tenant(tenant(name))
        view = plane.within(f"id-of-{name}")
        view.put_member(f"owner-of-{name}", "owner", at=NOON)
        view.add_key(api_key(f"k-{name}", name))
        view.add_invite(invite(f"i-{name}", name))
        view.add_workspace(
            Workspace(
                tenant_id=f"id-of-{name}", name=f"w-{name}", db_path="engram.db", created_at=NOON
            )
        )
        plane.record_usage([usage(number, name) for number in range(3)])
        plane.record_audit([entry(number, name) for number in range(3)])
