"""What a piece of the pipeline is, and how they are gone through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.serve.call import Call, Needs

__all__ = ["Admission", "Stage"]


class Stage(Protocol):
    """Adds what it finds out to the call, or raises a `ServeError` that ends it."""

    async def __call__(self, call: Call) -> None:
        """Pass the call on by returning."""
        ...


class Admission:
    """All pieces that come before a handler, in their order.

    Args:
        stages: For a request to a tenant.
        operators: For a request to the operator's own routes, which belong to no tenant.
        entering: For whoever only wants to be known, before what they ask is read.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        operators: Sequence[Stage],
        entering: Sequence[Stage] = (),
    ) -> None:
        self._stages = tuple(stages)
        self._operators = tuple(operators)
        self._entering = tuple(entering)

    async def enter(self, call: Call, needs: Needs) -> None:
        """Find out who asks, and whether they belong here; nothing is counted.

        Raises:
            ServeError: Of the piece that refused it.
        """
        call.needs = needs
        for stage in self._entering:
            await stage(call)

    async def __call__(self, call: Call, needs: Needs) -> None:
        """Let a request in to a route.

        Raises:
            ServeError: Of the piece that refused it.
        """
        call.needs = needs
        for stage in self._stages if needs.tenant else self._operators:
            await stage(call)
        call.admitted = True
