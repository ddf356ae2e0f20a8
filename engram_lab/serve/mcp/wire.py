"""What comes in over HTTP and what goes out, apart from what it means."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import orjson
from starlette.responses import Response

from engram_lab.serve import errors
from engram_lab.serve.errors import InvalidRequestError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.types import Message as AsgiMessage
    from starlette.types import Receive, Scope, Send

    from engram_lab.serve.mcp.messages import Message

__all__ = [
    "body_of",
    "hand_over",
    "headers_of",
    "json_answer",
    "speaks_the_protocol",
    "status_of",
]

_BAD_REQUEST: Final = 400
_STATUS_OF_CODE: Final[Mapping[int, int]] = MappingProxyType({-32601: 404, -32603: 500})
_STATUS_OF_NAME: Final[Mapping[str, int]] = MappingProxyType(
    {
        kind.code: kind.status
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.ServeError)
    }
)


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by name; a repeated one as a list, which no single name equals."""
    headers: dict[str, str] = {}
    for raw_name, raw in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


async def body_of(headers: Mapping[str, str], receive: Receive, *, limit: int) -> bytes:
    """Return the whole body.

    Raises:
        TooLargeError: It is longer than the limit.
        InvalidRequestError: It broke off.
    """
    told = headers.get("content-length", "")
    if told.isdigit() and int(told) > limit:
        raise TooLargeError(f"the body has {told} bytes: at most {limit} are taken")
    body = bytearray()
    more = True
    while more:
        received = await receive()
        if received["type"] != "http.request":
            raise InvalidRequestError("the request broke off")
        body += received.get("body", b"")
        if len(body) > limit:
            raise TooLargeError(f"the body has more than {limit} bytes: send less at a time")
        more = received.get("more_body", False)
    return bytes(body)


def speaks_the_protocol(headers: Mapping[str, str], message: Message) -> bool:
    """Tell a client of the protocol from somebody who posts by hand."""
    if not isinstance(message.id, str | int):
        return False
    return "mcp-protocol-version" in headers or "text/event-stream" in headers.get("accept", "")


async def hand_over(
    sessions: StreamableHTTPSessionManager, message: Message, scope: Scope, send: Send
) -> None:
    """Have the official transport answer, of exactly the message that was admitted."""
    body = json.dumps(message.whole).encode()  # whole numbers of any size stay exact
    sent = False

    async def receive() -> AsgiMessage:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    await sessions.handle_request(scope, receive, send)


def status_of(error: Mapping[str, Any] | None) -> int:
    """Return the status of HTTP that goes with an answer: by the name of its error, or its code.

    Source: the Model Context Protocol 2026-07-28, "Streamable HTTP", for codes without a name.
    """
    if error is None:
        return 200
    more = error.get("data")
    named = _STATUS_OF_NAME.get(more.get("code", "")) if isinstance(more, dict) else None
    return named or _STATUS_OF_CODE.get(error["code"], _BAD_REQUEST)


def json_answer(value: Any, *, status: int = 200) -> Response:
    """Return an answer in JSON."""
    return Response(orjson.dumps(value), status_code=status, media_type="application/json")
