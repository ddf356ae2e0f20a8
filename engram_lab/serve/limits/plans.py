"""What each plan allows.

The amounts are those of the price table that this server was drawn up by. Workspaces and rates are
not in that table: they are this project's own, as are the bytes of a megabyte (a million).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.serve.control.records import Plan

__all__ = ["PLANS", "PlanLimits", "limits_of"]

_MB: Final = 1_000_000
_GB: Final = 1_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanLimits:
    """How much a tenant may hold and use; None is without limit.

    Attributes:
        memories: That it holds, of all its workspaces together.
        searches: In a month, in UTC.
        api_calls: In a month, in UTC; searches are calls too.
        storage_bytes: Of its database.
        members: People, invitations that are open among them.
        workspaces: Ours.
        per_minute: Ours: requests that one route answers in the long run.
        burst: Ours: requests that one route answers at once, after a rest.
    """

    plan: str
    memories: int | None = None
    searches: int | None = None
    api_calls: int | None = None
    storage_bytes: int | None = None
    members: int | None = None
    workspaces: int | None = None
    per_minute: int | None = None
    burst: int | None = None


PLANS: Final[Mapping[Plan, PlanLimits]] = MappingProxyType(
    {
        "free": PlanLimits(
            plan="free",
            memories=1_000,
            searches=10_000,
            api_calls=50_000,
            storage_bytes=100 * _MB,
            members=1,
            workspaces=3,
            per_minute=120,
            burst=60,
        ),
        "pro": PlanLimits(
            plan="pro",
            memories=50_000,
            searches=100_000,
            api_calls=500_000,
            storage_bytes=5 * _GB,
            members=1,
            workspaces=20,
            per_minute=600,
            burst=200,
        ),
        "team": PlanLimits(
            plan="team",
            memories=500_000,
            storage_bytes=50 * _GB,
            members=10,
            workspaces=100,
            per_minute=3_000,
            burst=1_000,
        ),
        "dedicated": PlanLimits(plan="dedicated"),
    }
)


def limits_of(plan: Plan) -> PlanLimits:
    """Return what a plan allows."""
    return PLANS[plan]
