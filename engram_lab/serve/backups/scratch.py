"""A folder for what is on its way, in the clear: emptied after use, or at the next start."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import BackupError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Scratch"]

_ROOM: Final = "backup-"
_LOCK: Final = ".lock"


class Scratch:
    """Rooms that exist as long as they are used.

    A lock on the folder says whether anybody, in whichever process, has a room: it is shared
    between them, and goes with its process. Who gets it alone knows that what lies there was left
    behind, as by a process that was killed.

    Args:
        folder: Made where it is missing; only its owner may look into it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def room(self) -> Iterator[Path]:
        """Lend an empty folder, and remove it with all that is in it.

        Raises:
            BackupError: There can be none.
        """
        with ExitStack() as held:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock = held.enter_context((self._folder / _LOCK).open("w", encoding="ascii"))
                fcntl.flock(lock, fcntl.LOCK_SH)
                room = Path(tempfile.mkdtemp(prefix=_ROOM, dir=self._folder))
            except OSError as error:
                raise BackupError(f"{self._folder} cannot be written: {error.strerror}") from error
            held.callback(shutil.rmtree, room, ignore_errors=True)
            yield room

    def tidy(self) -> int:
        """Remove what was left behind, unless somebody is at work; return how many rooms."""
        if not self._folder.is_dir():
            return 0
        with (self._folder / _LOCK).open("w", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 0
            left = [each for each in self._folder.glob(f"{_ROOM}*") if each.is_dir()]
            for room in left:
                shutil.rmtree(room, ignore_errors=True)
            return len(left)
