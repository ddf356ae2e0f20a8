"""How fast a tenant may ask: by bucket, here or in Redis, and what holds when Redis is away."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from redis.exceptions import RedisError

from engram_lab.serve.errors import UnavailableError
from engram_lab.serve.limits.breaker import Breaker
from engram_lab.serve.limits.bucket import PARTS, LocalBuckets, Rate
from engram_lab.serve.limits.plans import PLANS
from engram_lab.serve.limits.redis_bucket import RedisBuckets, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from engram_lab.config.serving import LimitSettings
    from engram_lab.serve.control.records import Plan, Tenant
    from engram_lab.serve.limits.bucket import Drawn

__all__ = ["Limiter", "Taken"]

_TIMEOUT_S: Final = 0.25
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """Whether a request may go on, and what is left.

    Attributes:
        limit: How many requests at once, after a rest; None is without limit.
        per_minute: How many a minute in the long run.
        remaining: How many would pass now.
        reset_s: Seconds until `limit` of them would, to the microsecond.
        retry_after_s: Seconds until one would; 0 where this one did.
    """

    allowed: bool
    limit: int | None = None
    per_minute: int | None = None
    remaining: int = 0
    reset_s: float = 0.0
    retry_after_s: float = 0.0

    @property
    def headers(self) -> dict[str, str]:
        """What to answer with: whole seconds, rounded up, so that who waits so long gets in."""
        if self.limit is None:
            return {}
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(_whole(self.reset_s)),
        }
        if not self.allowed:
            headers["Retry-After"] = str(max(1, _whole(self.retry_after_s)))
        return headers


class Limiter:
    """Takes a token from the bucket of a tenant and a route. For one event loop.

    While Redis cannot be reached, `limits.without_redis` says what holds: `local` counts in this
    process, so that each server lets its own share through, beginning with full buckets; `open`
    lets all in; `closed` lets nobody in. It is asked again after a second, then after two, at last
    every 30, by one request each time; that one waits for `timeout_s` at most.

    Args:
        settings: Rates, and where to count.
        timer: Seconds that never run back.
        redis: A client in place of the one that `limits.redis_url` says; its owner closes it.
        timeout_s: How long a request may wait for Redis.
    """

    def __init__(
        self,
        settings: LimitSettings,
        timer: Callable[[], float] = time.perf_counter,
        *,
        redis: Redis | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._timeout_s = timeout_s
        self._without = settings.without_redis
        self._rates = {plan: _rate_of(plan, settings) for plan in PLANS}
        self._local = LocalBuckets(timer=timer)
        self._owned = redis is None
        if redis is None and settings.redis_url is not None and settings.enabled:
            redis = connect(settings.redis_url, timeout_s=timeout_s)
        self._redis = None if redis is None else RedisBuckets(redis)
        self._breaker = Breaker(timer)

    @property
    def degraded(self) -> bool:
        """Whether Redis should count and cannot be reached, as last seen."""
        return self._breaker.is_open

    async def take(self, tenant: Tenant, route: str, tokens: int = 1) -> Taken:
        """Take tokens for a request, one where it is not a batch.

        Raises:
            UnavailableError: Redis is away, and `limits.without_redis` is `closed`.
        """
        rate = self._rates[tenant.plan]
        if rate is None:
            return Taken(allowed=True)
        if self._redis is None:
            return _taken(self._local.take((tenant.id, route), rate, tokens), rate, tokens)
        attempt = self._breaker.attempt()
        if attempt is not None:
            try:
                async with asyncio.timeout(self._timeout_s):
                    drawn = await self._redis.take(tenant.id, route, rate, tokens)
            except (RedisError, OSError):
                self._breaker.failed(attempt)
            else:
                self._breaker.succeeded()
                return _taken(drawn, rate, tokens)
        if self._without == "open":
            return Taken(allowed=True)
        if self._without == "closed":
            wait = max(1, _whole(self._breaker.remaining_s()))
            raise UnavailableError(
                "requests cannot be counted now: try again in a moment",
                headers={"Retry-After": str(wait)},
            )
        return _taken(self._local.take((tenant.id, route), rate, tokens), rate, tokens)

    async def close(self) -> None:
        """Close the connections to Redis that this made; a second call does nothing."""
        if self._redis is not None and self._owned:
            await self._redis.close()


def _rate_of(plan: Plan, settings: LimitSettings) -> Rate | None:
    """Return the rate of a plan, what is set coming first; a burst alone limits no rate."""
    limits = PLANS[plan]
    per_minute = settings.per_minute or limits.per_minute
    if per_minute is None or not settings.enabled:
        return None
    return Rate(per_minute=per_minute, burst=settings.burst or limits.burst or per_minute)


def _taken(drawn: Drawn, rate: Rate, tokens: int) -> Taken:
    a_second = rate.per_minute * _MICROSECONDS
    # More than a bucket holds is never there: say when there is as much as ever will be.
    wanted = min(tokens, rate.burst) * PARTS
    return Taken(
        allowed=drawn.allowed,
        limit=rate.burst,
        per_minute=rate.per_minute,
        remaining=drawn.level // PARTS,
        reset_s=(rate.burst * PARTS - drawn.level) / a_second,
        retry_after_s=0.0 if drawn.allowed else max(0, wanted - drawn.level) / a_second,
    )


def _whole(seconds: float) -> int:
    return -int(-seconds // 1)
