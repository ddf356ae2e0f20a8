"""Backups of a store that lives in a file: make, verify, bring back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engram_lab.core.errors import BackupError
from engram_lab.core.progress import task
from engram_lab.core.protocols import HasBackups
from engram_lab.core.sqlite import restore_file, verify_file

if TYPE_CHECKING:
    import os

    from engram_lab.core.progress import Progress
    from engram_lab.core.protocols import Store
    from engram_lab.core.reports import BackupReport, RestoreReport

__all__ = ["make_backup", "restore_backup", "verify_backup"]


def make_backup(
    store: Store,
    target: str | os.PathLike[str],
    *,
    compact: bool = False,
    progress: Progress | None = None,
) -> BackupReport:
    """Copy a store to a new file while it is in use, and verify the copy.

    Args:
        store: What to copy.
        target: The file to make; it must not exist.
        compact: Leave out free pages; writers wait meanwhile.
        progress: Told how many pages are copied; of a compact copy, that it is made.

    Raises:
        BackupError: The target exists, the copy does not verify, or the store is in no file.
        AccessDeniedError: An agent asks.
    """
    if not isinstance(store, HasBackups):
        raise BackupError(f"a {type(store).__name__} is not kept in a file: use export")
    with task("copying", unit="pages", progress=progress) as counting:
        if compact:
            return store.backups.vacuum_into(str(target))
        return store.backups.backup(str(target), progress=counting.reach)


def verify_backup(file: str | os.PathLike[str]) -> BackupReport:
    """Check a backup: its pages, its schema, and how much it holds.

    Raises:
        BackupError: It does not exist, is damaged, or is no store that this version can read.
    """
    return verify_file(Path(file).expanduser())


def restore_backup(file: str | os.PathLike[str], target: str | os.PathLike[str]) -> RestoreReport:
    """Put a verified backup in the place of a store; what was there is kept beside it.

    Raises:
        BackupError: The backup does not verify.
        StoreBusyError: Another program has the target open; nothing was changed.
    """
    return restore_file(Path(file).expanduser(), Path(target).expanduser())
