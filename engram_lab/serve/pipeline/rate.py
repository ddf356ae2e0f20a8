"""How fast a tenant may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.serve.errors import RateLimitedError

if TYPE_CHECKING:
    from engram_lab.serve.call import Call
    from engram_lab.serve.limits import Limiter

__all__ = ["RateStage"]


class RateStage:
    """Takes a token from the bucket of the tenant and the route."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    async def __call__(self, call: Call) -> None:
        """Tell in the answer's headers how much is left.

        Raises:
            RateLimitedError: Nothing is.
        """
        if call.needs is None:
            return
        taken = await self._limiter.take(call.within, call.needs.route)
        call.answer_headers.update(taken.headers)
        if not taken.allowed:
            raise RateLimitedError(
                f"this tenant may ask {taken.per_minute:,} times a minute here, and "
                f"{taken.limit:,} times at once: try again in "
                f"{taken.headers.get('Retry-After', '1')} s"
            )
