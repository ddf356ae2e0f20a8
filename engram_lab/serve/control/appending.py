"""What is only ever added to: the audit and the record of usage.

Of usage, the sums of days stay for good, and the events for as long as they are wanted.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from engram_lab.serve.control.chain import (
    GENESIS,
    Head,
    canonical,
    sealed,
    storable,
)
from engram_lab.serve.control.rows import event_values
from engram_lab.serve.control.tables import (
    audit,
    audit_heads,
    tenants,
    usage_bounds,
    usage_daily,
    usage_events,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy import Connection

    from engram_lab.serve.control.database import Database
    from engram_lab.serve.control.records import AuditEntry, UsageEvent

__all__ = ["append_audit", "append_usage", "drop_oldest_day", "head_of", "sum_up"]

_SUMS = ("api_calls", "searches", "memories_created")


def head_of(connection: Connection, tenant_id: str) -> Head:
    """Return what is told of the last entry of a chain."""
    found = connection.execute(
        select(audit_heads.c.number, audit_heads.c.hash).where(audit_heads.c.tenant_id == tenant_id)
    ).one_or_none()
    return (found.number, found.hash) if found else (0, GENESIS)


def append_audit(database: Database, entries: Sequence[AuditEntry]) -> int:
    """Append entries to the chains of their tenants, in one transaction.

    A chain is locked from when its head is read: two processes never write the same number, and
    chains are taken in order of their tenants, so that two never wait for each other.
    """
    ready = sorted((storable(each) for each in entries), key=lambda each: each.tenant_id or "")
    if not ready:
        return 0
    new = 0
    with database.entered("write") as connection:
        for tenant_id, group in groupby(ready, key=lambda each: each.tenant_id or ""):
            chain = {each.id: each for each in group}
            database.enter(connection, tenant_id)
            database.lock(connection, f"audit of {tenant_id}")
            known = {
                row.id
                for row in database.ask(
                    "audit_known",
                    connection=connection,
                    of_tenant=tenant_id,
                    ids=canonical(list(chain)),
                )
            }
            missing = [each for id_, each in chain.items() if id_ not in known]
            _append(connection, tenant_id, missing)
            new += len(missing)
    return new


def _append(connection: Connection, tenant_id: str, entries: Sequence[AuditEntry]) -> None:
    head = head_of(connection, tenant_id)
    written: list[dict[str, Any]] = []
    for each in entries:
        entry = sealed(each, head)
        head = (entry.number, entry.hash)
        written.append(
            {
                "tenant_id": tenant_id,
                "number": entry.number,
                "id": entry.id,
                "at": entry.at,
                "kind": entry.kind,
                "actor": entry.actor,
                "target": entry.target,
                "outcome": entry.outcome,
                "request_id": entry.request_id,
                "details": canonical(entry.details),
                "previous": entry.previous,
                "hash": entry.hash,
            }
        )
    if written:
        connection.execute(insert(audit), written)


def append_usage(database: Database, events: Sequence[UsageEvent]) -> int:
    """Write events that were not told yet, in one transaction; the database adds to the sums.

    What is told of a tenant that is there no more is left out: it would be counted for nobody.
    Rows are taken in one order everywhere, so that two processes never wait for each other.
    """
    ready = sorted(
        (event_values(each) for each in events),
        key=lambda each: (
            each["tenant_id"],
            each["day"],
            each["workspace"],
            each["request_id"],
        ),
    )
    if not ready:
        return 0
    new = 0
    with database.entered("write") as connection:
        for tenant_id, group in groupby(ready, key=lambda each: each["tenant_id"]):
            database.enter(connection, tenant_id)
            database.lock(connection, f"tenant {tenant_id}", shared=True)  # against a purge
            exists = select(tenants.c.id).where(tenants.c.id == tenant_id)
            if connection.execute(exists).one_or_none() is None:
                continue
            written = connection.execute(
                database.insert(usage_events).on_conflict_do_nothing(),
                list(group),
                execution_options={"preserve_rowcount": True},
            )
            new += written.rowcount
    return new


def sum_up(database: Database, connection: Connection, day: date) -> int:
    """Write the sums of a day anew from its events; return how many rows that made.

    Those of a day whose events were dropped stay as they are.
    """
    if day < connection.execute(select(usage_bounds.c.since)).scalar_one():
        return 0
    keys = (usage_events.c.tenant_id, usage_events.c.workspace, usage_events.c.day)
    sums = [func.sum(usage_events.c[name]).label(name) for name in _SUMS]
    of_events = select(*keys, *sums).where(usage_events.c.day == day).group_by(*keys)
    connection.execute(
        update(usage_daily).where(usage_daily.c.day == day).values(dict.fromkeys(_SUMS, 0))
    )
    written = database.insert(usage_daily).from_select(
        ["tenant_id", "workspace", "day", *_SUMS], of_events
    )
    made = connection.execute(
        written.on_conflict_do_update(
            index_elements=["tenant_id", "day", "workspace"],
            set_={name: written.excluded[name] for name in _SUMS},
        ),
        execution_options={"preserve_rowcount": True},
    )
    return made.rowcount


def drop_oldest_day(database: Database, connection: Connection, before: date) -> int:
    """Sum up the oldest day that has events, if it is before one, and drop these.

    What is told of it later is added to its sums all the same, and dropped the next time.

    Returns:
        How many events there were; 0: no day before that one has any.
    """
    oldest = select(func.min(usage_events.c.day)).where(usage_events.c.day < before)
    day: date | None = connection.execute(oldest).scalar()
    if day is None:
        return 0
    sum_up(database, connection, day)
    next_day = day + timedelta(days=1)
    connection.execute(
        update(usage_bounds).where(usage_bounds.c.since < next_day).values(since=next_day)
    )
    return connection.execute(delete(usage_events).where(usage_events.c.day == day)).rowcount
