"""What whoever waits for a backup sees of it, and how they stop it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engram_lab.core.errors import BackupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from threading import Event

__all__ = ["BackupStoppedError", "Watch"]


class BackupStoppedError(BackupError):
    """Somebody asked to stop; nothing half is left."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """Told of every step, and asked whether to go on.

    Attributes:
        progress: Called with the step (`copy`, `store`, `fetch`), how much is done and how much
            there is; pages of a copy, bytes else.
        stop: Once it is set, the next step raises.
    """

    progress: Callable[[str, int, int], None] | None = None
    stop: Event | None = None

    def step(self, name: str, done: int, total: int) -> None:
        """Tell how far it is.

        Raises:
            BackupStoppedError: It should stop.
        """
        if self.stop is not None and self.stop.is_set():
            raise BackupStoppedError("the work on this backup was stopped; nothing half was kept")
        if self.progress is not None:
            self.progress(name, done, total)

    def over(self, pieces: Iterable[bytes], name: str, total: int) -> Iterator[bytes]:
        """Yield pieces, telling how far it is before each."""
        done = 0
        for piece in pieces:
            self.step(name, done, total)
            yield piece
            done += len(piece)
        self.step(name, done, total)
