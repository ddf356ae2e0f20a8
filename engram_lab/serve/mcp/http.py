"""The protocol over HTTP: Streamable HTTP, a bare request in JSON, and batches of these.

Every request stands alone, so that any process may answer it. A client that speaks the protocol
(its `Accept` or `MCP-Protocol-Version` says so) is answered by the transport of the official
package; whoever posts a bare `tools/call`, as with curl, by `exchange.answer`. Both end in the same
tools, over the engine of the tenant that the request was admitted for.
"""

from __future__ import annotations

import json
import logging
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import orjson
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.responses import Response
from starlette.routing import Route

from engram_lab.core.errors import EngramError
from engram_lab.serve.call import Needs
from engram_lab.serve.errors import (
    InvalidRequestError,
    MethodNotAllowedError,
    ServeError,
    TooLargeError,
    UnsupportedTypeError,
    refusal_of,
)
from engram_lab.serve.mcp.exchange import answer, refusal
from engram_lab.serve.mcp.faults import error_data
from engram_lab.serve.mcp.messages import (
    INVALID_REQUEST,
    BadMessageError,
    needs_of,
    parsed,
    read_message,
)
from engram_lab.serve.mcp.server import build_mcp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from mcp.server import Server
    from starlette.types import Message as AsgiMessage
    from starlette.types import Receive, Scope, Send

    from engram_lab.engine import Engine
    from engram_lab.serve.call import Call
    from engram_lab.serve.mcp.answers import Outcome
    from engram_lab.serve.mcp.hosts import HostRules
    from engram_lab.serve.mcp.messages import Message

__all__ = ["MOST_IN_A_BATCH", "Gate", "McpEndpoint"]

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)

MOST_IN_A_BATCH: Final = 100
"""Requests of one batch."""

_BATCH_NEEDS: Final = Needs(route="MCP batch", scope=None)
_STATUS_OF_CODE: Final[Mapping[int, int]] = {
    -32700: 400, -32600: 400, -32601: 404, -32602: 400, -32603: 500, -32001: 403, -32002: 404,
    -32003: 403, -32004: 402, -32005: 429, -32008: 504,
}  # fmt: skip
_CALL: ContextVar[Call] = ContextVar("engram_mcp_call")


class Gate(Protocol):
    """What stands before the tools: who may enter, and with which engine they are served."""

    async def admit(self, scope: Scope, needs: Needs, *, part: int | None = None) -> Call:
        """Let a request in, or raise.

        Args:
            scope: Of ASGI: where it came from, its headers.
            needs: What it asks.
            part: Its place in a batch, from 0; None where it stands alone. Each part is admitted
                by itself, after the batch as a whole.

        Raises:
            ServeError: It may not.
        """
        ...

    async def use(self, call: Call, work: Callable[[Engine], T], /) -> T:
        """Return what the work returns, done in a thread over the engine of the tenant."""
        ...

    def refused(self, scope: Scope, code: str) -> None:
        """Take note of why a request gets no further, before it is admitted."""
        ...

    async def done(self, call: Call) -> None:
        """Take note of a request that is over; `used`, `target` and `error_code` are filled in."""
        ...


