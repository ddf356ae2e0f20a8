"""The schema as it grew: named steps, each applied once, in order, in one transaction.

A step is a file `NNNN_name.sql` in this folder. A released one is never edited: the next change is
a new file. What was applied is recorded in the database itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from engram_lab.core.clock import Clock, to_us
from engram_lab.core.errors import NotAnEngramFileError, SchemaTooNewError, StoreError

if TYPE_CHECKING:
    import apsw

__all__ = [
    "APPLICATION_ID",
    "Migration",
    "check_identity",
    "check_migrated",
    "migrate",
    "migrations",
]

APPLICATION_ID: Final = 0x456E_6772
"""Marks a SQLite file as ours: "Engr" in ASCII, read back by `file` and by every other tool."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema; `name` is that of its file."""

    name: str
    sql: str


@cache
def migrations() -> tuple[Migration, ...]:
    """Return every step, in order."""
    files = sorted(
        (each for each in resources.files(__name__).iterdir() if each.name.endswith(".sql")),
        key=lambda each: each.name,
    )
    return tuple(Migration(each.name.removesuffix(".sql"), each.read_text()) for each in files)


def check_identity(connection: apsw.Connection, path: str) -> None:
    """Refuse a file of another program, or of a newer version of this one; reads only.

    Raises:
        NotAnEngramFileError: Another program's database.
        SchemaTooNewError: It has steps that this version does not know.
    """
    with connection:  # one state: another process may be making this very file
        mark = connection.pragma("application_id")
        found = connection.pragma("user_version")
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    if mark != APPLICATION_ID:
        if mark or tables:
            raise NotAnEngramFileError(
                f"{path} is a database of another program; nothing in it was changed: "
                "give the path of a store, or a new one"
            )
        return
    known = len(migrations())
    if found > known:
        raise SchemaTooNewError(
            f"{path} has schema {found} and this version knows up to {known}; nothing in it was "
            "changed: upgrade engram-lab"
        )


def check_migrated(connection: apsw.Connection, path: str) -> None:
    """Refuse a file that lacks steps, where they may not be applied; reads only.

    Raises:
        StoreError: It is empty, or of an older version.
    """
    found = connection.pragma("user_version")
    if found < len(migrations()):
        raise StoreError(
            f"{path} has schema {found} and this version needs {len(migrations())}: "
            "open it once without read_only=True, as `engram doctor` does"
        )


def migrate(connection: apsw.Connection, clock: Clock) -> None:
    """Bring the file to the present schema, one transaction for each step."""
    while (applied := connection.pragma("user_version")) < len(migrations()):
        connection.execute("BEGIN EXCLUSIVE")
        try:
            # Another process may have migrated while this one waited for the lock.
            if connection.pragma("user_version") == applied:
                _apply(connection, migrations()[applied], number=applied + 1, clock=clock)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _apply(connection: apsw.Connection, step: Migration, *, number: int, clock: Clock) -> None:
    now = to_us(clock.now())
    if number == 1:
        connection.pragma("application_id", APPLICATION_ID)
        connection.execute(
            "CREATE TABLE migrations ("
            "number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT"
        )
    connection.execute(step.sql)
    connection.execute("INSERT INTO migrations VALUES (?, ?, ?)", (number, step.name, now))
    if number == 1:
        connection.execute(
            "INSERT INTO workspaces (name, scope, created_at) VALUES ('default', 'global', ?)",
            (now,),
        )
    connection.pragma("user_version", number)
