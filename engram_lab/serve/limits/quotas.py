"""How much a tenant may use and hold, by its plan.

What other requests that were let in may still add counts as used, so that many at once pass no
limit of one server. Several servers see what the others counted within half a minute.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from engram_lab.serve.errors import QuotaExceededError
from engram_lab.serve.limits.plans import limits_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from engram_lab.config.serving import LimitSettings
    from engram_lab.serve.call import Call
    from engram_lab.serve.control.records import Tenant
    from engram_lab.serve.limits.plans import PlanLimits
    from engram_lab.serve.metering import Meter

    Run = Callable[[Callable[[], None]], Awaitable[None]]
    Measure = Callable[[Tenant], Awaitable[tuple[int, int]]]

__all__ = ["Quotas", "check_workspaces"]

_SAID: Final = {
    "api_calls": ("{limit:,} API calls a month", "made", "wait for the next month"),
    "searches": ("{limit:,} searches a month", "made", "wait for the next month"),
    "memories_stored": ("{limit:,} memories", "stored", "delete some"),
    "storage_bytes": ("{limit:,} bytes of storage", "used", "delete some memories"),
    "members": ("{limit:,} members, open invitations among them", "there", "remove one"),
    "workspaces": ("{limit:,} workspaces", "there", "remove one that is empty"),
}


class Quotas:
    """Compares what a tenant used with what its plan allows. For one event loop.

    Attributes:
        joining: Held from counting members to adding one, so that many at once pass no limit.

    Args:
        meter: Knows what was used, and is told what was let in.
        settings: Whether limits are kept at all.
        run: Puts a blocking call into a thread, for a tenant that is not known here yet.
        measure: Counts what a tenant holds now, memories and bytes. Asked when a tenant adds a
            memory, at most once a minute, and before one is refused; without it, what was noted
            last counts, and what was added since.
    """

    def __init__(
        self,
        meter: Meter,
        settings: LimitSettings,
        *,
        run: Run,
        measure: Measure | None = None,
    ) -> None:
        self._meter = meter
        self._enabled = settings.enabled
        self._run = run
        self._measure = measure
        self.joining = Lock()

    async def check(self, call: Call) -> None:
        """Let a request in that its tenant's plan has room for, and note that it is under way.

        Raises:
            QuotaExceededError: There is no room; says for what.
        """
        if call.tenant is None or call.needs is None:
            return
        await self._let_in(
            call,
            call.tenant,
            searches=int(call.needs.meter == "searches"),
            memories=int(call.needs.adds_memories),
            grows=call.needs.grows,
        )

    async def room_for(self, call: Call, memories: int = 0, *, searches: int = 0) -> None:
        """Let a request go on that turns out to add several memories, or to search several times.

        Raises:
            QuotaExceededError: There is no room for all of them; none may be added then.
        """
        await self._let_in(call, call.within, searches=searches, memories=memories)

    def check_members(self, tenant: Tenant, current: int) -> None:
        """Refuse one more member. `current` counts members and open invitations.

        Raises:
            QuotaExceededError: There are as many as the plan allows.
        """
        if self._enabled:
            _refuse(tenant, "members", current, 1, limits_of(tenant.plan).members)

    async def _let_in(
        self, call: Call, tenant: Tenant, *, searches: int, memories: int, grows: bool = False
    ) -> None:
        if not self._enabled:
            return
        meter, limits = self._meter, limits_of(tenant.plan)
        if not meter.knows(tenant.id):
            await self._run(lambda: meter.hydrate(tenant.id))
        grows = grows or memories > 0
        if grows and (limits.memories is not None or limits.storage_bytes is not None):
            await self._measured(call, tenant, limits, memories)
        # From here on nothing waits: what is compared is what is noted.
        used, others = meter.month(tenant.id), meter.books.admitted(tenant.id, but=call.request_id)
        _refuse(tenant, "api_calls", used.api_calls + others.api_calls, 1, limits.api_calls)
        _refuse(tenant, "searches", used.searches + others.searches, searches, limits.searches)
        if grows:
            self._refuse_memories(call, tenant, limits, memories)
        meter.books.admit(call.request_id, tenant.id, searches=searches, memories=memories)

    async def _measured(
        self, call: Call, tenant: Tenant, limits: PlanLimits, memories: int
    ) -> None:
        """Measure a tenant where nobody did, or where it would be refused otherwise."""
        if self._measure is None:
            return
        if not self._meter.books.measuring_is_due(tenant.id):
            try:
                self._refuse_memories(call, tenant, limits, memories)
            except QuotaExceededError:
                pass
            else:
                return
        created = self._meter.books.created(tenant.id)
        held, size = await self._measure(tenant)
        self._meter.measured(tenant.id, held, size, created=created)

    def _refuse_memories(
        self, call: Call, tenant: Tenant, limits: PlanLimits, memories: int
    ) -> None:
        stored = self._meter.stored(tenant.id)
        others = self._meter.books.admitted(tenant.id, but=call.request_id).memories_created
        current = stored.memories + stored.created_since + others
        _refuse(tenant, "memories_stored", current, memories, limits.memories)
        _refuse(tenant, "storage_bytes", stored.storage_bytes, 1, limits.storage_bytes)


def check_workspaces(tenant: Tenant, current: int, *, more: int = 1) -> None:
    """Refuse more workspaces than a plan allows; see `Rooms`.

    Raises:
        QuotaExceededError: There is no room for so many more.
    """
    _refuse(tenant, "workspaces", current, more, limits_of(tenant.plan).workspaces)


def _refuse(tenant: Tenant, metric: str, current: int, more: int, limit: int | None) -> None:
    if limit is None or not more or current + more <= limit:
        return
    allows, verb, way_out = _SAID[metric]
    asked = f", so {more:,} more do not fit" if more > 1 else ""
    raise QuotaExceededError(
        f"the plan {tenant.plan!r} allows {allows.format(limit=limit)}, and {current:,} are {verb}"
        f"{asked}: {way_out}, or change the plan",
        details={"metric": metric, "current": current, "limit": limit, "plan": tenant.plan},
    )
