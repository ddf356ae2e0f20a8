"""A folder of one run of the server, for what is on its way in or out.

It goes with the run. What a killed one left, the next one removes: an advisory lock that the system
releases with the process (`flock`) tells the living from the dead, so the folder must lie on a disk
of this machine, not on a network.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import StoreError
from engram_lab.serve.lock_files import try_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["scratch_of_run"]

_NAME: Final = re.compile(r"(run-[0-9a-f]{24})(?:\.lock)?\Z")


@contextmanager
def scratch_of_run(folder: Path) -> Iterator[Path]:
    """Lend an empty folder below one, and first remove those of the dead there.

    Args:
        folder: Made where it is missing. Several servers may share it.

    Raises:
        StoreError: It cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(folder)
        held = None
        while held is None:
            own = folder / f"run-{secrets.token_hex(12)}"
            held = try_lock(_lock_of(own))
        own.mkdir(mode=0o700)  # only now, as nobody's folder is anybody's to remove
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror}") from error
    try:
        yield own
    finally:
        _remove(own, held)


def _sweep(folder: Path) -> None:
    for name in {found[1] for each in folder.iterdir() if (found := _NAME.match(each.name))}:
        held = try_lock(_lock_of(folder / name))
        if held is not None:
            _remove(folder / name, held)


def _remove(own: Path, held: int) -> None:
    shutil.rmtree(own, ignore_errors=True)
    if not own.exists():  # else the next one tries again
        _lock_of(own).unlink(missing_ok=True)
    os.close(held)


def _lock_of(own: Path) -> Path:
    return own.with_suffix(".lock")
