"""How fast and how much: rates and quotas, by plan."""

from engram_lab.serve.limits.limiter import Limiter, Taken
from engram_lab.serve.limits.plans import PLANS, PlanLimits, limits_of
from engram_lab.serve.limits.quotas import Quotas
from engram_lab.serve.limits.rooms import Rooms

__all__ = ["PLANS", "Limiter", "PlanLimits", "Quotas", "Rooms", "Taken", "limits_of"]
