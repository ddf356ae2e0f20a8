"""Leaves something that does not answer alone for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Breaker"]

_FIRST_S: Final = 1.0
_LONGEST_S: Final = 30.0


class Breaker:
    """Says whether to try: always, until it failed; then once in a while, until it succeeded.

    Args:
        timer: Seconds that never run back.
        first_s: How long to leave it alone after a failure; doubles with each further one.
        longest_s: But never longer.
    """

    def __init__(
        self,
        timer: Callable[[], float],
        *,
        first_s: float = _FIRST_S,
        longest_s: float = _LONGEST_S,
    ) -> None:
        self._timer = timer
        self._first_s = first_s
        self._longest_s = longest_s
        self._wait_s = 0.0
        self._again_at = 0.0
        self._attempt = 0

    @property
    def is_open(self) -> bool:
        """Whether the last attempt failed."""
        return self._wait_s > 0

    def attempt(self) -> int | None:
        """Return a number to tell the outcome under, or None: do not try now.

        Of all who ask while it is left alone, one may try when the time has come. That one need
        not tell how it went: after the same time again, another may.
        """
        if self._wait_s:
            now = self._timer()
            if now < self._again_at:
                return None
            self._again_at = now + self._wait_s
            self._attempt += 1
        return self._attempt

    def remaining_s(self) -> float:
        """Return how long until the next attempt."""
        return max(0.0, self._again_at - self._timer()) if self._wait_s else 0.0

    def succeeded(self) -> None:
        """Try always from now on."""
        self._wait_s = 0.0

    def failed(self, attempt: int) -> None:
        """Leave it alone. Of many attempts at once that fail, the first counts."""
        if attempt == self._attempt:
            self._attempt += 1
            self._wait_s = min(self._longest_s, max(self._first_s, 2 * self._wait_s))
            self._again_at = self._timer() + self._wait_s
