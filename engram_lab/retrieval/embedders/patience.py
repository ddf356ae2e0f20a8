"""How long to wait for a provider: between requests, after a failure, and when it says so."""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import parsedate_to_datetime
from random import Random
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engram_lab.core.clock import Clock

__all__ = ["MAX_WAIT_S", "Backoff", "Pace", "asked_wait_s"]

MAX_WAIT_S: Final = 60.0
"""The longest wait between two attempts; a provider that asks for more is left alone instead."""

_SECONDS_A_MINUTE: Final = 60.0


class Backoff:
    """Exponential back-off with full jitter: many that failed together don't return together.

    The wait before retry number a, counted from 0, is uniform on [0, min(most_s, first_s * 2**a)].

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 ("full
    jitter").

    Args:
        seed: Where its chance begins; the same seed gives the same waits.
        first_s: The bound of the first wait, in seconds.
        most_s: The bound of every wait, in seconds.
    """

    def __init__(self, seed: int, *, first_s: float = 0.5, most_s: float = 30.0) -> None:
        self._chance = Random(seed)  # noqa: S311 - spreads load, guards nothing
        self._lock = Lock()
        self._first_s = first_s
        self._most_s = most_s

    def wait_s(self, retry: int) -> float:
        """Return the wait before a retry, counted from 0, in seconds."""
        with self._lock:
            share = self._chance.random()
        # Not `first * 2**retry`, which overflows a float after a thousand retries.
        return share * min(self._most_s, math.ldexp(self._first_s, min(retry, 64)))


class Pace:
    """A token bucket that holds one token: requests are spaced evenly, and none is refused.

    Each caller takes the next free moment and sleeps until then, so that threads share one pace.

    Args:
        per_minute: The most requests in a minute; None for no bound.
        sleep: Waits so many seconds.
        monotonic: Tells seconds that never run backwards.
    """

    def __init__(
        self,
        per_minute: float | None,
        *,
        sleep: Callable[[float], object],
        monotonic: Callable[[], float],
    ) -> None:
        self._interval_s = _SECONDS_A_MINUTE / per_minute if per_minute else 0.0
        self._sleep = sleep
        self._monotonic = monotonic
        self._lock = Lock()
        self._free_at = -math.inf

    def take(self) -> None:
        """Return when a request may be sent."""
        if not self._interval_s:
            return
        with self._lock:
            now = self._monotonic()
            turn = max(now, self._free_at)
            self._free_at = turn + self._interval_s
        if turn > now:
            self._sleep(turn - now)


def asked_wait_s(headers: Mapping[str, str], clock: Clock) -> float | None:
    """Return how long an answer asks to wait, in seconds from now; None where it does not say.

    Read are `retry-after-ms`, as OpenAI and Azure send it, and `Retry-After`, in seconds or as a
    date. What is neither is taken as not said; a moment that is past is 0.

    Source: RFC 9110, section 10.2.3.
    """
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        number = _number(headers.get(name, ""))
        if number is not None:
            return max(0.0, number * unit_s)
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
    except (TypeError, ValueError, OverflowError):
        return None
    if moment.tzinfo is None:  # the zone "-0000" says that the offset is not known
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - clock.now()).total_seconds())


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
