"""Requests that were let in and are not recorded yet, so that many at once pass no limit."""

from __future__ import annotations

from engram_lab.serve.metering.totals import Totals

__all__ = ["Admitted"]

_NOTHING = Totals()


class Admitted:
    """What they may use, by tenant. For one thread at a time."""

    def __init__(self) -> None:
        self._requests: dict[str, tuple[str, Totals, float]] = {}
        self._sums: dict[str, Totals] = {}

    def add(self, request_id: str, tenant_id: str, totals: Totals, *, at: float) -> None:
        """Count a request, in place of what was known of it."""
        self.settle(request_id)
        self._requests[request_id] = (tenant_id, totals, at)
        self._sums[tenant_id] = _sum(self._sums.get(tenant_id, _NOTHING), totals, 1)

    def settle(self, request_id: str) -> None:
        """Forget a request, which is recorded now; one that is not known changes nothing."""
        found = self._requests.pop(request_id, None)
        if found is None:
            return
        tenant_id, totals, _ = found
        left = _sum(self._sums[tenant_id], totals, -1)
        if left == _NOTHING:
            del self._sums[tenant_id]
        else:
            self._sums[tenant_id] = left

    def of(self, tenant_id: str, *, but: str | None = None) -> Totals:
        """Return the sums of a tenant, without those of one request."""
        sums = self._sums.get(tenant_id, _NOTHING)
        found = self._requests.get(but) if but is not None else None
        if found is not None and found[0] == tenant_id:
            return _sum(sums, found[1], -1)
        return sums

    def drop_before(self, moment: float) -> None:
        """Forget requests that cannot still run: nobody told how they ended."""
        for request_id in [each for each, (_, _, at) in self._requests.items() if at < moment]:
            self.settle(request_id)


def _sum(one: Totals, other: Totals, sign: int) -> Totals:
    return Totals(
        api_calls=one.api_calls + sign * other.api_calls,
        searches=one.searches + sign * other.searches,
        memories_created=one.memories_created + sign * other.memories_created,
    )
