"""The control plane's database on a PostgreSQL server, which itself keeps tenants apart.

Two roles: `control.dsn` is one that owns nothing and that row-level security binds; what it may do
is what `granting` says. `control.admin_dsn` owns the tables: it makes them, and is the operator.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, func, make_url, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import ArgumentError

from engram_lab.core.clock import to_us
from engram_lab.core.errors import ConfigError, StoreClosedError
from engram_lab.serve.control import granting
from engram_lab.serve.control.chain import canonical
from engram_lab.serve.control.faults import told
from engram_lab.serve.control.questions import QUESTIONS
from engram_lab.serve.control.tables import SCHEMA
from engram_lab.serve.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row, Table
    from sqlalchemy.dialects.postgresql import Insert

    from engram_lab.core.clock import Clock
    from engram_lab.serve.control.database import Mode

__all__ = ["PostgresDatabase", "engine_of", "owner_of"]

_BOUNDS: Final = "-c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000"
_BOUNDS_OF_REQUESTS: Final = f"{_BOUNDS} -c statement_timeout=30000"
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")
_SHARE: Final = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:what, 0))")
_NOTE_USE: Final = text(f"SELECT {SCHEMA}.note_use(:moments)")


class PostgresDatabase:
    """A database on a server, by the address of the server's role and that of the owner.

    With the owner's address the tables are made and brought up to date without being asked.

    Raises:
        ConfigError: An address that cannot be used, a database that was not set up, or a role
            that row-level security does not bind.
        SchemaTooNewError: A newer version of this program was here.
        StoreError: The server cannot be reached.
    """

    def __init__(self, dsn: str, admin_dsn: str | None, *, clock: Clock) -> None:
        self._closed = False
        self._engine = engine_of(dsn, "control.dsn")
        self._owner: Engine | None = None
        try:
            if admin_dsn is not None:
                self._owner = owner_of(admin_dsn)
            with told():
                if self._owner is not None:
                    granting.bring_up(self._owner, self._engine, clock=clock)
                granting.check_bound(self._engine)
        except BaseException:
            self.close()
            raise

    def revision(self) -> None:
        """Return nothing: another server may have written, so each question is asked anew."""

    @contextmanager
    def entered(
        self, mode: Mode, *, tenant_id: str | None = None, user_id: str | None = None
    ) -> Iterator[Connection]:
        """Open a transaction and tell the database for its length who asks."""
        with self._transaction(self._engine, mode) as connection:
            claims = {"tenant_id": tenant_id} | ({} if user_id is None else {"sub": user_id})
            told_as = canonical(claims) if tenant_id is not None else ""
            _tell(connection, told_as, read_only="on" if mode == "read" else "off")
            yield connection

    @contextmanager
    def operated(self, mode: Mode) -> Iterator[Connection]:
        """Open a transaction as the owner; one that reads sees one state throughout."""
        with self._transaction(self._operating(), mode) as connection:
            yield connection

    @contextmanager
    def _transaction(self, engine: Engine, mode: Mode) -> Iterator[Connection]:
        if self._closed:
            raise StoreClosedError("the control plane is closed")
        with told(), engine.connect() as connection:
            if mode == "read" and engine is self._owner:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    def enter(self, connection: Connection, tenant_id: str) -> None:
        """Go on within another tenant, in the same transaction."""
        _tell(connection, canonical({"tenant_id": tenant_id}), read_only="off")

    def lock(self, connection: Connection, what: str, *, shared: bool = False) -> None:
        """Wait until no other transaction holds the lock of this name; held until the end."""
        connection.execute(_SHARE if shared else _LOCK, {"what": f"{SCHEMA} {what}"})

    def lock_sums(self, connection: Connection) -> None:
        """Wait until nobody adds to the sums of days; who wants to, waits until the end."""
        connection.exec_driver_sql(f"LOCK TABLE {SCHEMA}.usage_daily IN EXCLUSIVE MODE")

    def ask(
        self, question: str, *, connection: Connection | None = None, **values: str
    ) -> Sequence[Row[Any]]:
        """Answer a question by the function of its name, in one journey to the server."""
        call = QUESTIONS[question].call
        if connection is not None:
            return connection.execute(call, values).all()
        if self._closed:
            raise StoreClosedError("the control plane is closed")
        with told(), self._engine.connect() as own:
            own.execution_options(isolation_level="AUTOCOMMIT")
            return own.execute(call, values).all()

    def note_use(self, connection: Connection, last_used: Mapping[str, datetime]) -> None:
        """Note when keys of whichever tenants were used last; never an earlier moment."""
        self.lock(connection, "use of keys")
        moments = canonical({key: to_us(at) for key, at in last_used.items()})
        connection.execute(_NOTE_USE, {"moments": moments})

    def insert(self, table: Table) -> Insert:
        """Begin an insertion in PostgreSQL's words."""
        return postgresql.insert(table)

    def check_operated(self) -> None:
        """Refuse where the owner's address is not known."""
        self._operating()

    def _operating(self) -> Engine:
        if self._owner is None:
            raise UnavailableError(
                "the server does not know the owner of its control plane: set control.admin_dsn"
            )
        return self._owner

    def close(self) -> None:
        """Close all connections; a second call does nothing."""
        self._closed = True
        self._engine.dispose()
        if self._owner is not None:
            self._owner.dispose()


def _tell(connection: Connection, claims: str, *, read_only: str) -> None:
    connection.execute(
        select(
            func.set_config("transaction_read_only", read_only, True),  # noqa: FBT003 - SQL's
            func.set_config("request.jwt.claims", claims, True),  # noqa: FBT003
        )
    )


def owner_of(admin_dsn: str) -> Engine:
    """Return connections as the owner, whose statements may take long: steps of the schema do."""
    return engine_of(admin_dsn, "control.admin_dsn", size=1, bounds=_BOUNDS)


def engine_of(dsn: str, name: str, *, size: int = 4, bounds: str = _BOUNDS_OF_REQUESTS) -> Engine:
    """Return a pool of connections to an address, none of them open yet.

    Raises:
        ConfigError: It is no address of PostgreSQL; does not repeat it, as it may hold a password.
    """
    try:
        url = make_url(dsn)
        known = url.get_backend_name() in {"postgresql", "postgres"}
    except (ArgumentError, ValueError):
        known = False
    if not known:
        raise ConfigError([f"{name} is no address such as postgresql://user@host/database"])
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=size,
        max_overflow=size,
        pool_timeout=10,
        pool_pre_ping=True,  # a server that was started anew is not an error of a request
        connect_args={"connect_timeout": 5, "application_name": "engram", "options": bounds},
        hide_parameters=True,
    )
