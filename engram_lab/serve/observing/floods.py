"""What may come in floods, such as wrong credentials: a few are told one by one, the rest counted.

Whoever is not let in must not be able to fill the disk by it, nor the memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

__all__ = ["Flood", "Floods", "source_of"]

_WINDOW_S: Final = 60.0
_EACH: Final = 10
_ALL: Final = 600
_MOST_SOURCES: Final = 1_000
_IPV6_PREFIX: Final = 64
_MANY: Final = "many"


@dataclass(kw_only=True, slots=True)
class Flood:
    """What one source did within a minute, beyond what was told one by one.

    Attributes:
        source: Where from; `many` where there were too many to tell apart.
        tenant_id: None where it was at several, or at none.
        count: How many were not told one by one.
    """

    source: str
    kind: str
    tenant_id: str | None
    ends: float
    told: int = 0
    count: int = 0


class Floods:
    """Decides what is told one by one: per minute 10 of a source and 600 of all."""

    def __init__(self) -> None:
        self._floods: dict[tuple[str, str], Flood] = {}
        self._minute = float("-inf")
        self._told = 0

    def tells(self, kind: str, source: str, tenant_id: str | None, now: float) -> bool:
        """Tell whether this one is an entry of its own; else it is counted."""
        if now >= self._minute + _WINDOW_S:
            self._minute, self._told = now, 0
        flood = self._floods.get((kind, source))
        if flood is None:
            if len(self._floods) >= _MOST_SOURCES:
                source = _MANY
            flood = self._floods.setdefault(
                (kind, source),
                Flood(source=source, kind=kind, tenant_id=tenant_id, ends=now + _WINDOW_S),
            )
        if flood.told < _EACH and self._told < _ALL:
            flood.told += 1
            self._told += 1
            return True
        if not flood.count:
            flood.tenant_id = tenant_id
        elif flood.tenant_id != tenant_id:
            flood.tenant_id = None
        flood.count += 1
        return False

    def ended(self, now: float) -> list[Flood]:
        """Take out and return those whose minute is over and that counted something."""
        over = [key for key, flood in self._floods.items() if now >= flood.ends]
        return [flood for key in over if (flood := self._floods.pop(key)).count]


@lru_cache(maxsize=4_096)
def source_of(client: str) -> str:
    """Return what counts as one source: an address, of IPv6 the network that one customer has.

    Source: RFC 6177, section 2 (a site has a /64 or more).
    """
    try:
        address = ip_address(client)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Network((int(address), _IPV6_PREFIX), strict=False))
    return str(address)
