"""What a control plane is, whichever database it lies in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from engram_lab.serve.control.records import (
        ApiKey,
        AuditEntry,
        Invite,
        Member,
        Plan,
        Role,
        Tenant,
        TenantState,
        UsageDay,
        UsageEvent,
        Workspace,
    )

__all__ = ["ControlPlane", "OperatorView", "TenantView"]


class ControlPlane(Protocol):
    """Tenants, members, keys, usage and audit. Safe to share between threads; calls block.

    What stands here are the questions that come before it is known who asks; all else goes
    through a view, which shows and changes what its holder may. In PostgreSQL the database itself
    sees to that, by row-level security.
    """

    def revision(self) -> int | None:
        """Return a number that changes with any write, from whichever process; None: ask anew.

        Costs microseconds, so that what was looked up may be kept for as long as it stands.
        """
        ...

    def tenant_by_slug(self, slug: str) -> Tenant | None:
        """Return the tenant of a name, whatever its state."""
        ...

    def tenant(self, tenant_id: str) -> Tenant | None:
        """Return a tenant, whatever its state."""
        ...

    def keys_by_prefix(self, prefix: str) -> list[ApiKey]:
        """Return the keys that begin so, revoked and expired ones too."""
        ...

    def member(self, tenant_id: str, user_id: str) -> Member | None:
        """Return the membership of a person."""
        ...

    def invite_by_hash(self, token_hash: str) -> Invite | None:
        """Return the invitation of a token."""
        ...

    def within(self, tenant_id: str, *, user_id: str | None = None) -> TenantView:
        """Return what somebody may see and change within a tenant, and nowhere else."""
        ...

    def as_operator(self) -> OperatorView:
        """Return what whoever runs the server may see and change."""
        ...

    def record_usage(self, events: Sequence[UsageEvent]) -> int:
        """Write usage, each request once and its day's sum with it; return how many were new."""
        ...

    def record_audit(self, entries: Sequence[AuditEntry]) -> int:
        """Append to the chains of tenants, each entry once; return how many were new."""
        ...

    def used_keys(self, last_used: Mapping[str, datetime]) -> None:
        """Note when keys were used last, by id; does not change `revision`."""
        ...

    def close(self) -> None:
        """Close all connections; a second call does nothing."""
        ...


class TenantView(Protocol):
    """One tenant, as somebody within it sees it.

    Raises (of all that change something): `ConflictError`, `NotFoundError`, `InvalidInputError`.
    """

    def members(self) -> list[Member]:
        """Return all members by when they joined."""
        ...

    def put_member(
        self, user_id: str, role: Role, *, email: str | None = None, at: datetime
    ) -> Member:
        """Add a member, or change the role of one; the last owner stays one."""
        ...

    def remove_member(self, user_id: str) -> None:
        """Remove a member; the last owner stays."""
        ...

    def invites(self) -> list[Invite]:
        """Return invitations that were not accepted yet, expired ones too."""
        ...

    def add_invite(self, invite: Invite) -> None:
        """Write an invitation."""
        ...

    def accept_invite(self, invite_id: str, user_id: str, *, at: datetime) -> Member:
        """Make somebody the member that an invitation says, once and before it expires."""
        ...

    def remove_invite(self, invite_id: str) -> None:
        """Take an invitation back."""
        ...

    def keys(self) -> list[ApiKey]:
        """Return all keys, the newest first."""
        ...

    def add_key(self, key: ApiKey) -> None:
        """Write a key."""
        ...

    def revoke_key(self, key_id: str, *, at: datetime) -> ApiKey:
        """Revoke a key from a moment on; of one that is revoked already, the first one stays."""
        ...

    def expire_key(self, key_id: str, *, at: datetime) -> ApiKey:
        """Let a key end at a moment: the overlap of a rotation. Never later than it would."""
        ...

    def workspaces(self) -> list[Workspace]:
        """Return all workspaces by name."""
        ...

    def add_workspace(self, workspace: Workspace) -> None:
        """Write a workspace."""
        ...

    def remove_workspace(self, name: str) -> None:
        """Remove a workspace from the list; its memories stay where they are."""
        ...

    def usage(self, since: date, until: date) -> list[UsageDay]:
        """Return what was used from a day to another, both included, by day and workspace."""
        ...

    def audit(self, *, limit: int = 100, before: int | None = None) -> list[AuditEntry]:
        """Return the newest entries of the chain, those below a number where one is given."""
        ...


class OperatorView(Protocol):
    """All tenants, as whoever runs the server sees them."""

    def tenants(self, *, state: TenantState | None = None) -> list[Tenant]:
        """Return all tenants by name."""
        ...

    def add_tenant(self, tenant: Tenant) -> None:
        """Write a tenant. Raises `ConflictError` where its slug is taken."""
        ...

    def update_tenant(
        self,
        tenant_id: str,
        *,
        name: str | None = None,
        state: TenantState | None = None,
        plan: Plan | None = None,
        deleted_at: datetime | None = None,
    ) -> Tenant:
        """Change what is given of a tenant."""
        ...

    def assign_bundle(self, tenant_id: str, bundle: str | None) -> Tenant:
        """Let a bundle answer a tenant; None is the server's own configuration."""
        ...

    def purge_tenant(self, tenant_id: str) -> None:
        """Remove every row of a deleted tenant but its audit."""
        ...

    def measured(
        self, tenant_id: str, day: date, *, memories_stored: int, storage_bytes: int
    ) -> None:
        """Note what a tenant holds, on its day."""
        ...

    def roll_up(self, day: date) -> int:
        """Sum up a day from its events anew; return how many rows that made. Changes no sum."""
        ...

    def drop_usage(self, before: date) -> int:
        """Drop the events of the oldest day before one; return how many. Changes no sum."""
        ...

    def audit(
        self, tenant_id: str | None, *, limit: int = 100, before: int | None = None
    ) -> list[AuditEntry]:
        """Return the newest entries of a chain; None is the operator's own."""
        ...

    def broken_chain(self, tenant_id: str | None) -> int | None:
        """Return the number of the first entry that does not fit its chain; None: all do."""
        ...
