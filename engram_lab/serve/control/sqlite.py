"""The control plane's database as one SQLite file.

Every reader and writer takes a connection of its own from a pool. Writers wait for each other at
the beginning of their transaction, so that what one read is still true when it writes; a write is
on the disk when it is acknowledged.
"""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from threading import Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import URL, QueuePool, bindparam, create_engine, event, func, update
from sqlalchemy.dialects import sqlite

from engram_lab.core.errors import NotAnEngramFileError, StoreClosedError
from engram_lab.serve.control import migrations
from engram_lab.serve.control.faults import fault_of, told
from engram_lab.serve.control.questions import QUESTIONS
from engram_lab.serve.control.tables import SCHEMA, api_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection, Engine, Row, Table

    from engram_lab.core.clock import Clock
    from engram_lab.serve.control.database import Mode

__all__ = ["FILE", "SqliteDatabase"]

FILE: Final = "control.db"

_APPLICATION: Final = 0x456E_6743
"""Marks the file as ours: "EngC" in ASCII."""

_BUSY_S: Final = 5.0
_OWNER_ALONE: Final = 0o600  # hashes of keys, and addresses of people
_PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA secure_delete = ON",
)


_NOTE_USE: Final = (
    update(api_keys)
    .where(api_keys.c.id == bindparam("key"))
    .values(
        last_used_at=func.max(
            func.coalesce(
                api_keys.c.last_used_at, bindparam("moment", type_=api_keys.c.last_used_at.type)
            ),
            bindparam("moment", type_=api_keys.c.last_used_at.type),
        )
    )
)


class SqliteDatabase:
    """`control.db` in a folder; made, or brought up to date, where it needs to be.

    Raises:
        NotAnEngramFileError: The file is another program's.
        SchemaTooNewError: A newer version of this program was here.
    """

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, _OWNER_ALONE))
        self._engine = _engine(path)
        self._closed = False
        self._watching = Lock()
        with told():
            _begin_log(self._engine)
            self._migrate(clock)
            # Only this connection tells of every write: SQLite leaves a connection's own ones out.
            self._watch = self._engine.raw_connection()
        self._cursor: Any = self._watch.cursor()
        self._seen: int | None = None
        self._revision = 0

    def _migrate(self, clock: Clock) -> None:
        with self._transaction("read") as connection:
            found = self._identified(connection)
        if found == migrations.newest("sqlite"):
            return
        with self._transaction("write") as connection:
            self._identified(connection)
            migrations.apply(connection, "sqlite", at=clock.now())
            connection.exec_driver_sql(f"PRAGMA application_id = {_APPLICATION}")

    def _identified(self, connection: Connection) -> int:
        mark = connection.exec_driver_sql("PRAGMA application_id").scalar()
        tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar()
        if mark != _APPLICATION and (mark or tables):
            raise NotAnEngramFileError(
                f"{FILE} is a database of another program; nothing in it was changed: move it away"
            )
        found = migrations.version_of(connection)
        migrations.check_known(found, "sqlite")
        return found

    def revision(self) -> int:
        """Return a number that changes with any write that a look-up could see.

        SQLite tells in memory that was shared between processes whether anything was written;
        only then is the number itself read, which triggers move.

        Source: SQLite, "PRAGMA data_version".
        """
        with self._watching:
            if self._closed:
                raise StoreClosedError("the control plane is closed")
            try:
                # All rows are fetched: a statement left half read would keep its state of the file.
                ((seen,),) = self._cursor.execute("PRAGMA data_version").fetchall()
                if seen != self._seen:
                    self._cursor.execute("SELECT number FROM revisions")
                    ((self._revision,),) = self._cursor.fetchall()
                    self._seen = seen
            except Exception as error:  # the driver's own: its package belongs to another room
                raise fault_of(error) from error
            return self._revision

    def entered(
        self, mode: Mode, *, tenant_id: str | None = None, user_id: str | None = None
    ) -> AbstractContextManager[Connection]:
        """Open a transaction; who asks is seen to by the statements."""
        del tenant_id, user_id
        return self._transaction(mode)

    def operated(self, mode: Mode) -> AbstractContextManager[Connection]:
        """Open a transaction: whoever may open the file may do all."""
        return self._transaction(mode)

    def check_operated(self) -> None:
        """Do nothing: whoever may open the file may do all."""

    @contextmanager
    def _transaction(self, mode: Mode) -> Iterator[Connection]:
        if self._closed:
            raise StoreClosedError("the control plane is closed")
        with told(), self._engine.connect() as connection:
            connection.execution_options(engram_mode=mode)
            with connection.begin():
                yield connection

    def enter(self, connection: Connection, tenant_id: str) -> None:
        """Do nothing: a transaction is not bound to a tenant."""

    def lock(self, connection: Connection, what: str, *, shared: bool = False) -> None:
        """Do nothing: one that writes is alone from its beginning."""

    def lock_sums(self, connection: Connection) -> None:
        """Do nothing: one that writes is alone from its beginning."""

    def ask(
        self, question: str, *, connection: Connection | None = None, **values: str
    ) -> Sequence[Row[Any]]:
        """Answer a question by its statement."""
        statement = QUESTIONS[question].statement
        if connection is not None:
            return connection.execute(statement, values).all()
        with self._transaction("read") as own:
            return own.execute(statement, values).all()

    def note_use(self, connection: Connection, last_used: Mapping[str, datetime]) -> None:
        """Note when keys were used last; never an earlier moment."""
        moments = [{"key": key, "moment": at} for key, at in sorted(last_used.items())]
        connection.execute(_NOTE_USE, moments)

    def insert(self, table: Table) -> Any:
        """Begin an insertion in SQLite's words."""
        return sqlite.insert(table)

    def close(self) -> None:
        """Close all connections; a second call does nothing."""
        with self._watching:
            if self._closed:
                return
            self._closed = True
            self._cursor.close()
            self._watch.close()
        self._engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=5,
        max_overflow=-1,  # a file has no server that could have enough of us
        connect_args={"timeout": _BUSY_S, "check_same_thread": False},
        execution_options={"schema_translate_map": {SCHEMA: None}},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say so
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("engram_mode") == "write"
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _begin_log(engine: Engine) -> None:
    """Let readers never wait for the writer. SQLite refuses at once where two make one file."""
    end = monotonic() + _BUSY_S
    while True:
        try:
            with closing(engine.raw_connection()) as raw:
                raw.cursor().execute("PRAGMA journal_mode = WAL")
        except Exception as error:  # the driver's own: its package belongs to another room
            busy = getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")
            if not busy or monotonic() > end:
                raise fault_of(error) from error
            sleep(0.002)
        else:
            return
