"""When it is time to dream: in quiet moments, and not too often."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import datetime

__all__ = ["Idle"]


@dataclass(kw_only=True)
class Idle:
    """Tells whether a dream is due: the last one is long ago, and nobody has written for a while.

    It is told what the store looks like each time that it is asked, and keeps count. A store that
    is written to all the time dreams all the same once two intervals are over.

    Attributes:
        interval_s: Least seconds from one dream to the next.
        idle_s: Seconds for which nothing may have been written.

    Raises:
        InvalidInputError: An interval or a pause of less than 0 seconds.
    """

    interval_s: float
    idle_s: float
    _revision: Hashable = None
    _quiet_since: datetime | None = None
    _dreamt_at: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("interval_s", "idle_s"):
            if not 0 <= getattr(self, name) < math.inf:  # not a number is refused as well
                raise InvalidInputError(
                    f"{name} is {getattr(self, name):g}: give 0 seconds or more"
                )

    def due(self, now: datetime, revision: Hashable) -> bool:
        """Tell whether to dream now.

        Args:
            now: The moment, by the injected clock.
            revision: What differs after each write; see `Store.revision`.
        """
        if self._quiet_since is None or revision != self._revision or now < self._quiet_since:
            self._quiet_since, self._revision = now, revision
        if self._dreamt_at is None:  # the first interval begins when somebody begins to watch
            self._dreamt_at = now
        waited = (now - self._dreamt_at).total_seconds()
        quiet = (now - self._quiet_since).total_seconds() >= self.idle_s
        return (waited >= self.interval_s and quiet) or waited >= 2 * max(self.interval_s, 1.0)

    def dreamt(self, now: datetime, revision: Hashable) -> None:
        """Take note that a dream was over at a moment, and what the store looked like then."""
        self._dreamt_at = self._quiet_since = now
        self._revision = revision
