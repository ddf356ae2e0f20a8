"""How often a client may show what nobody knows yet, before it has to wait."""

from __future__ import annotations

import math
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Attempts", "network_of"]


class Attempts:
    """A bucket of attempts for each client; not for several threads.

    Args:
        burst: So many at once.
        per_second: So many come back in a second.
        clients: So many clients are remembered, those that were seen last.
        timer: Seconds, from wherever.
    """

    def __init__(
        self,
        *,
        burst: int = 10,
        per_second: float = 1.0,
        clients: int = 10_000,
        timer: Callable[[], float] = perf_counter,
    ) -> None:
        self._burst = float(burst)
        self._per_second = per_second
        self._clients = clients
        self._timer = timer
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Return in how many seconds there will be an attempt; 0 where there is one."""
        return max(0.0, 1 - self._now(client)) / self._per_second

    def take(self, client: str) -> float:
        """Take one attempt and return 0, or as `wait` where there is none."""
        seconds = self.wait(client)
        if not seconds:
            self._put(client, self._now(client) - 1)
        return seconds

    def give_back(self, client: str) -> None:
        """Give back an attempt that turned out to be none."""
        self._put(client, self._now(client) + 1)  # `_now` knows the most

    def _now(self, client: str) -> float:
        left, at = self._left.get(client, (self._burst, -math.inf))
        gained = max(0.0, self._timer() - at) * self._per_second
        return min(self._burst, left + gained)

    def _put(self, client: str, left: float) -> None:
        self._left[client] = (left, self._timer())
        self._left.move_to_end(client)
        if len(self._left) > self._clients:
            self._left.popitem(last=False)


def network_of(client: str) -> str:
    """Return what stands for one client: an IPv4 address, or the /64 of an IPv6 one.

    Whoever has one IPv6 address has the other 2^64 of its network too.

    Source: RFC 4291, section 2.5.4: 64 bits of a unicast address name the interface.
    """
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return client[:64]
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"
