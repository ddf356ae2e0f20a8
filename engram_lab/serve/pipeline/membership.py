"""Whether who asks belongs here, and may do this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.serve.auth import check_entry

if TYPE_CHECKING:
    from engram_lab.serve.call import Call
    from engram_lab.serve.control import Lookups

__all__ = ["MembershipStage"]


class MembershipStage:
    """Checks the tenant's status, the membership, and the scope that the route takes."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups

    async def __call__(self, call: Call) -> None:
        """Give `actor` the role and the scopes that it has here.

        Raises:
            ServeError: See `check_entry`.
        """
        actor, tenant, member = call.actor, call.tenant, None
        if actor is not None and actor.kind == "user" and tenant is not None:
            member = await self._lookups.member(tenant.id, actor.id)
            newcomers = call.needs is not None and call.needs.newcomers
            if member is None and newcomers and tenant.state == "active":
                return
        call.actor = check_entry(call, member)
