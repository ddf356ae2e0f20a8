"""The folder of index files beside a database."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engram_lab.core.errors import StoreError

__all__ = ["folder_beside", "remove_index_files"]

_SUFFIXES: Final = frozenset({".base", ".index", ".state", ".tmp"})


def folder_beside(path: str) -> Path | None:
    """Return where the index files of a database lie; None for one in memory."""
    return None if path == ":memory:" else Path(f"{Path(path).expanduser()}.index")


def remove_index_files(folder: Path) -> None:
    """Remove all index files, whoever wrote them: they may hold what was purged.

    Raises:
        StoreError: One cannot be removed; the others are.
    """
    fault: OSError | None = None
    for file in folder.iterdir() if folder.is_dir() else ():
        try:
            if file.suffix in _SUFFIXES and not file.is_dir():
                file.unlink(missing_ok=True)
        except OSError as error:
            fault = error
    if fault is not None:
        raise StoreError(
            f"the database has lost what was purged, but index files may hold it ({fault}): "
            f"remove the folder {folder}"
        ) from fault
