"""Routes that say what they ask of a caller, and let nobody in before that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from fastapi.routing import APIRoute
from starlette.requests import Request

from engram_lab.serve.call import Call, Needs
from engram_lab.serve.pipeline.edge import call_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.responses import Response

    from engram_lab.serve.control.records import Scope
    from engram_lab.serve.services import Services

__all__ = ["FileRoute", "GuardedRoute", "OpenRoute", "needs", "needs_of", "of"]

_MARK: Final = "__needs__"
_MOST_FIELDS: Final = 8
_LARGEST_FIELD: Final = 65_536
F = TypeVar("F", bound="Callable[..., Any]")


def needs(
    scope: Scope | None,
    *,
    also: Scope | None = None,
    meter: Literal["searches"] | None = None,
    adds_memories: bool = False,
    grows: bool = False,
    audited: str | None = None,
    tenant: bool = True,
    newcomers: bool = False,
) -> Callable[[F], F]:
    """Say what a handler asks of whoever calls it; see `Needs`. Stands below the route."""

    def mark(handler: F) -> F:
        told = {
            "scope": scope,
            "also": also,
            "meter": meter,
            "adds_memories": adds_memories,
            "grows": grows,
            "audited": audited,
            "tenant": tenant,
            "newcomers": newcomers,
        }
        setattr(handler, _MARK, told)
        return handler

    return mark


def needs_of(route: APIRoute) -> str:
    """Return what a route asks of a caller, in a word or two."""
    told = getattr(route.endpoint, _MARK, None)
    if told is None:
        return "anybody"
    if told["newcomers"]:
        return "a token"
    return told["scope"] or ("any member" if told["tenant"] else "the admin token")


def of(request: Request) -> tuple[Call, Services]:
    """Return what is known of a request, and what answers it."""
    return call_of(request.scope), request.app.state.services


class GuardedRoute(APIRoute):
    """A route that is admitted to before its body is read. One without `needs` cannot be made."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, behind the pipeline."""
        handler = super().get_route_handler()
        told = self.told()

        async def admitted(request: Request) -> Response:
            call, services = of(request)
            await services.admission(call, told)
            await self.read(request)
            return await handler(request)

        return admitted

    def told(self) -> Needs:
        """Return what it asks of a caller."""
        return Needs(route=_name(self), **getattr(self.endpoint, _MARK))

    async def read(self, request: Request) -> None:
        """Read what the framework would read by other rules; nothing, as a rule."""


class FileRoute(GuardedRoute):
    """A route that takes one file: of forms with much else, the framework holds all in memory."""

    async def read(self, request: Request) -> None:
        """Read the form, which then is kept for the framework."""
        await request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=_LARGEST_FIELD)


class OpenRoute(APIRoute):
    """A route that anybody may ask; it has a name in logs and metrics all the same."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        handler = super().get_route_handler()
        told = Needs(route=_name(self), scope=None, tenant=False)

        async def named(request: Request) -> Response:
            call_of(request.scope).needs = told
            return await handler(request)

        return named


def _name(route: APIRoute) -> str:
    return f"{'/'.join(sorted(route.methods or ()))} {route.path_format}"
