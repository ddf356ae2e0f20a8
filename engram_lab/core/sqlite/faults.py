"""SQLite's errors, said in ours: what happened, what was kept, what to do."""

from __future__ import annotations

import os
from typing import Final, NoReturn

import apsw
import orjson

from engram_lab.core.errors import (
    ConflictError,
    InvalidInputError,
    NotAnEngramFileError,
    StoreBusyError,
    StoreClosedError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
)
from engram_lab.core.ids import wanted_of

__all__ = ["DAMAGE", "refuse_type", "translated"]

_DAMAGED: Final = (
    "the file is damaged: run `engram doctor`, or restore a backup with `engram backup restore`"
)
_MEANINGS: tuple[tuple[type[apsw.Error], type[StoreError], str], ...] = (
    (
        apsw.BusyError,
        StoreBusyError,
        (
            "another writer held its lock for longer than store.busy_timeout_ms: "
            "try again, or raise that setting"
        ),
    ),
    (
        apsw.LockedError,
        StoreBusyError,
        "a read that is still under way holds the table: finish it first",
    ),
    (
        apsw.FullError,
        StoreFullError,
        (
            "the disk is full; the transaction was rolled back and what was stored before is safe: "
            "free some space and try again"
        ),
    ),
    (
        apsw.ReadOnlyError,
        StoreReadOnlyError,
        (
            "the file cannot be written: check its permissions and those of its folder, where "
            "SQLite keeps its log; to read alone (read_only=True) the folder's are enough, and a "
            "backup opens from any folder"
        ),
    ),
    (
        apsw.CorruptError,
        StoreCorruptError,
        _DAMAGED,
    ),
    (
        apsw.NotADBError,
        NotAnEngramFileError,
        "the file is no SQLite database: give the path of a store, or a new one",
    ),
    (
        apsw.CantOpenError,
        StoreError,
        "the file cannot be opened: check that its folder exists and may be written",
    ),
    (
        apsw.IOError,
        StoreError,
        "the disk failed while reading or writing; nothing of this transaction was kept",
    ),
    (apsw.ConnectionClosedError, StoreClosedError, "the store is closed: open it again"),
)


DAMAGE: Final = (UnicodeDecodeError, orjson.JSONDecodeError)
"""What reading rows raises where bytes of a text were altered: SQLite does not check them."""


def translated(error: apsw.Error | ValueError, path: str) -> StoreError | ConflictError:
    """Return our error for one of SQLite's, or one of `DAMAGE`."""
    if isinstance(error, DAMAGE):
        return StoreCorruptError(f"{path}: {_DAMAGED} ({error})")
    if isinstance(error, apsw.ConstraintError):
        return ConflictError(f"{path}: the store refuses this as it contradicts a row: {error}")
    if isinstance(error, apsw.CantOpenError) and _is_barred(path):
        return StoreError(f"{path} may not be read by you: ask its owner for the right to read it")
    for theirs, ours, advice in _MEANINGS:
        if isinstance(error, theirs):
            return ours(f"{path}: {advice} ({error})")
    return StoreError(f"{path}: SQLite reports {type(error).__name__}: {error}")


def _is_barred(path: str) -> bool:
    """Tell whether there is a file that this process may not read."""
    return os.path.isfile(path) and not os.access(path, os.R_OK)  # noqa: PTH113 - a text is at hand


def refuse_type(_cursor: apsw.Cursor, _number: int, value: object) -> NoReturn:
    """Say of a value of a type that SQLite does not know what to give instead."""
    raise InvalidInputError(
        f"a {type(value).__name__} cannot be stored, nor looked for: give {wanted_of(value)}"
    )
