"""The server of HTTP: uvicorn, with a bound on how long somebody may say, or take, nothing.

By itself uvicorn bounds how long a connection may idle after a request, not how long it may take
to finish asking, nor how long it may leave an answer untaken; so a few thousand who never finish
would use it up.
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
    """Bounds how long a connection may keep others waiting; mixed into a protocol.

    The head of each request, not of the first alone, comes within `head_s`; of an answer something
    is taken within `stall_s`, else the connection ends.
    """

    head_s: float = 10.0
    stall_s: float = 30.0
    cycle: Any
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _awaiting: asyncio.TimerHandle | None = None
    _former: Any = None
    _sending: asyncio.TimerHandle | None = None
    _unsent: int = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)  # type: ignore[misc]
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)  # type: ignore[misc]
        cycle = self.cycle
        between = cycle is None or cycle.response_complete
        if between and (self._awaiting is None or self._former is not cycle):
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        for each in (self._awaiting, self._sending):
            if each is not None:
                each.cancel()
        super().connection_lost(exc)  # type: ignore[misc]

    def pause_writing(self) -> None:
        super().pause_writing()  # type: ignore[misc]
        self._await_reader()

    def resume_writing(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
        super().resume_writing()  # type: ignore[misc]

    def _await_head(self) -> None:
        if self._awaiting is not None:
            self._awaiting.cancel()
        self._former = self.cycle
        self._awaiting = self.loop.call_later(self.head_s, self._look)

    def _look(self) -> None:
        self._awaiting = None
        if self.cycle is self._former and not self.transport.is_closing():
            self.transport.close()
        self._former = None

    def _await_reader(self) -> None:
        self._unsent = self.transport.get_write_buffer_size()
        self._sending = self.loop.call_later(self.stall_s, self._look_at_reader)

    def _look_at_reader(self) -> None:
        self._sending = None
        if self.transport.get_write_buffer_size() < self._unsent:
            self._await_reader()
        else:
            self.transport.abort()  # to close it would wait for the reader


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
    bounds = {"head_s": settings.head_s, "stall_s": settings.timeout_s}
    protocol = type("PatientProtocol", bases, bounds)
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
