"""Locks that the system releases with the process that holds them, so that the dead hold none.

They are advisory (`flock`), and tell the processes of one machine from each other: their files must
lie on a disk of it, not on a network.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["try_lock"]

_FILE_MODE: Final = 0o600


def try_lock(path: Path) -> int | None:
    """Return the descriptor that holds a lock until it is closed.

    None where somebody living has it, or removed its file meanwhile.

    Args:
        path: Of its file, which is made where it is missing.

    Raises:
        OSError: The file cannot be made or opened.
    """
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(held).st_nlink:
            return held
    except BlockingIOError:
        pass
    except OSError:
        os.close(held)
        raise
    os.close(held)
    return None
