"""How fast and how much: rates and quotas, by plan."""

from engram_lab.serve.limits.limiter import Limiter, Taken
from engram_lab.serve.limits.plans import PLANS, PlanLimits, limits_of
from engram_lab.serve.limits.quotas import Quotas

__all__ = ["PLANS", "Limiter", "PlanLimits", "Quotas", "Taken", "limits_of"]
