"""How much a tenant may use, by its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engram_lab.serve.call import Call
    from engram_lab.serve.limits import Quotas

__all__ = ["QuotaStage"]


class QuotaStage:
    """Checks what the tenant has used against what its plan allows."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas

    async def __call__(self, call: Call) -> None:
        """Pass where the plan has room for this.

        Raises:
            QuotaExceededError: It has none; says of what.
        """
        await self._quotas.check(call)
