"""The schema as it grew: numbered steps, each applied once, in order, and never taken back.

A step is a file `NNNN_name.sql` in the folder of its database; its statements are parted by empty
lines. A released one is never edited: the next change is a new file. What was applied is recorded
in the table `versions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

from sqlalchemy import func, insert, inspect, select

from engram_lab.core.errors import SchemaTooNewError
from engram_lab.serve.control.tables import SCHEMA, versions

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

__all__ = ["Dialect", "Step", "apply", "check_known", "newest", "steps", "version_of"]

Dialect = Literal["sqlite", "postgres"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the schema."""

    number: int
    name: str
    statements: tuple[str, ...]


@cache
def steps(dialect: Dialect) -> tuple[Step, ...]:
    """Return every step of a database, in order."""
    folder = resources.files(__name__) / dialect
    found = sorted((each for each in folder.iterdir() if each.name.endswith(".sql")), key=str)
    return tuple(
        Step(
            number=int(each.name.split("_")[0]),
            name=each.name.removesuffix(".sql"),
            statements=tuple(
                part for part in each.read_text("utf-8").split("\n\n") if part.strip()
            ),
        )
        for each in found
    )


def newest(dialect: Dialect) -> int:
    """Return the number of the newest step that this version knows."""
    return steps(dialect)[-1].number


def version_of(connection: Connection) -> int:
    """Return the number of the last step that was applied; 0 is none."""
    schema = SCHEMA if connection.dialect.name == "postgresql" else None
    if not inspect(connection).has_table(versions.name, schema=schema):
        return 0
    return connection.execute(select(func.max(versions.c.number))).scalar() or 0


def check_known(found: int, dialect: Dialect) -> None:
    """Refuse a schema that a newer version of this program made.

    Raises:
        SchemaTooNewError: It has steps that this version does not know.
    """
    if found > (known := newest(dialect)):
        raise SchemaTooNewError(
            f"the control plane has schema {found} and this version knows up to {known}; nothing "
            "in it was changed: upgrade engram-lab"
        )


def apply(connection: Connection, dialect: Dialect, *, at: datetime) -> int:
    """Apply the steps that are missing, in the transaction of the connection.

    The caller holds a lock, so that two processes do not begin together.

    Returns:
        The number of the last step.

    Raises:
        SchemaTooNewError: A newer version of this program was here.
    """
    found = version_of(connection)
    check_known(found, dialect)
    for step in steps(dialect):
        if step.number > found:
            for statement in step.statements:
                # Without parameters a percent sign is a percent sign.
                connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
            connection.execute(insert(versions).values(number=step.number, name=step.name, at=at))
    return newest(dialect)