class McpEndpoint:
    """An ASGI application that speaks the protocol.

    Args:
        gate: Admits every request, and serves it.
        hosts: Which names it answers to.
        body_limit: Largest body, in bytes.
        about: See `build_mcp`.
        version: See `build_mcp`.
        timeout_s: See `build_mcp`.
    """

    def __init__(
        self,
        gate: Gate,
        *,
        hosts: HostRules,
        body_limit: int,
        about: Mapping[str, Any] | None = None,
        version: str = "",
        timeout_s: float | None = None,
    ) -> None:
        self._gate = gate
        self._hosts = hosts
        self._body_limit = body_limit
        self.server: Server[Any] = build_mcp(
            self._use,
            author=_author,
            note=_note,
            about=about,
            version=version,
            timeout_s=timeout_s,
        )
        self._sessions: StreamableHTTPSessionManager | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run what answers clients of the protocol; for the lifespan of an application."""
        sessions = StreamableHTTPSessionManager(
            app=self.server,
            stateless=True,
            json_response=True,
            max_request_body_size=2 * self._body_limit,  # what was checked here may be longer there
        )
        async with sessions.run():
            self._sessions = sessions
            try:
                yield
            finally:
                self._sessions = None

    def routes(self) -> list[Route]:
        """Return the routes of an application: `/mcp`, `/v1/mcp` and `/v1/mcp/batch`."""
        return [
            Route("/mcp", endpoint=self),
            Route("/v1/mcp", endpoint=self),
            Route("/v1/mcp/batch", endpoint=_Batches(self)),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self.respond(scope, receive, send, batch=False)

    async def respond(self, scope: Scope, receive: Receive, send: Send, *, batch: bool) -> None:
        """Answer a request, or a batch of them."""
        try:
            response = await self._respond(scope, receive, send, batch=batch)
        except BadMessageError as error:
            self._gate.refused(scope, str(error.code))
            told = {"code": error.code, "message": str(error)}
            response = _json(refusal(told, id_=error.id), status=_STATUS_OF_CODE[error.code])
        except Exception as error:  # noqa: BLE001 - told as a refusal
            response = self._refuse(scope, error)
        if response is not None:
            await response(scope, receive, send)

    async def _respond(
        self, scope: Scope, receive: Receive, send: Send, *, batch: bool
    ) -> Response | None:
        headers = _joined(scope)
        self._hosts.check(headers.get("host"), headers.get("origin"))
        if scope["method"] != "POST":
            raise MethodNotAllowedError(
                "requests are posted here: use POST", headers={"Allow": "POST"}
            )
        if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise UnsupportedTypeError("Content-Type is not application/json: send JSON")
        value = parsed(await self._body(headers, receive))
        if batch or isinstance(value, list):
            return await self._answer_all(scope, value)
        message = read_message(value)
        try:
            call = await self._gate.admit(scope, needs_of(message))
        except Exception as error:  # noqa: BLE001 - told as a refusal, with the id
            return self._refuse(scope, error, id_=message.id)
        if message.is_notification:
            await self._gate.done(call)
            return Response(status_code=202)
        token = _CALL.set(call)
        try:
            sessions = self._sessions
            if sessions is not None and _speaks_the_protocol(headers, message):
                await _hand_over(sessions, message, scope, send)
                return None
            found = await self._answer(call, message)
        finally:
            _CALL.reset(token)
            await self._gate.done(call)
        return _json(found, status=_status_of(found))

    def _refuse(self, scope: Scope, error: Exception, *, id_: Any = None) -> Response:
        """Return what is told of an error; of one that we did not foresee, nothing."""
        told = refusal_of(error)
        if not isinstance(error, EngramError):
            _LOG.error("a request could not be answered", exc_info=error)
        self._gate.refused(scope, told.code)
        response = _json(refusal(error_data(told), id_=id_), status=told.status)
        for name, value in told.headers.items():
            response.headers[name] = value
        return response

    async def _answer(self, call: Call, message: Message) -> dict[str, Any]:
        found = await answer(self.server, message)
        if "error" in found and call.error_code is None:
            call.error_code = str(found["error"]["code"])
        return found

    async def _answer_all(self, scope: Scope, value: Any) -> Response:
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_IN_A_BATCH:
            size = len(value) if isinstance(value, list) else 0
            raise BadMessageError(
                INVALID_REQUEST,
                f"a batch is a list of 1 to {MOST_IN_A_BATCH} requests, and this has {size}",
            )
        whole = await self._gate.admit(scope, _BATCH_NEEDS)
        try:
            answers = [await self._answer_one(scope, each, n) for n, each in enumerate(value)]
        finally:
            await self._gate.done(whole)
        told = [each for each in answers if each is not None]
        return _json(told) if told else Response(status_code=202)

    async def _answer_one(self, scope: Scope, value: Any, part: int) -> dict[str, Any] | None:
        """Answer one of a batch: what befalls it is no matter of the others."""
        id_ = None
        try:
            message = read_message(value)
            id_ = message.id
            call = await self._gate.admit(scope, needs_of(message), part=part)
        except BadMessageError as error:
            return refusal({"code": error.code, "message": str(error)}, id_=error.id)
        except Exception as error:  # noqa: BLE001 - told as a refusal, without what it says
            return refusal(error_data(refusal_of(error)), id_=id_)
        token = _CALL.set(call)
        try:
            return None if message.is_notification else await self._answer(call, message)
        finally:
            _CALL.reset(token)
            await self._gate.done(call)

    async def _body(self, headers: Mapping[str, str], receive: Receive) -> bytes:
        told = headers.get("content-length", "")
        if told.isdigit() and int(told) > self._body_limit:
            raise TooLargeError(f"the body has {told} bytes: at most {self._body_limit} are taken")
        body = bytearray()
        more = True
        while more:
            received = await receive()
            if received["type"] != "http.request":
                raise InvalidRequestError("the request broke off")
            body += received.get("body", b"")
            if len(body) > self._body_limit:
                raise TooLargeError(
                    f"the body has more than {self._body_limit} bytes: send less at a time"
                )
            more = received.get("more_body", False)
        return bytes(body)

    async def _use(self, work: Callable[[Engine], T], /) -> T:
        return await self._gate.use(_CALL.get(), work)


class _Batches:
    """The same endpoint, for lists of requests."""

    def __init__(self, endpoint: McpEndpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._endpoint.respond(scope, receive, send, batch=True)


def _joined(scope: Scope) -> dict[str, str]:
    """Return the headers by name; a repeated one as a list, which no single name equals."""
    headers: dict[str, str] = {}
    for raw_name, raw in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


async def _hand_over(
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


def _speaks_the_protocol(headers: Mapping[str, str], message: Message) -> bool:
    """Tell a client of the protocol from somebody who posts by hand."""
    if not isinstance(message.id, str | int):
        return False
    return "mcp-protocol-version" in headers or "text/event-stream" in headers.get("accept", "")


def _author() -> str:
    actor = _CALL.get().actor
    return "mcp" if actor is None else actor.name


def _note(outcome: Outcome | ServeError) -> None:
    call = _CALL.get()
    if isinstance(outcome, ServeError):
        call.error_code = outcome.code
        return
    for name, count in outcome.used.items():
        call.used[name] = call.used.get(name, 0) + count
    if outcome.target is not None:
        call.target = outcome.target


def _status_of(found: Mapping[str, Any]) -> int:
    return _STATUS_OF_CODE.get(found["error"]["code"], 500) if "error" in found else 200


def _json(value: Any, *, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status_code=status, media_type="application/json")
