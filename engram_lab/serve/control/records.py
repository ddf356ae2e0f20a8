"""What the control plane records: tenants, who may enter, what they used, and who did what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

__all__ = [
    "ENVIRONMENTS",
    "PLANS",
    "ROLES",
    "SCOPES",
    "TENANT_STATES",
    "ApiKey",
    "AuditEntry",
    "Environment",
    "Invite",
    "Member",
    "Plan",
    "Role",
    "Scope",
    "Tenant",
    "TenantState",
    "UsageDay",
    "UsageEvent",
    "Workspace",
    "changes",
]

Role = Literal["viewer", "member", "admin", "owner"]
Scope = Literal["memories:read", "memories:write", "search", "admin"]
TenantState = Literal["active", "suspended", "deleted"]
Plan = Literal["free", "pro", "team", "dedicated"]
Environment = Literal["live", "test"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""From the one who may least to the one who may all."""

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
TENANT_STATES: Final[tuple[TenantState, ...]] = get_args(TenantState)
PLANS: Final[tuple[Plan, ...]] = get_args(Plan)
ENVIRONMENTS: Final[tuple[Environment, ...]] = get_args(Environment)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tenant:
    """Whose memories lie in one database.

    Attributes:
        id: A UUIDv7, which also names the folder of its database.
        slug: The name in hosts and headers: 1 to 63 of `a-z`, `0-9` and `-`, not at either end.
        name: For people.
        state: `active`, `suspended` (kept, and nobody gets in) or `deleted` (to be purged).
        plan: Which limits hold; see `serve.limits.plans`.
        bundle: Which of the served configurations answers; None is the server's own.
    """

    id: str
    slug: str
    name: str
    state: TenantState = "active"
    plan: Plan = "free"
    bundle: str | None = None
    created_at: datetime
    deleted_at: datetime | None = None


_CHANGING: Final = ("name", "state", "plan", "bundle")


def changes(former: Tenant, now: Tenant) -> dict[str, Any]:
    """Return what changed of a tenant, as its audit tells it: from what and to what, by name."""
    told = {name: (getattr(former, name), getattr(now, name)) for name in _CHANGING}
    return {name: {"from": was, "to": is_} for name, (was, is_) in told.items() if was != is_}


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A person, known by the `sub` of their tokens, in a tenant."""

    tenant_id: str
    user_id: str
    role: Role
    email: str | None = None
    joined_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Invite:
    """An invitation; the token itself is shown once, and its SHA-256 kept."""

    id: str
    tenant_id: str
    email: str
    role: Role
    token_hash: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    accepted_at: datetime | None = None
    accepted_by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A key of a tenant; the secret is shown once, and its argon2id hash kept.

    Attributes:
        prefix: The first 12 characters, by which it is looked up and shown.
        scopes: What it may do.
        expires_at: From when on it is refused: an end that was set, or that of an overlap after
            a rotation.
    """

    id: str
    tenant_id: str
    name: str
    prefix: str
    hash: str
    environment: Environment
    scopes: tuple[Scope, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """A workspace that a tenant made by name; `db_path` is where its memories lie."""

    tenant_id: str
    name: str
    db_path: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageEvent:
    """What one request used; counted once however often it is told."""

    request_id: str
    tenant_id: str
    at: datetime
    route: str
    status: int
    workspace: str = "default"
    api_calls: int = 1
    searches: int = 0
    memories_created: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageDay:
    """What a tenant used on one day, in UTC; what it held is as last measured that day."""

    tenant_id: str
    workspace: str
    day: date
    api_calls: int = 0
    searches: int = 0
    memories_created: int = 0
    memories_stored: int = 0
    storage_bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """One line of the record of who did what; `hash` covers it and the hash of the line before.

    Attributes:
        id: A UUIDv7: told twice, it is written once.
        tenant_id: None where it is the operator's.
        kind: Such as `auth.success`, `auth.failure`, `memory.create`, `key.revoke`, `config.load`.
        actor: Such as `key:…`, `user:…`, `operator`, `local`, `schedule`, `system`; never a secret.
        target: What it was done to.
        outcome: `ok`, or the code of the error.
        number, previous, hash: Given when written: its place in the chain of its tenant.
    """

    id: str
    tenant_id: str | None
    at: datetime
    kind: str
    actor: str
    target: str | None = None
    outcome: str = "ok"
    request_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)
    number: int = 0
    previous: str = ""
    hash: str = ""
