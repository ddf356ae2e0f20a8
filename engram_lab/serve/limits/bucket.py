"""Token buckets in memory: so many requests a minute in the long run, and so many at once.

Source: the token bucket of ITU-T Recommendation I.371 and RFC 2697, section 3. A bucket holds at
most `burst` tokens and gains `per_minute` of them a minute; a request takes one, and is refused
where there is none. In any span of s seconds at most burst + s · per_minute / 60 requests pass.

Everything is counted in whole numbers: time in microseconds, and what a bucket holds in parts of a
token, 60,000,000 to each, so that a microsecond adds exactly `per_minute` parts. There is no
rounding that could give or take a token, here or in Redis, which reckons the same.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["PARTS", "Drawn", "LocalBuckets", "Rate", "draw"]

PARTS: Final = 60_000_000
"""Parts of a token: the microseconds of a minute."""

_MICROSECONDS: Final = 1_000_000
_MOST_BURST: Final = 100_000_000  # of whose parts Redis, which has doubles, still knows each one


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """How fast. A bucket is full after burst · 60 / per_minute seconds at most."""

    per_minute: int
    burst: int

    def __post_init__(self) -> None:
        if not (1 <= self.per_minute <= _MOST_BURST and 1 <= self.burst <= _MOST_BURST):
            raise InvalidInputError(
                f"a rate of {self.per_minute} a minute, {self.burst} at once: give 1 to "
                f"{_MOST_BURST:,} of each"
            )


class Drawn(NamedTuple):
    """What came of an attempt to take tokens.

    Attributes:
        allowed: Whether they were taken.
        level: What the bucket holds now, in parts of a token.
    """

    allowed: bool
    level: int


def draw(level: int, elapsed: int, rate: Rate, tokens: int) -> Drawn:
    """Fill a bucket up for so many microseconds, then take tokens where there are enough.

    Time that seems to have run back fills nothing up, and takes nothing away.
    """
    full = rate.burst * PARTS
    level = min(full, level + max(0, elapsed) * rate.per_minute)
    wanted = tokens * PARTS
    if level >= wanted:
        return Drawn(allowed=True, level=level - wanted)
    return Drawn(allowed=False, level=level)


class LocalBuckets:
    """The buckets of this process.

    Args:
        most: How many buckets at most; beyond that, the one goes that was asked for longest ago. It
            would be full again once that long has passed, and whoever comes back sooner finds a
            full one, never more.
        timer: Seconds that never run back, whatever happens to the clock on the wall.
    """

    def __init__(
        self, *, most: int = 65_536, timer: Callable[[], float] = time.perf_counter
    ) -> None:
        self._most = most
        self._timer = timer
        self._buckets: OrderedDict[Hashable, tuple[int, int]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        """Return how many buckets there are."""
        return len(self._buckets)

    def take(self, key: Hashable, rate: Rate, tokens: int = 1) -> Drawn:
        """Take tokens from a bucket, which is full when it is new."""
        with self._lock:
            now = int(self._timer() * _MICROSECONDS)
            found = self._buckets.get(key)
            if found is None:
                level, at = rate.burst * PARTS, now
                if len(self._buckets) >= self._most:
                    self._buckets.popitem(last=False)
            else:
                level, at = found
                self._buckets.move_to_end(key)
            drawn = draw(level, now - at, rate, tokens)
            self._buckets[key] = (drawn.level, now)
            return drawn
