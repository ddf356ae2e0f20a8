"""Token buckets in Redis, for several servers that count together.

The rule is that of `bucket`, as one script that Redis runs whole: nobody comes between its reading
and its writing. The time is that of Redis, so that servers whose clocks differ agree. Should the
clock of Redis be set back, buckets gain nothing until it is asked again; set forward, they fill up
at most once. A bucket is forgotten a minute after its last request, or when it is full where that
takes longer: a new one is full.

In a cluster, all buckets of a tenant lie on one node: the braces in the key say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from engram_lab.core.errors import ConfigError
from engram_lab.serve.limits.bucket import PARTS, Drawn

if TYPE_CHECKING:
    from engram_lab.serve.limits.bucket import Rate

__all__ = ["RedisBuckets", "connect"]

# Numbers are written with %.0f: Lua would shorten the larger ones to 14 figures. All stay below
# 2^53 but the product of a long time and a high rate, which then is more than enough all the same.
_SCRIPT: Final = """
local rate, full, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(ARGV[4])
if now == nil then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local kept = redis.call('HMGET', KEYS[1], 'level', 'at')
local level, at = tonumber(kept[1]), tonumber(kept[2])
if level == nil or at == nil then
  level, at = full, now
end
level = math.min(full, level + math.max(0, now - at) * rate)
local allowed = 0
if level >= wanted then
  allowed, level = 1, level - wanted
end
redis.call('HSET', KEYS[1],
  'level', string.format('%.0f', level), 'at', string.format('%.0f', now))
local full_in = math.ceil((full - level) / rate / 1000) + 1
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(60000, full_in)))
return {allowed, string.format('%.0f', level)}
"""


class RedisBuckets:
    """The buckets of all servers that share one Redis.

    Args:
        client: Of Redis 5 or newer, or what speaks like it.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._script = client.register_script(_SCRIPT)

    async def take(
        self, tenant_id: str, route: str, rate: Rate, tokens: int = 1, *, at: int | None = None
    ) -> Drawn:
        """Take tokens from the bucket of a tenant and a route.

        Args:
            tenant_id: Whose.
            route: Of what.
            rate: How fast.
            tokens: How many.
            at: The moment in microseconds, to repeat what was; None is the time of Redis.

        Raises:
            redis.RedisError: Redis cannot be reached, or refuses.
            OSError: Likewise.
        """
        allowed, level = await self._script(
            keys=[f"engram:rate:{{{tenant_id}}}:{route}"],
            args=[rate.per_minute, rate.burst * PARTS, tokens * PARTS, "" if at is None else at],
        )
        return Drawn(allowed=bool(allowed), level=int(level))

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def connect(url: str, *, timeout_s: float, connections: int = 32) -> Redis:
    """Return a client that gives up soon and tries nothing twice: taking a token twice costs one.

    Args:
        url: Such as `redis://host:6379/0`, `rediss://` with TLS, or `unix://`.
        timeout_s: For connecting, and for each answer.
        connections: How many at most; others wait for one.

    Raises:
        ConfigError: The address is none of Redis.
    """
    options: dict[str, Any] = {
        "max_connections": connections,
        "timeout": timeout_s,
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), 0),
    }
    try:
        return Redis.from_pool(BlockingConnectionPool.from_url(url, **options))
    except ValueError:  # without the address, which may hold a password
        raise ConfigError(
            ["limits.redis_url is no address of Redis such as redis://host:6379/0"]
        ) from None
