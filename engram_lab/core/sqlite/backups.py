"""Backups: copies of the store while it is in use, their verification, and the way back."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import apsw

from engram_lab.core.errors import BackupError, StoreBusyError, StoreError
from engram_lab.core.reports import BackupReport, RestoreReport
from engram_lab.core.sqlite.faults import translated
from engram_lab.core.sqlite.migrations import check_identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.core.sqlite.context import Context

__all__ = ["Backups", "file_sha256", "restore_file", "verify_file"]

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
        try:
            with (
                self._context.database.snapshot() as source,
                closing(apsw.Connection(str(file))) as copy,
            ):
                with copy.backup("main", source, "main") as backup:
                    while not backup.done:
                        backup.step(_PAGES_AT_ONCE)
                        if progress is not None:
                            progress(backup.page_count - backup.remaining, backup.page_count)
                copy.pragma("journal_mode", "delete")  # one file, with nothing beside it
        except apsw.Error as error:
            file.unlink(missing_ok=True)
            raise translated(error, str(file)) from error
        return verify_file(file)

    def vacuum_into(self, target: str) -> BackupReport:
        """Write a compact copy of the store to a new file, then verify it.

        Raises:
            BackupError, StoreError: See `backup`.
        """
        file = self._new_file(target)
        try:
            with self._context.database.outside_transaction() as connection:
                connection.execute("VACUUM INTO ?", (str(file),))
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        return verify_file(file)

    def _new_file(self, target: str) -> Path:
        self._context.access.check_owner("make a backup")
        file = Path(target).expanduser()
        if file.exists():
            raise BackupError(f"{file} exists: give the path of a new file")
        if not file.parent.is_dir():
            raise BackupError(f"the folder {file.parent} does not exist: create it first")
        return file


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify_file(file: Path) -> BackupReport:
    """Check a backup: its pages, its schema, and how much it holds.

    Raises:
        BackupError: It does not exist, is damaged, or is no store that this version can read.
    """
    if not file.is_file():
        raise BackupError(f"{file} does not exist")
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
    kept = _next_free(target) if target.exists() else None
    if kept is not None:
        _take_alone(target)
    incoming = target.with_name(target.name + ".incoming")
    shutil.copyfile(backup, incoming)
    with incoming.open("rb+") as stream:
        os.fsync(stream.fileno())
    if file_sha256(incoming) != report.sha256:
        incoming.unlink()
        raise BackupError(f"{backup} changed while it was copied: try again")
    if kept is not None:
        os.link(target, kept)
    incoming.replace(target)
    _sync_folder(target.parent)
    return RestoreReport(backup=report, path=str(target), kept=None if kept is None else str(kept))


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
        # It is damaged: that is why somebody restores. Its log is kept with it.
        for suffix in ("-wal", "-shm"):
            beside = target.with_name(target.name + suffix)
            if beside.exists():
                beside.rename(_next_free(target).with_name(_next_free(target).name + suffix))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
