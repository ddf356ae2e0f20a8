"""Routes that are asked so often that the framework's own steps would count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError
from starlette.requests import Request

from engram_lab.serve.errors import InvalidRequestError, malformed
from engram_lab.serve.routes.guarded import GuardedRoute, of

if TYPE_CHECKING:
    from pydantic import BaseModel
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["DirectRoute"]


class DirectRoute(GuardedRoute):
    """A route whose handler takes the request and one body of JSON, and nothing else.

    What the framework finds out anew for each request, which arguments a handler takes and where
    they come from, is known here.
    """

    def direct(self) -> ASGIApp:
        """Return what answers without the framework, behind the same pipeline."""
        told, handler = self.told(), self.endpoint
        (body,) = self.dependant.body_params
        kind: type[BaseModel] = body.field_info.annotation  # type: ignore[assignment]

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            call, services = of(request)
            await services.admission(call, told)
            response = await handler(request, _body(await _content(receive), kind))
            await response(scope, receive, send)

        return answer


async def _content(receive: Receive) -> bytes:
    """Return all of the body, which as a rule is there in one piece.

    Raises:
        InvalidRequestError: It broke off.
    """
    pieces: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequestError("the body broke off: send all of it")
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


def _body(content: bytes, kind: type[BaseModel]) -> BaseModel:
    """Return what a body says.

    Raises:
        InvalidRequestError: It is not of the kind.
    """
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise malformed(faults) from None
