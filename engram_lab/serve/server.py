"""The server of HTTP: uvicorn, with a bound on how long somebody may connect and say nothing.

By itself uvicorn bounds how long a connection may idle after a request, not how long it may take
for its first one; so a few thousand who never finish theirs would use it up.
"""

from __future__ import annotations

import asyncio
import resource
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ImportError:  # the extra of uvicorn that is quicker
    HttpToolsProtocol = None  # type: ignore[assignment,misc]

if TYPE_CHECKING:
    from fastapi import FastAPI

    from engram_lab.config import ServeSettings

__all__ = ["run", "uvicorn_server"]

_KEEP_ALIVE_S = 30
_MOST_CONNECTIONS = 10_000
_MOST_BESIDE = 65_536
"""Bytes of a request that are none of its body: its head, trailers, the sizes of pieces."""
_PER_BYTE = 8
"""Of those, so many more for each byte of the body, which may come in very small pieces."""


class _Patient:
    """Gives a connection so long for the head of each request; mixed into a protocol.

    Whoever has no request that is being answered has `head_s` from their first byte on for all of
    the next one's head, or for the rest of a body that nobody reads any more.
    """

    head_s: float = 10.0
    cycle: Any
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    timeout_keep_alive_task: asyncio.TimerHandle | None
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)  # type: ignore[misc]
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        super().connection_lost(exc)  # type: ignore[misc]

    def data_received(self, data: bytes) -> None:
        super().data_received(data)  # type: ignore[misc]
        if self._waiting is None and self._owes():
            self._wait()

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.head_s, self._look, self.cycle)

    def _owes(self) -> bool:
        """Tell whether it is the client's turn, and nothing else bounds how long it may take."""
        idle = self.cycle is None or self.cycle.response_complete
        return idle and self.timeout_keep_alive_task is None and not self.transport.is_closing()

    def _look(self, cycle: object) -> None:
        self._waiting = None
        if not self._owes():
            return
        if self.cycle is cycle:
            self.transport.close()
        else:  # another request came and was answered meanwhile
            self._wait()


class _Bounded(_Patient):
    """Bounds what comes beside the body, too; mixed into the protocol of httptools.

    That one holds a head of any length, and takes fields that follow a body for headers.

    Source: RFC 9110, sections 5.4 and 6.5.1.
    """

    _beside: int = 0
    _inside: int = 0
    _headed: bool = False

    def data_received(self, data: bytes) -> None:
        self._beside += len(data)
        super().data_received(data)
        if self._beside - self._inside > _MOST_BESIDE + _PER_BYTE * self._inside:
            self.transport.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._headed:
            super().on_header(name, value)  # type: ignore[misc]

    def on_headers_complete(self) -> None:
        self._headed = True
        super().on_headers_complete()  # type: ignore[misc]

    def on_body(self, body: bytes) -> None:
        self._inside += len(body)
        super().on_body(body)  # type: ignore[misc]

    def on_message_complete(self) -> None:
        self._beside, self._inside, self._headed = 0, 0, False
        super().on_message_complete()  # type: ignore[misc]


def uvicorn_server(app: FastAPI, settings: ServeSettings) -> uvicorn.Server:
    """Return a server of an application, to be run."""
    bases: tuple[type[Any], ...] = (_Patient, H11Protocol)  # which bounds a head by itself
    if HttpToolsProtocol is not None:
        bases = (_Bounded, HttpToolsProtocol)
    protocol = type("PatientProtocol", bases, {"head_s": settings.head_s})
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            http=protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=round(settings.drain_s) or None,
        )
    )


def run(app: FastAPI, settings: ServeSettings) -> None:
    """Serve an application until told to stop, then let what was begun end."""
    _allow_many_files()
    uvicorn_server(app, settings).run()


def _allow_many_files() -> None:
    """Use as many open files as the system lets this process have: a database takes about five."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
