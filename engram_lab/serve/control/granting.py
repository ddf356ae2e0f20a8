"""What the server's role may do in PostgreSQL, and setting all of it up.

Row-level security says which rows; these say which tables, columns and functions. Usage and the
audit can be added to, and nothing else: not changed, and not taken away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg import sql
from sqlalchemy import text

from engram_lab.core.errors import ConfigError
from engram_lab.serve.control import migrations
from engram_lab.serve.control.tables import versions

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from engram_lab.core.clock import Clock

__all__ = ["bring_up", "check_bound", "grant", "migrate"]

_GRANTS: Final = (
    "USAGE ON SCHEMA engram",
    "SELECT ON ALL TABLES IN SCHEMA engram",
    "INSERT ON engram.members, engram.invites, engram.workspaces, engram.api_keys",
    "INSERT ON engram.usage_events, engram.audit",
    "UPDATE (role, email) ON engram.members",
    "UPDATE (accepted_at, accepted_by) ON engram.invites",
    "UPDATE (expires_at, revoked_at) ON engram.api_keys",
    "DELETE ON engram.members, engram.invites, engram.workspaces",
    "EXECUTE ON FUNCTION engram.claim, engram.entered, engram.audit_known, engram.note_use",
    "EXECUTE ON FUNCTION engram.tenant_by_slug, engram.tenant_by_id, engram.keys_by_prefix",
    "EXECUTE ON FUNCTION engram.membership, engram.invite_by_hash",
)
_REVOKES: Final = (
    "ALL ON ALL TABLES IN SCHEMA engram",
    "ALL ON ALL FUNCTIONS IN SCHEMA engram",
    "ALL ON SCHEMA engram",
)

_ABOUT_ROLE: Final = text(
    """
    SELECT rolsuper OR rolbypassrls AS unbound,
        EXISTS (
            SELECT FROM pg_namespace
            WHERE nspname = 'engram' AND pg_has_role(pg_roles.oid, nspowner, 'MEMBER')
        ) AS owns
    FROM pg_roles WHERE rolname = coalesce(:role, current_user)
    """
)
_LET_IN: Final = text(
    """
    SELECT has_schema_privilege(coalesce(:role, current_user), oid, 'USAGE')
    FROM pg_namespace WHERE nspname = 'engram'
    """
)
_UNFORCED: Final = text(
    """
    SELECT relname FROM pg_class
    WHERE relnamespace = to_regnamespace('engram') AND relkind IN ('r', 'p')
        AND relname <> :free AND NOT (relrowsecurity AND relforcerowsecurity)
    """
)
_UNBOUND: Final = (
    "control.dsn connects as a role that row-level security does not bind (a superuser, one with "
    "BYPASSRLS, or the tables' owner): give it a role of its own"
)
_NOT_SET_UP: Final = (
    "control.dsn names a database that is not set up for this version: set control.admin_dsn, the "
    "address of its owner, to have that done"
)
_SETTING_UP: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('engram setting up', 0))")


def migrate(connection: Connection, *, clock: Clock) -> int:
    """Apply the steps that are missing; one process at a time.

    Raises:
        SchemaTooNewError: A newer version of this program was here.
    """
    connection.execute(_SETTING_UP)
    return migrations.apply(connection, "postgres", at=clock.now())


def grant(connection: Connection, role: str) -> None:
    """Let a role do what the server does, and nothing else.

    Raises:
        ConfigError: Row-level security would not bind it.
    """
    _check_role(connection, role)
    name = sql.Identifier(role).as_string()
    for each in _REVOKES:
        connection.exec_driver_sql(f"REVOKE {each} FROM {name}")
    for each in _GRANTS:
        connection.exec_driver_sql(f"GRANT {each} TO {name}")


def _check_role(connection: Connection, role: str | None) -> None:
    about = connection.execute(_ABOUT_ROLE, {"role": role}).one_or_none()
    if about is not None and (about.unbound or about.owns):
        raise ConfigError([_UNBOUND])


def bring_up(owner: Engine, server: Engine, *, clock: Clock) -> None:
    """Bring the schema up to date, and let the server's role in where it is not yet."""
    with server.connect() as connection:
        role = connection.exec_driver_sql("SELECT current_user").scalar_one()
    with owner.begin() as connection:
        connection.execute(_SETTING_UP)
        found = migrations.version_of(connection)
        migrate(connection, clock=clock)
        inside = connection.execute(_LET_IN, {"role": role}).scalar()
        if found != migrations.newest("postgres") or not inside:
            grant(connection, role)


def check_bound(server: Engine) -> None:
    """Refuse a database that was not set up, or that would not keep tenants apart.

    Raises:
        ConfigError: What is missing.
        SchemaTooNewError: A newer version of this program was here.
    """
    with server.begin() as connection:
        _check_role(connection, None)
        inside = connection.execute(_LET_IN, {"role": None}).scalar()
        found = migrations.version_of(connection) if inside else 0
        migrations.check_known(found, "postgres")
        if found < migrations.newest("postgres"):
            raise ConfigError([_NOT_SET_UP])
        if connection.execute(_UNFORCED, {"free": versions.name}).first() is not None:
            raise ConfigError(["control.dsn names tables without forced row-level security"])
