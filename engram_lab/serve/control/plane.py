"""The control plane over a database of either kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engram_lab.core.errors import InvalidInputError
from engram_lab.serve.control import rows
from engram_lab.serve.control.appending import append_audit, append_usage
from engram_lab.serve.control.operating import SqlOperatorView
from engram_lab.serve.control.within import SqlTenantView

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from engram_lab.core.clock import Clock
    from engram_lab.serve.control.database import Database
    from engram_lab.serve.control.records import (
        ApiKey,
        AuditEntry,
        Invite,
        Member,
        Tenant,
        UsageEvent,
    )

__all__ = ["SqlControlPlane"]


class SqlControlPlane:
    """A `ControlPlane` in a database."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def revision(self) -> int | None:
        """Return a number that changes with any write that a look-up could see."""
        return self._database.revision()

    def _ask(self, question: str, **values: str) -> Sequence[Row[Any]]:
        """Answer a question from outside: what no database can hold is not there."""
        if any("\0" in each for each in values.values()):
            return ()
        try:
            return self._database.ask(question, connection=None, **values)
        except InvalidInputError:
            return ()

    def tenant_by_slug(self, slug: str) -> Tenant | None:
        """Return the tenant of a name, whatever its state."""
        found = self._ask("tenant_by_slug", of_slug=slug)
        return rows.tenant(found[0]) if found else None

    def tenant(self, tenant_id: str) -> Tenant | None:
        """Return a tenant, whatever its state."""
        found = self._ask("tenant_by_id", of_id=tenant_id)
        return rows.tenant(found[0]) if found else None

    def keys_by_prefix(self, prefix: str) -> list[ApiKey]:
        """Return the keys that begin so, revoked and expired ones too, the oldest first."""
        return [rows.api_key(each) for each in self._ask("keys_by_prefix", of_prefix=prefix)]

    def member(self, tenant_id: str, user_id: str) -> Member | None:
        """Return the membership of a person."""
        found = self._ask("membership", of_tenant=tenant_id, of_user=user_id)
        return rows.member(found[0]) if found else None

    def invite_by_hash(self, token_hash: str) -> Invite | None:
        """Return the invitation of a token."""
        found = self._ask("invite_by_hash", of_hash=token_hash)
        return rows.invite(found[0]) if found else None

    def within(self, tenant_id: str, *, user_id: str | None = None) -> SqlTenantView:
        """Return what somebody may see and change within a tenant, and nowhere else."""
        return SqlTenantView(self._database, tenant_id, user_id)

    def as_operator(self) -> SqlOperatorView:
        """Return what whoever runs the server may see and change.

        Raises:
            UnavailableError: In PostgreSQL, where `control.admin_dsn` was not given.
        """
        return SqlOperatorView(self._database, self._clock)

    def record_usage(self, events: Sequence[UsageEvent]) -> int:
        """Write usage, each request once and its day's sum with it; return how many were new."""
        return append_usage(self._database, events)

    def record_audit(self, entries: Sequence[AuditEntry]) -> int:
        """Append to the chains of tenants, each entry once; return how many were new."""
        return append_audit(self._database, entries)

    def used_keys(self, last_used: Mapping[str, datetime]) -> None:
        """Note when keys were used last, by id; does not change `revision`."""
        if last_used:
            with self._database.entered("write") as connection:
                self._database.note_use(connection, last_used)

    def close(self) -> None:
        """Close all connections; a second call does nothing."""
        self._database.close()
