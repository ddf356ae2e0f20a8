"""When keys were used last: gathered in memory, told to the control plane now and then."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from engram_lab.serve.control import ControlPlane

__all__ = ["UsedKeys"]


class UsedKeys:
    """Takes note of each use in less than a microsecond; a kill loses what was not told yet."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._lock = Lock()
        self._last: dict[str, datetime] = {}

    def note(self, key_id: str, at: datetime) -> None:
        """Note a use."""
        with self._lock:
            self._last[key_id] = at

    def flush(self) -> int:
        """Tell the control plane, and return of how many keys. Blocks: for threads."""
        with self._lock:
            told, self._last = self._last, {}
        try:
            if told:
                self._plane.used_keys(told)
        except BaseException:
            with self._lock:
                self._last = {**told, **self._last}
            raise
        return len(told)
