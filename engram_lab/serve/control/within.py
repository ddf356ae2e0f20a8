"""One tenant, as somebody within it sees it: the same statements in either database."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from engram_lab.core.errors import AccessDeniedError, ConflictError, NotFoundError
from engram_lab.serve.control import rows
from engram_lab.serve.control.records import Invite, Member, Role
from engram_lab.serve.control.tables import (
    api_keys,
    audit,
    invites,
    members,
    tenants,
    usage_daily,
    workspaces,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from sqlalchemy import Connection

    from engram_lab.serve.control.database import Database, Mode
    from engram_lab.serve.control.records import ApiKey, AuditEntry, UsageDay, Workspace

__all__ = ["SqlTenantView"]


class SqlTenantView:
    """What may be seen and changed within one tenant.

    Whoever is named must be a member: else nothing is shown and nothing changed. That is asked in
    each transaction, so that a view outlives no membership.
    """

    def __init__(self, database: Database, tenant_id: str, user_id: str | None) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._user_id = user_id

    @contextmanager
    def _entered(self, mode: Mode, *, as_member: bool = True) -> Iterator[Connection]:
        user_id = self._user_id if as_member else None
        entered = self._database.entered(mode, tenant_id=self._tenant_id, user_id=user_id)
        with entered as connection:
            if user_id is not None and self._member(connection, user_id) is None:
                raise AccessDeniedError("only members of a tenant may see or change it")
            if mode == "write":
                self._database.lock(connection, f"tenant {self._tenant_id}")
                here = select(tenants.c.id).where(tenants.c.id == self._tenant_id)
                if connection.execute(here).one_or_none() is None:
                    raise NotFoundError("there is no such tenant")
            yield connection

    def members(self) -> list[Member]:
        """Return all members by when they joined."""
        asked = (
            select(members)
            .where(members.c.tenant_id == self._tenant_id)
            .order_by(members.c.joined_at, members.c.user_id)
        )
        with self._entered("read") as connection:
            return [rows.member(each) for each in connection.execute(asked)]

    def _member(self, connection: Connection, user_id: str) -> Member | None:
        found = connection.execute(
            select(members).where(
                members.c.tenant_id == self._tenant_id, members.c.user_id == user_id
            )
        ).one_or_none()
        return None if found is None else rows.member(found)

    def _keep_an_owner(self, connection: Connection, leaving: str) -> None:
        others = select(members.c.user_id).where(
            members.c.tenant_id == self._tenant_id,
            members.c.role == "owner",
            members.c.user_id != leaving,
        )
        if connection.execute(others.limit(1)).one_or_none() is None:
            raise ConflictError("this is the last owner: make somebody else an owner first")

    def put_member(
        self, user_id: str, role: Role, *, email: str | None = None, at: datetime
    ) -> Member:
        """Add a member, or change the role of one; the last owner stays one.

        An address that is not given leaves the known one.
        """
        with self._entered("write") as connection:
            known = self._member(connection, user_id)
            if known is None:
                return self._add_member(
                    connection,
                    Member(
                        tenant_id=self._tenant_id,
                        user_id=user_id,
                        role=role,
                        email=email,
                        joined_at=at,
                    ),
                )
            if known.role == "owner" and role != "owner":
                self._keep_an_owner(connection, user_id)
            changed = replace(known, role=role, email=known.email if email is None else email)
            connection.execute(
                update(members)
                .where(members.c.tenant_id == self._tenant_id, members.c.user_id == user_id)
                .values(role=changed.role, email=changed.email)
            )
            return changed

    def _add_member(self, connection: Connection, member: Member) -> Member:
        connection.execute(insert(members).values(rows.values(member)))
        return member

    def remove_member(self, user_id: str) -> None:
        """Remove a member; the last owner stays."""
        with self._entered("write") as connection:
            known = self._member(connection, user_id)
            if known is None:
                raise NotFoundError("there is no such member")
            if known.role == "owner":
                self._keep_an_owner(connection, user_id)
            connection.execute(
                delete(members).where(
                    members.c.tenant_id == self._tenant_id, members.c.user_id == user_id
                )
            )

    def invites(self) -> list[Invite]:
        """Return invitations that were not accepted yet, expired ones too, the oldest first."""
        asked = (
            select(invites)
            .where(invites.c.tenant_id == self._tenant_id, invites.c.accepted_at.is_(None))
            .order_by(invites.c.created_at, invites.c.id)
        )
        with self._entered("read") as connection:
            return [rows.invite(each) for each in connection.execute(asked)]

    def add_invite(self, invite: Invite) -> None:
        """Write an invitation."""
        self._add(invites, invite)

    def accept_invite(self, invite_id: str, user_id: str, *, at: datetime) -> Member:
        """Make somebody the member that an invitation says, once and before it expires.

        Whoever accepts is no member yet, so the view's own person is not asked for.
        """
        with self._entered("write", as_member=False) as connection:
            found = connection.execute(
                select(invites).where(
                    invites.c.tenant_id == self._tenant_id, invites.c.id == invite_id
                )
            ).one_or_none()
            if found is None:
                raise NotFoundError("there is no such invitation")
            invite = rows.invite(found)
            if invite.accepted_at is not None:
                raise ConflictError("this invitation was accepted already: ask for another")
            if invite.expires_at <= at:
                raise ConflictError("this invitation has expired: ask for another")
            if self._member(connection, user_id) is not None:
                raise ConflictError("you are a member already")
            connection.execute(
                update(invites)
                .where(invites.c.id == invite_id)
                .values(accepted_at=at, accepted_by=user_id)
            )
            return self._add_member(
                connection,
                Member(
                    tenant_id=self._tenant_id,
                    user_id=user_id,
                    role=invite.role,
                    email=invite.email,
                    joined_at=at,
                ),
            )

    def remove_invite(self, invite_id: str) -> None:
        """Take an invitation back; one that was accepted stays in the record."""
        with self._entered("write") as connection:
            gone = connection.execute(
                delete(invites).where(
                    invites.c.tenant_id == self._tenant_id,
                    invites.c.id == invite_id,
                    invites.c.accepted_at.is_(None),
                )
            )
            if not gone.rowcount:
                raise NotFoundError("there is no such open invitation")

    def keys(self) -> list[ApiKey]:
        """Return all keys, the newest first."""
        asked = (
            select(api_keys)
            .where(api_keys.c.tenant_id == self._tenant_id)
            .order_by(api_keys.c.created_at.desc(), api_keys.c.id.desc())
        )
        with self._entered("read") as connection:
            return [rows.api_key(each) for each in connection.execute(asked)]

    def add_key(self, key: ApiKey) -> None:
        """Write a key."""
        self._add(api_keys, key)

    def revoke_key(self, key_id: str, *, at: datetime) -> ApiKey:
        """Revoke a key from a moment on; of one that is revoked already, the first one stays."""
        with self._entered("write") as connection:
            key = self._key(connection, key_id)
            if key.revoked_at is not None:
                return key
            self._change_key(connection, key_id, revoked_at=at)
            return replace(key, revoked_at=at)

    def expire_key(self, key_id: str, *, at: datetime) -> ApiKey:
        """Let a key end at a moment: the overlap of a rotation. Never later than it would."""
        with self._entered("write") as connection:
            key = self._key(connection, key_id)
            if key.expires_at is not None and key.expires_at <= at:
                return key
            self._change_key(connection, key_id, expires_at=at)
            return replace(key, expires_at=at)

    def _key(self, connection: Connection, key_id: str) -> ApiKey:
        found = connection.execute(
            select(api_keys).where(api_keys.c.tenant_id == self._tenant_id, api_keys.c.id == key_id)
        ).one_or_none()
        if found is None:
            raise NotFoundError("there is no such key")
        return rows.api_key(found)

    def _change_key(self, connection: Connection, key_id: str, **values: datetime) -> None:
        connection.execute(
            update(api_keys)
            .where(api_keys.c.tenant_id == self._tenant_id, api_keys.c.id == key_id)
            .values(values)
        )

    def workspaces(self) -> list[Workspace]:
        """Return all workspaces by name."""
        asked = (
            select(workspaces)
            .where(workspaces.c.tenant_id == self._tenant_id)
            .order_by(workspaces.c.name)
        )
        with self._entered("read") as connection:
            return [rows.workspace(each) for each in connection.execute(asked)]

    def add_workspace(self, workspace: Workspace) -> None:
        """Write a workspace."""
        self._add(workspaces, workspace)

    def remove_workspace(self, name: str) -> None:
        """Remove a workspace from the list; its memories stay where they are."""
        with self._entered("write") as connection:
            gone = connection.execute(
                delete(workspaces).where(
                    workspaces.c.tenant_id == self._tenant_id, workspaces.c.name == name
                )
            )
            if not gone.rowcount:
                raise NotFoundError("there is no such workspace")

    def usage(self, since: date, until: date) -> list[UsageDay]:
        """Return what was used from a day to another, both included, by day and workspace."""
        asked = (
            select(usage_daily)
            .where(
                usage_daily.c.tenant_id == self._tenant_id,
                usage_daily.c.day.between(since, until),
            )
            .order_by(usage_daily.c.day, usage_daily.c.workspace)
        )
        with self._entered("read") as connection:
            return [rows.usage_day(each) for each in connection.execute(asked)]

    def audit(self, *, limit: int = 100, before: int | None = None) -> list[AuditEntry]:
        """Return the newest entries of the chain, those below a number where one is given."""
        with self._entered("read") as connection:
            return newest_entries(connection, self._tenant_id, limit=limit, before=before)

    def _add(self, table: Any, record: Invite | ApiKey | Workspace) -> None:
        if record.tenant_id != self._tenant_id:
            raise AccessDeniedError("what is added belongs to another tenant")
        with self._entered("write") as connection:
            connection.execute(insert(table).values(rows.values(record)))


def newest_entries(
    connection: Connection, tenant_id: str, *, limit: int, before: int | None
) -> list[AuditEntry]:
    """Return the newest entries of a chain, the newest first."""
    asked = select(audit).where(audit.c.tenant_id == tenant_id)
    if before is not None:
        asked = asked.where(audit.c.number < before)
    asked = asked.order_by(audit.c.number.desc()).limit(limit)
    return [rows.audit_entry(each) for each in connection.execute(asked)]
