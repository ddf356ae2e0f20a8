"""The outermost piece: gives each request its id, bounds its body, and tells of how it ended."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from engram_lab.serve.answers import refusal
from engram_lab.serve.call import Call
from engram_lab.serve.errors import InternalError, ServeError, TimedOutError, refusal_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from engram_lab.core.clock import Clock
    from engram_lab.serve.pipeline.bounds import Bounds
    from engram_lab.serve.pipeline.proxies import Proxies

    _Header = tuple[bytes, bytes]

__all__ = ["Edge", "call_of"]

_KEY: Final = "engram.call"
_CORRELATION: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z")
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


def call_of(scope: Scope) -> Call:
    """Return what is known of the request of a scope."""
    found: Call = scope[_KEY]
    return found


class Edge:
    """Wraps the whole application.

    Args:
        app: What answers.
        new_id: Gives the next request id.
        clock: Tells the time.
        timer: Measures, in seconds.
        bounds: How large and how slow a request may be.
        proxies: Whose word about the client counts.
        counted: Told of every request before the end of its answer goes out: the call, the status.
        ended: Told of every request after that: the call, the status, the seconds.
        failed: Told of an error that nobody foresaw.
        span: Measures a request, where requests are traced.
        hsts: Whether browsers are told to insist on TLS.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        new_id: Callable[[], str],
        clock: Clock,
        timer: Callable[[], float],
        bounds: Bounds,
        proxies: Proxies,
        counted: Callable[[Call, int], None],
        ended: Callable[[Call, int, float], None],
        failed: Callable[[Call, Exception], None],
        span: Callable[[Call], AbstractContextManager[object]],
        hsts: bool,
    ) -> None:
        self._app = app
        self._new_id = new_id
        self._clock = clock
        self._timer = timer
        self._bounds = bounds
        self._proxies = proxies
        self._counted = counted
        self._ended = ended
        self._failed = failed
        self._span = span
        self._headers = (*_HEADERS, _HSTS) if hsts else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever happens, there is an answer, and it is told of."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = self._call(scope)
        scope[_KEY] = call
        status, counted, took = 0, False, 0.0

        async def send_on(message: Message) -> None:
            nonlocal status, counted, took
            if message["type"] == "http.response.start":
                status = call.extra["status"] = message["status"]
                message["headers"] = self._dressed(message.get("headers", ()), call)
            elif not (message.get("more_body") or counted):
                counted, took = True, self._timer() - call.began
                self._counted(call, status)  # first: what was answered counts, whatever follows
            await send(message)

        try:
            body = self._bounds.bounded(call, receive)
            with self._span(call):
                async with asyncio.timeout(self._bounds.seconds(call)):
                    await self._app(scope, body, send_on)
        except Exception as error:  # noqa: BLE001 - the last one who could answer
            if status:  # half an answer is out: all that is left is to break it off
                self._failed(call, error)
                call.error_code = "BROKEN_OFF"
            else:
                await refusal(call, self._told(call, error))(scope, receive, send_on)
        finally:
            if not counted:
                took = self._timer() - call.began
                self._counted(call, status or 499)
            self._ended(call, status or 499, took)

    def _told(self, call: Call, error: Exception) -> ServeError:
        if type(error) is TimeoutError:
            return TimedOutError("this took longer than is allowed: ask for less at a time")
        told = refusal_of(error)
        if isinstance(told, InternalError):
            self._failed(call, error)
        return told

    def _call(self, scope: Scope) -> Call:
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        client, secure = self._proxies.seen(scope, headers)
        call = Call(
            request_id=self._new_id(),
            method=scope["method"],
            path=scope["path"],
            headers=headers,
            client=client,
            secure=secure,
            at=self._clock.now(),
            began=self._timer(),
        )
        given = call.header("x-correlation-id") or call.header("x-request-id")
        if given and _CORRELATION.match(given):
            call.answer_headers["X-Correlation-ID"] = given
        return call

    def _dressed(self, headers: Iterable[_Header], call: Call) -> list[_Header]:
        """Return the headers of an answer with those that all answers have."""
        dressed = [*headers, (b"x-request-id", call.request_id.encode())]
        given = {name for name, _ in dressed}
        dressed += [each for each in self._headers if each[0] not in given]
        for name, value in call.answer_headers.items():
            if (key := name.lower().encode()) not in given:
                dressed.append((key, value.encode("latin-1")))
        return dressed
