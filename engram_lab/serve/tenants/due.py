"""When what was done last, kept in a small file: due times outlive a restart."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from datetime import timedelta
from random import Random
from threading import Lock
from typing import TYPE_CHECKING, Final

from engram_lab.core.clock import parse_time
from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path

__all__ = ["DueTimes"]

_log = logging.getLogger(__name__)

_FIRST_WITHIN_S: Final = 600.0
_SPREAD: Final = 0.1
_LONGEST_PAUSE_S: Final = 3_600.0
_FIRST_PAUSE_S: Final = 30.0


class DueTimes:
    """When each kind of work is due for each tenant. Threads share it.

    What was never done is due within ten minutes, what was is due again after its interval, up to
    a tenth later: which moment it is depends on the seed, so that not all comes at once. What
    fails is put off, each time twice as long. A lost file costs no more than work that comes early.

    Args:
        file: Where it is kept.
        seed: Of the spread.
    """

    def __init__(self, file: Path, *, seed: int) -> None:
        self._file = file
        self._seed = seed
        self._lock = Lock()
        self._saving = Lock()
        self._done: dict[str, datetime] = {}
        self._first: dict[str, datetime] = {}
        self._failed: dict[str, int] = {}
        self._again: dict[str, datetime] = {}
        self._changed = False
        self._read()

    def due(self, kind: str, tenant_id: str, *, every_s: float, now: datetime) -> datetime:
        """Return the moment from which on something is to be done."""
        key = f"{kind} {tenant_id}"
        chance = Random(f"{self._seed} {key}").random()  # noqa: S311 - spreads, hides nothing
        with self._lock:
            if key in self._again:
                return min(self._again[key], now + timedelta(seconds=_LONGEST_PAUSE_S))
            done = self._done.get(key)
            if done is None:
                first = min(self._first.setdefault(key, now), now)
                return first + timedelta(seconds=chance * min(_FIRST_WITHIN_S, every_s))
            if done > now:  # the clock was set back: what is in the future never was
                done = self._done[key] = now
            return done + timedelta(seconds=every_s * (1 + _SPREAD * chance))

    def done(self, kind: str, tenant_id: str, *, at: datetime) -> None:
        """Note that something was done."""
        key = f"{kind} {tenant_id}"
        with self._lock:
            self._done[key] = at
            self._changed = True
            for noted in (self._first, self._failed, self._again):
                noted.pop(key, None)

    def failed(self, kind: str, tenant_id: str, *, at: datetime) -> None:
        """Note that something failed: it is due again after a while, longer each time."""
        key = f"{kind} {tenant_id}"
        with self._lock:
            times = self._failed[key] = self._failed.get(key, 0) + 1
            pause = min(_FIRST_PAUSE_S * 2.0 ** min(times - 1, 30), _LONGEST_PAUSE_S)
            self._again[key] = at + timedelta(seconds=pause)

    def keep(self, tenant_ids: Collection[str]) -> None:
        """Forget all other tenants."""
        with self._lock:
            for noted in (self._done, self._first, self._failed, self._again):
                for key in [each for each in noted if each.partition(" ")[2] not in tenant_ids]:
                    del noted[key]
                    self._changed = True

    def save(self) -> None:
        """Write the file where something changed, as a whole; a full disk is no reason to stop."""
        with self._saving:
            with self._lock:
                if not self._changed:
                    return
                content = {key: moment.isoformat() for key, moment in sorted(self._done.items())}
                self._changed = False
            part = self._file.with_name(f"{self._file.name}.part")
            try:
                part.write_text(json.dumps(content), encoding="utf-8")
                part.replace(self._file)
            except OSError as error:
                _log.warning("when what was done last is not kept: %s", error)

    def _read(self) -> None:
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            _log.warning("when what was done last cannot be read, and begins anew: %s", error)
            return
        if not isinstance(content, dict):
            return
        for key, text in content.items():
            with suppress(InvalidInputError):
                self._done[key] = parse_time(text, field="done")
