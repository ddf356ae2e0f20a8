"""All tenants, as whoever runs the server sees them."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, delete, insert, select, type_coerce, update

from engram_lab.core.clock import from_us
from engram_lab.core.errors import ConflictError, InvalidInputError, NotFoundError
from engram_lab.serve.control import rows
from engram_lab.serve.control.appending import drop_oldest_day, head_of, sum_up
from engram_lab.serve.control.chain import first_fault
from engram_lab.serve.control.records import AuditEntry
from engram_lab.serve.control.tables import (
    api_keys,
    audit,
    invites,
    members,
    tenants,
    usage_daily,
    usage_events,
    workspaces,
)
from engram_lab.serve.control.within import newest_entries

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import date, datetime

    from sqlalchemy import Connection, Row

    from engram_lab.core.clock import Clock
    from engram_lab.serve.control.database import Database
    from engram_lab.serve.control.records import Plan, Tenant, TenantState

__all__ = ["SqlOperatorView"]

_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_OWN_WORKSPACE: Final = "default"
_OF_TENANT: Final = (usage_events, usage_daily, api_keys, workspaces, invites, members)


class SqlOperatorView:
    """What may be seen and changed of all tenants."""

    def __init__(self, database: Database, clock: Clock) -> None:
        database.check_operated()
        self._database = database
        self._clock = clock

    def tenants(self, *, state: TenantState | None = None) -> list[Tenant]:
        """Return all tenants by name, then slug."""
        asked = select(tenants).order_by(tenants.c.name, tenants.c.slug)
        if state is not None:
            asked = asked.where(tenants.c.state == state)
        with self._database.operated("read") as connection:
            return [rows.tenant(each) for each in connection.execute(asked)]

    def add_tenant(self, tenant: Tenant) -> None:
        """Write a tenant. Raises `ConflictError` where its slug is taken."""
        if _SLUG.match(tenant.slug) is None:
            raise InvalidInputError(
                "a tenant's slug has 1 to 63 of a-z, 0-9 and -, and begins and ends with no -"
            )
        with self._database.operated("write") as connection:
            taken = select(tenants.c.id).where(tenants.c.slug == tenant.slug)
            if connection.execute(taken).one_or_none() is not None:
                raise ConflictError(f"the slug {tenant.slug!r} is taken: choose another")
            connection.execute(insert(tenants).values(rows.values(tenant)))

    def update_tenant(
        self,
        tenant_id: str,
        *,
        name: str | None = None,
        state: TenantState | None = None,
        plan: Plan | None = None,
        deleted_at: datetime | None = None,
    ) -> Tenant:
        """Change what is given of a tenant.

        One that is deleted without saying when was deleted now; one that is no longer deleted
        never was.
        """
        given = {"name": name, "state": state, "plan": plan, "deleted_at": deleted_at}
        changes: dict[str, Any] = {key: each for key, each in given.items() if each is not None}
        if state == "deleted" and deleted_at is None:
            changes["deleted_at"] = self._clock.now()
        elif state is not None and state != "deleted":
            changes["deleted_at"] = None
        return self._change(tenant_id, changes)

    def assign_bundle(self, tenant_id: str, bundle: str | None) -> Tenant:
        """Let a bundle answer a tenant; None is the server's own configuration."""
        return self._change(tenant_id, {"bundle": bundle})

    def _change(self, tenant_id: str, changes: dict[str, Any]) -> Tenant:
        with self._database.operated("write") as connection:
            if changes:
                connection.execute(update(tenants).where(tenants.c.id == tenant_id).values(changes))
            return _tenant(connection, tenant_id)

    def purge_tenant(self, tenant_id: str) -> None:
        """Remove every row of a deleted tenant but its audit."""
        with self._database.operated("write") as connection:
            self._database.lock(connection, f"tenant {tenant_id}")
            if _tenant(connection, tenant_id).state != "deleted":
                raise ConflictError("only a deleted tenant can be purged: delete it first")
            for table in _OF_TENANT:
                connection.execute(delete(table).where(table.c.tenant_id == tenant_id))
            connection.execute(delete(tenants).where(tenants.c.id == tenant_id))

    def measured(
        self, tenant_id: str, day: date, *, memories_stored: int, storage_bytes: int
    ) -> None:
        """Note what a tenant holds, on its day; it stands with the workspace `default`."""
        held = {"memories_stored": memories_stored, "storage_bytes": storage_bytes}
        nothing = dict.fromkeys(("api_calls", "searches", "memories_created"), 0)
        written = self._database.insert(usage_daily).values(
            tenant_id=tenant_id, workspace=_OWN_WORKSPACE, day=day, **nothing, **held
        )
        with self._database.operated("write") as connection:
            self._database.lock(connection, f"tenant {tenant_id}", shared=True)  # against a purge
            _tenant(connection, tenant_id)
            connection.execute(
                written.on_conflict_do_update(
                    index_elements=["tenant_id", "day", "workspace"], set_=held
                )
            )

    def roll_up(self, day: date) -> int:
        """Sum up a day from its events anew; return how many rows that made. Changes no sum."""
        with self._database.operated("write") as connection:
            self._database.lock_sums(connection)
            return sum_up(self._database, connection, day)

    def drop_usage(self, before: date) -> int:
        """Drop the events of the oldest day before one; return how many. Changes no sum."""
        with self._database.operated("write") as connection:
            self._database.lock_sums(connection)
            return drop_oldest_day(self._database, connection, before)

    def audit(
        self, tenant_id: str | None, *, limit: int = 100, before: int | None = None
    ) -> list[AuditEntry]:
        """Return the newest entries of a chain; None is the operator's own."""
        with self._database.operated("read") as connection:
            return newest_entries(connection, tenant_id or "", limit=limit, before=before)

    def broken_chain(self, tenant_id: str | None) -> int | None:
        """Return the number at which a chain stops to hold; None: it holds to its end."""
        with self._database.operated("read") as connection:
            head = head_of(connection, tenant_id or "")
            with closing(_chain(connection, tenant_id or "")) as entries:
                return first_fault(entries, head)


def _tenant(connection: Connection, tenant_id: str) -> Tenant:
    found = connection.execute(select(tenants).where(tenants.c.id == tenant_id)).one_or_none()
    if found is None:
        raise NotFoundError("there is no such tenant")
    return rows.tenant(found)


def _chain(connection: Connection, tenant_id: str) -> Generator[AuditEntry]:
    """Yield a chain from its beginning; what cannot be read any more becomes an unsealed entry."""
    columns = [type_coerce(each, BigInteger) if each is audit.c.at else each for each in audit.c]
    asked = select(*columns).where(audit.c.tenant_id == tenant_id).order_by(audit.c.number)
    with connection.execute(asked, execution_options={"yield_per": 1_000}) as found:
        for row in found:
            yield _entry(row)


def _entry(row: Row[Any]) -> AuditEntry:
    named = row._asdict()
    named["tenant_id"] = named["tenant_id"] or None
    try:
        named["at"], named["details"] = from_us(named["at"]), json.loads(named["details"])
        return AuditEntry(**named)
    except (ValueError, OverflowError, RecursionError):
        named |= {"at": from_us(0), "details": {}, "hash": ""}
        return AuditEntry(**named)
