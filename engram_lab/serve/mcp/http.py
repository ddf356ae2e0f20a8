"""The protocol over HTTP: Streamable HTTP, a bare request in JSON, and batches of these.

Every request stands alone, so that any process may answer it. A client that speaks the protocol
(its `Accept` or `MCP-Protocol-Version` says so) is answered by the transport of the official
package; whoever posts a bare `tools/call`, as with curl, by `exchange.answer`. Both end in the same
tools, over the engine of the tenant that the request was admitted for.
"""

from __future__ import annotations

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
from engram_lab.serve.mcp.wire import (
    body_of,
    hand_over,
    headers_of,
    json_answer,
    speaks_the_protocol,
    status_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from mcp.server import Server
    from starlette.types import Receive, Scope, Send

    from engram_lab.engine import Engine
    from engram_lab.serve.call import Call
    from engram_lab.serve.hosts import HostRules
    from engram_lab.serve.mcp.answers import Outcome
    from engram_lab.serve.mcp.messages import Message

__all__ = ["MOST_IN_A_BATCH", "Gate", "McpEndpoint"]

T = TypeVar("T")

MOST_IN_A_BATCH: Final = 100
"""Requests of one batch."""

_SHORT: Final = 16_384  # bytes
_ANSWERS_OF_A_BATCH: Final = 33_554_432  # bytes
_BATCH_NEEDS: Final = Needs(route="MCP batch", scope=None)
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

    def failed(self, call: Call | None, error: Exception) -> None:
        """Log an error that nobody foresaw; the client learns nothing of it."""
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
        enter: Lets somebody in whose message is long, before it is read: that takes so much of
            the event loop's time that nobody unknown is to have it. Raises where they may not.
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
        enter: Callable[[Scope], Awaitable[None]] | None = None,
    ) -> None:
        self._gate = gate
        self._enter = enter
        self._hosts = hosts
        self._body_limit = body_limit
        self.server: Server[Any] = build_mcp(
            self._use,
            author=_author,
            note=_note,
            failed=self._failed,
            about=about,
            version=version,
            timeout_s=timeout_s,
        )
        self._answer_limit = _ANSWERS_OF_A_BATCH
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
            response = json_answer(refusal(told, id_=error.id), status=status_of(told))
        except Exception as error:  # noqa: BLE001 - told as a refusal
            response = self._refuse(scope, error)
        if response is not None:
            await response(scope, receive, send)

    async def _respond(
        self, scope: Scope, receive: Receive, send: Send, *, batch: bool
    ) -> Response | None:
        headers = headers_of(scope)
        self._hosts.check(headers.get("host"), headers.get("origin"))
        if scope["method"] != "POST":
            raise MethodNotAllowedError(
                "requests are posted here: use POST", headers={"Allow": "POST"}
            )
        if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise UnsupportedTypeError("Content-Type is not application/json: send JSON")
        body = await body_of(headers, receive, limit=self._body_limit)
        if self._enter is not None and len(body) > _SHORT:
            await self._enter(scope)
        value = parsed(body)
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
            if sessions is not None and speaks_the_protocol(headers, message):
                await hand_over(sessions, message, scope, send)
                return None
            found = await self._answer(call, message)
        finally:
            _CALL.reset(token)
            await self._gate.done(call)
        return json_answer(found, status=status_of(found.get("error")))

    def _refuse(self, scope: Scope, error: Exception, *, id_: Any = None) -> Response:
        """Return what is told of an error; of one that we did not foresee, nothing."""
        told = refusal_of(error)
        if not isinstance(error, EngramError):
            self._gate.failed(None, error)
        self._gate.refused(scope, told.code)
        response = json_answer(refusal(error_data(told), id_=id_), status=told.status)
        for name, value in told.headers.items():
            response.headers[name] = value
        return response

    async def _answer(self, call: Call, message: Message) -> dict[str, Any]:
        found = await answer(self.server, message, failed=self._failed)
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
            told, room = [], self._answer_limit
            for part, each in enumerate(value):
                found = await self._answer_one(scope, each, part, full=room <= 0)
                if found is not None:
                    told.append(orjson.dumps(found))
                    room -= len(told[-1])
        finally:
            await self._gate.done(whole)
        if not told:
            return Response(status_code=202)
        return Response(b"[%b]" % b",".join(told), media_type="application/json")

    async def _answer_one(
        self, scope: Scope, value: Any, part: int, *, full: bool
    ) -> dict[str, Any] | None:
        """Answer one of a batch: what befalls it is no matter of the others."""
        id_ = None
        try:
            message = read_message(value)
            id_ = message.id
            if full:
                return refusal(error_data(_long_enough()), id_=id_)
            call = await self._gate.admit(scope, needs_of(message), part=part)
        except BadMessageError as error:
            return refusal({"code": error.code, "message": str(error)}, id_=error.id)
        except Exception as error:  # noqa: BLE001 - told as a refusal, without what it says
            if not isinstance(error, EngramError):
                self._gate.failed(None, error)
            return refusal(error_data(refusal_of(error)), id_=id_)
        token = _CALL.set(call)
        try:
            return None if message.is_notification else await self._answer(call, message)
        finally:
            _CALL.reset(token)
            await self._gate.done(call)

    def _failed(self, error: Exception) -> None:
        self._gate.failed(_CALL.get(), error)

    async def _use(self, work: Callable[[Engine], T], /) -> T:
        return await self._gate.use(_CALL.get(), work)


class _Batches:
    """The same endpoint, for lists of requests."""

    def __init__(self, endpoint: McpEndpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._endpoint.respond(scope, receive, send, batch=True)


def _long_enough() -> TooLargeError:
    return TooLargeError("the answers before this one are long enough: ask for it by itself")


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
    if outcome.workspace is not None:
        call.workspace = outcome.workspace
