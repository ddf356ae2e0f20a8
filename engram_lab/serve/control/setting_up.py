"""Setting up a PostgreSQL server for the control plane, as its owner: once, and after upgrades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql

from engram_lab.core.clock import SystemClock
from engram_lab.core.errors import ConfigError
from engram_lab.serve.control.faults import told
from engram_lab.serve.control.granting import grant, migrate
from engram_lab.serve.control.postgres import owner_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engram_lab.core.clock import Clock

__all__ = ["set_up"]


def set_up(
    admin_dsn: str, *, role: str, password: str | None = None, clock: Clock | None = None
) -> int:
    """Make the tables, or bring them up to date, and the role that the server connects as.

    May be called again at any time: it changes only what differs.

    Args:
        admin_dsn: The address of the database as the owner of the tables, who needs CREATE on the
            database, and CREATEROLE unless the role is there already.
        role: What the server's role is called. It may log in, and nothing else, until it is
            granted what the server does.
        password: Set where one is given; only its SCRAM verifier is sent.
        clock: What time it is.

    Returns:
        The number of the schema.

    Raises:
        ConfigError: The address cannot be used, or row-level security would not bind the role.
        AccessDeniedError: The owner may not do that.
        StoreError: The server cannot be reached.
    """
    if not role:
        raise ConfigError(["the role of the server needs a name"])
    owner = owner_of(admin_dsn)
    try:
        with told(), owner.begin() as connection:
            number = migrate(connection, clock=clock or SystemClock())
            _make_role(connection, role, password)
            grant(connection, role)
            return number
    finally:
        owner.dispose()


def _make_role(connection: Connection, role: str, password: str | None) -> None:
    raw: Any = connection.connection.driver_connection
    name = sql.Identifier(role)
    found = raw.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    if found is None:
        raw.execute(sql.SQL("CREATE ROLE {} LOGIN NOINHERIT").format(name))
    if password is not None:
        verifier = raw.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
        secret = sql.Literal(verifier.decode())
        raw.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, secret))
