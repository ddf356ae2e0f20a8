"""Backups: copies of the store while it is in use, their verification, and the way back."""

from __future__ import annotations

import os
import shutil
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import apsw

from engram_lab.core.checksums import file_sha256
from engram_lab.core.errors import BackupError, EngramError, StoreBusyError, StoreError
from engram_lab.core.reports import BackupReport, RestoreReport
from engram_lab.core.sqlite.faults import translated
from engram_lab.core.sqlite.migrations import check_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engram_lab.core.sqlite.context import Context

__all__ = ["Backups", "restore_file", "verify_file"]

_PAGES_AT_ONCE: Final = 1024
_COUNTED: Final = ("memories", "versions", "links", "vectors", "recall_events", "sessions")


class Backups:
    """Backups of the store; for its owner alone."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def backup(
        self, target: str, *, progress: Callable[[int, int], None] | None = None
    ) -> BackupReport:
        """Copy the store to a new file while it is read and written, then verify the copy.

        Args:
            target: The file to make; it must not exist.
            progress: Called with the pages done and the pages in all.

        Raises:
            BackupError: The target exists, or the copy does not verify.
            StoreError: The disk is full, or the target cannot be written.
        """
        file = self._new_file(target)
        with self._context.database.snapshot() as source, _making(file):
            if source.txn_state() == apsw.SQLITE_TXN_WRITE:
                raise StoreError("a backup cannot be made inside a transaction: end it first")
            # Only a read begins the transaction; without one each write elsewhere would make the
            # copy begin anew, and under steady writes it would hardly end.
            source.execute("SELECT count(*) FROM sqlite_schema").get  # noqa: B018
            _copy(source, file, progress)
        return verify_file(file)

    def vacuum_into(self, target: str) -> BackupReport:
        """Write a compact copy of the store to a new file, then verify it.

        Raises:
            BackupError, StoreError: See `backup`.
        """
        file = self._new_file(target)
        with self._context.database.outside_transaction() as connection, _making(file):
            connection.execute("VACUUM INTO ?", (str(file),))
            _sync(file)  # which SQLite does not do here
            _sync(file.parent)
        return verify_file(file)

    def _new_file(self, target: str) -> Path:
        self._context.access.check_owner("make a backup")
        file = Path(target).expanduser()
        if file.exists():
            raise BackupError(f"{file} exists: give the path of a new file")
        if not file.parent.is_dir():
            raise BackupError(f"the folder {file.parent} does not exist: create it first")
        return file


@contextmanager
def _making(file: Path) -> Iterator[None]:
    """Name the new file in what goes wrong with it, and leave no part of it behind."""
    try:
        yield
    except BaseException as error:
        file.unlink(missing_ok=True)
        if isinstance(error, apsw.Error) and not isinstance(error, apsw.CorruptError):
            raise translated(error, str(file)) from error
        raise


def _copy(source: apsw.Connection, file: Path, progress: Callable[[int, int], None] | None) -> None:
    with closing(apsw.Connection(str(file))) as copy:
        backup = copy.backup("main", source, "main")
        try:
            while not backup.done:
                backup.step(_PAGES_AT_ONCE)
                if progress is not None:
                    progress(backup.page_count - backup.remaining, backup.page_count)
        finally:
            backup.close(force=True)  # it would say again what `step` said
        copy.pragma("journal_mode", "delete")  # one file, with nothing beside it


def verify_file(file: Path) -> BackupReport:
    """Check a backup: its pages, its schema, and how much it holds.

    Raises:
        BackupError: It does not exist, is damaged, or is no store that this version can read.
    """
    if not file.is_file():
        raise BackupError(
            f"{file} {'is no file' if file.exists() else 'does not exist'}: give the path of a "
            "backup, as `engram backup create` makes one"
        )
    log = file.with_name(file.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise BackupError(
            f"{file} is a store, not a backup: its last writes are still in {log.name}. "
            "Make a backup with `engram backup`"
        )
    digest = file_sha256(file)
    try:
        with closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
            check_identity(connection, str(file))
            sound = connection.execute("PRAGMA integrity_check(1)").get
            schema = connection.pragma("user_version")
            counts = {
                name: connection.execute(f"SELECT count(*) FROM {name}").get for name in _COUNTED
            }
            change = connection.execute("SELECT coalesce(max(seq), 0) FROM changes").get
    except (apsw.Error, StoreError) as error:
        raise BackupError(f"{file} does not verify: {error}") from error
    if sound != "ok":
        raise BackupError(f"{file} does not verify: {sound}")
    return BackupReport(
        path=str(file),
        sha256=digest,
        size_bytes=file.stat().st_size,
        schema=schema,
        last_change=change,
        counts=counts,
    )


def restore_file(backup: Path, target: Path) -> RestoreReport:
    """Put a verified backup in the place of a store, and keep what was there beside it.

    The swap is one rename: at every moment the path names either the old file or the new one.

    Raises:
        BackupError: The backup does not verify.
        StoreBusyError: Another program has the target open.
    """
    report = verify_file(backup)
    if target.is_dir() or not target.parent.is_dir():
        raise BackupError(f"{target} is no place for a file: give the path of one in a folder")
    incoming = target.with_name(target.name + ".incoming")
    try:
        _copy_file(backup, incoming, sha256=report.sha256)
        kept = _set_aside(target)
        incoming.replace(target)
    except BaseException as error:
        incoming.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, EngramError):
            raise BackupError(f"{target} is what it was before: {error}") from error
        raise
    _sync(target.parent)
    return RestoreReport(backup=report, path=str(target), kept=None if kept is None else str(kept))


def _copy_file(backup: Path, incoming: Path, *, sha256: str) -> None:
    shutil.copyfile(backup, incoming)
    _sync(incoming)
    if file_sha256(incoming) != sha256:
        raise BackupError(f"{backup} changed while it was copied: try again")


def _set_aside(target: Path) -> Path | None:
    """Give the file a second name, and a log that it left behind no chance to be replayed."""
    kept = _next_free(target)
    if target.exists():
        _take_alone(target)
    for suffix in ("-wal", "-shm", "-journal"):
        beside = target.with_name(target.name + suffix)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + suffix))
    if not target.exists():
        return None
    os.link(target, kept)
    return kept


def _next_free(target: Path) -> Path:
    number = 1
    while (kept := target.with_name(f"{target.name}.before-restore-{number}")).exists():
        number += 1
    return kept


def _take_alone(target: Path) -> None:
    """Fold the write-ahead log into the file, which SQLite grants to the only connection alone."""
    try:
        with closing(apsw.Connection(str(target))) as connection:
            connection.pragma("journal_mode", "delete")  # BusyError unless it is alone
    except apsw.BusyError:
        raise StoreBusyError(f"{target} is open in another program: close that first") from None
    except (apsw.NotADBError, apsw.CorruptError):
        return  # it is damaged: that is why somebody restores
    except apsw.Error as error:
        raise translated(error, str(target)) from error


def _sync(place: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on the disk."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
