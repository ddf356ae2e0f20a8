"""What a database says when it fails, in the words of this package.

Nothing of the statement, its values or the address of the database is passed on: a client may see
the message, and a log keeps it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import exc

from engram_lab.core.errors import (
    AccessDeniedError,
    ConflictError,
    EngramError,
    InvalidInputError,
    NotAnEngramFileError,
    StoreBusyError,
    StoreClosedError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["fault_of", "told"]

_SQLITE: Final[dict[str, type[EngramError]]] = {
    "SQLITE_BUSY": StoreBusyError,
    "SQLITE_LOCKED": StoreBusyError,
    "SQLITE_FULL": StoreFullError,
    "SQLITE_READONLY": StoreReadOnlyError,
    "SQLITE_CORRUPT": StoreCorruptError,
    "SQLITE_NOTADB": NotAnEngramFileError,
    "SQLITE_CONSTRAINT_UNIQUE": ConflictError,
    "SQLITE_CONSTRAINT_PRIMARYKEY": ConflictError,
    "SQLITE_CONSTRAINT_FOREIGNKEY": ConflictError,
    "SQLITE_CONSTRAINT_TRIGGER": ConflictError,
    "SQLITE_CONSTRAINT": InvalidInputError,
}
"""By the name of an extended result code; the longest that fits counts."""

# Source: PostgreSQL 15, appendix A, "PostgreSQL Error Codes".
_POSTGRES: Final[dict[str, type[EngramError]]] = {
    "23505": ConflictError,  # unique_violation
    "23503": ConflictError,  # foreign_key_violation
    "23514": InvalidInputError,  # check_violation
    "23502": InvalidInputError,  # not_null_violation
    "22": InvalidInputError,  # data exceptions
    "42501": AccessDeniedError,  # insufficient_privilege: row-level security among it
    "40": StoreBusyError,  # rolled back: deadlock, serialization
    "55P03": StoreBusyError,  # lock_not_available
    "57014": StoreBusyError,  # statement_timeout
    "53100": StoreFullError,  # disk_full
    "53": StoreBusyError,  # too many connections, out of memory
    "25006": StoreReadOnlyError,
    "P0001": ConflictError,  # what our own triggers refuse
    "XX001": StoreCorruptError,
    "XX002": StoreCorruptError,
}
"""By SQLSTATE, or by how it begins; the longest that fits counts."""

_SENTENCES: Final[dict[type[EngramError], str]] = {
    AccessDeniedError: "the control plane does not let this be seen or changed by who asks",
    ConflictError: "what the control plane holds already contradicts this",
    InvalidInputError: "a value is none that the control plane can hold",
    NotAnEngramFileError: "control.db is no database of this program: move it away",
    StoreBusyError: "the control plane is busy: try again in a moment",
    StoreClosedError: "the control plane is closed",
    StoreCorruptError: "the control plane's database is damaged: restore it from a copy",
    StoreError: "the control plane's database failed, or cannot be reached",
    StoreFullError: "the disk of the control plane is full: nothing was changed",
    StoreReadOnlyError: "the control plane can only be read",
}


def _longest(table: dict[str, type[EngramError]], code: str) -> type[EngramError]:
    fitting = [key for key in table if code.startswith(key)]
    return table[max(fitting, key=len)] if fitting else StoreError


def fault_of(error: Exception) -> EngramError:
    """Return what an error of the database means."""
    raw = getattr(error, "orig", None) or error
    if isinstance(error, exc.TimeoutError):
        kind: type[EngramError] = StoreBusyError  # no connection became free
    elif isinstance(error, exc.StatementError) and not isinstance(error, exc.DBAPIError):
        kind = InvalidInputError  # a value that has no form in the database
    elif (code := getattr(raw, "sqlstate", None)) is not None:
        kind = _longest(_POSTGRES, code)
    elif (name := getattr(raw, "sqlite_errorname", None)) is not None:
        kind = _longest(_SQLITE, name)
    elif type(raw).__name__ == "DataError":
        kind = InvalidInputError  # such as a NUL in a text, seen before it was sent
    else:
        kind = StoreError
    return kind(_SENTENCES[kind])


@contextmanager
def told() -> Iterator[None]:
    """Turn what a database raises into errors of this package.

    Raises:
        EngramError: One that `fault_of` names.
    """
    try:
        yield
    except (exc.IntegrityError, exc.DataError) as error:
        raise fault_of(error) from None  # a server repeats the whole row, which a log would keep
    except exc.SQLAlchemyError as error:
        raise fault_of(error) from error
    except (UnicodeEncodeError, OverflowError) as error:
        # Half a surrogate pair, a number beyond 64 bits: SQLite's driver raises Python's own.
        raise InvalidInputError(_SENTENCES[InvalidInputError]) from error
