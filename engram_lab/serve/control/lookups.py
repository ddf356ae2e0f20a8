"""What every request asks of the control plane, kept in memory for as long as it is true."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from engram_lab.serve.control.protocol import ControlPlane
    from engram_lab.serve.control.records import ApiKey, Member, Tenant

__all__ = ["Lookups", "Run"]

_T = TypeVar("_T")
_ABSENT: Final = object()


class Run(Protocol):
    """Runs a call that blocks where it blocks nobody else, such as in a thread."""

    def __call__(self, work: Callable[[], _T], /) -> Awaitable[_T]:
        """Return what the call returns."""
        ...


class Lookups:
    """Answers from memory while `plane.revision()` stands; belongs to one event loop.

    That there is no such thing is kept too. Many that ask the same at once are one question, which
    begins only after the last of them asked: nobody gets an answer that was old when they came.

    Args:
        plane: Whom to ask.
        run: How to ask without blocking the loop.
        most: So many answers are kept; those asked for longest ago go first.
    """

    def __init__(self, plane: ControlPlane, run: Run, *, most: int = 16_384) -> None:
        self._plane = plane
        self._run = run
        self._most = most
        self._known: OrderedDict[tuple[str, ...], Any] = OrderedDict()
        self._known_at: int | None = None
        self._waiting: dict[tuple[str, ...], asyncio.Task[Any]] = {}
        self._running: dict[tuple[str, ...], tuple[asyncio.Task[Any], int | None]] = {}

    async def tenant_by_slug(self, slug: str) -> Tenant | None:
        """Return the tenant of a name, whatever its state."""
        key = ("slug", slug)
        known = self._answer(key)
        if known is _ABSENT:
            known = await self._ask(key, lambda: self._plane.tenant_by_slug(slug))
        found: Tenant | None = known
        return found

    async def tenant(self, tenant_id: str) -> Tenant | None:
        """Return a tenant, whatever its state."""
        key = ("tenant", tenant_id)
        known = self._answer(key)
        if known is _ABSENT:
            known = await self._ask(key, lambda: self._plane.tenant(tenant_id))
        found: Tenant | None = known
        return found

    async def keys_by_prefix(self, prefix: str) -> list[ApiKey]:
        """Return the keys that begin so, revoked and expired ones too."""
        key = ("prefix", prefix)
        known = self._answer(key)
        if known is _ABSENT:
            known = await self._ask(key, lambda: tuple(self._plane.keys_by_prefix(prefix)))
        return list(known)  # a copy: what is kept is nobody's to change

    async def member(self, tenant_id: str, user_id: str) -> Member | None:
        """Return the membership of a person."""
        key = ("member", tenant_id, user_id)
        known = self._answer(key)
        if known is _ABSENT:
            known = await self._ask(key, lambda: self._plane.member(tenant_id, user_id))
        found: Member | None = known
        return found

    def _answer(self, key: tuple[str, ...]) -> Any:
        revision = self._plane.revision()
        if revision != self._known_at:
            self._known.clear()
            self._known_at = revision
        elif key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        return _ABSENT

    async def _ask(self, key: tuple[str, ...], ask: Callable[[], Any]) -> Any:
        asked_at = self._known_at  # what comes back is as new as this, or newer
        running, began_at = self._running.get(key, (None, None))
        if running is not None and asked_at is not None and began_at == asked_at:
            flight = running  # nothing was written since it began
        elif key in self._waiting:
            flight = self._waiting[key]
        else:
            flight = self._waiting[key] = asyncio.create_task(self._fly(key, ask))
            flight.add_done_callback(_seen)
        # Whoever goes away while waiting takes nothing from the others.
        answer = await asyncio.shield(flight)
        if asked_at is not None and asked_at == self._known_at:
            self._known[key] = answer
            self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return answer

    async def _fly(self, key: tuple[str, ...], ask: Callable[[], Any]) -> Any:
        try:
            while key in self._running:
                await asyncio.wait({self._running[key][0]})
        finally:
            flight = self._waiting.pop(key)  # from here on, who asks comes too late for this one
        self._running[key] = (flight, self._known_at)
        try:
            return await self._run(ask)
        finally:
            del self._running[key]


def _seen(flight: asyncio.Task[Any]) -> None:
    """Take note of an error that nobody waits for any more."""
    if not flight.cancelled():
        flight.exception()
