"""The server of HTTP: uvicorn, with a bound on how long somebody may say, or take, nothing.

By itself uvicorn bounds how long a connection may idle after a request, not how long it may take
to finish asking, nor how long it may leave an answer untaken; so a few thousand who never finish
would use it up.
"""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from engram_lab.core.errors import ConflictError, EngramError, InvalidInputError

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ImportError:  # the extra of uvicorn that is quicker
    HttpToolsProtocol = None  # type: ignore[assignment,misc]

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from engram_lab.config import ServeSettings

__all__ = ["check_free", "run", "uvicorn_server"]

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


class _Telling(uvicorn.Server):
    """Tells when it can be reached, and why it cannot be."""

    def __init__(self, config: uvicorn.Config, told: Callable[[], object]) -> None:
        super().__init__(config)
        self._told = told

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:  # whose reason is in the log alone
            if not self.lifespan.should_exit:
                check_free(self.config.host, self.config.port)
            raise
        self._told()


def check_free(host: str, port: int) -> None:
    """Refuse an address that cannot be served at, before anything is begun there.

    Raises:
        ConflictError: Somebody serves there already.
        InvalidInputError: It is none of this machine, or this process may not use it.
    """
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind, protocol) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                tried.bind(address)
    except OSError as error:
        raise _refused(host, port, error) from error


def _refused(host: str, port: int, error: OSError) -> EngramError:
    if error.errno == errno.EADDRINUSE:
        return ConflictError(
            f"port {port} of {host} is taken: end what serves there, or give another --port"
        )
    return InvalidInputError(
        f"nothing can be served at port {port} of {host} ({error.strerror}): give an address of "
        "this machine as --host, and a --port that this account may use"
    )


def uvicorn_server(
    app: FastAPI, settings: ServeSettings, *, told: Callable[[], object] = lambda: None
) -> uvicorn.Server:
    """Return a server of an application, to be run; `told` is called once it can be reached."""
    bases: tuple[type[Any], ...] = (_Patient, H11Protocol)  # which bounds a head by itself
    if HttpToolsProtocol is not None:
        bases = (_Bounded, HttpToolsProtocol)
    bounds = {"head_s": settings.head_s, "stall_s": settings.timeout_s}
    protocol = type("PatientProtocol", bases, bounds)
    return _Telling(
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
        ),
        told,
    )


def run(app: FastAPI, settings: ServeSettings, *, told: Callable[[], object]) -> None:
    """Serve an application until told to stop, then let what was begun end.

    Args:
        app: What answers.
        settings: Where it is served.
        told: Called once it can be reached.

    Raises:
        ConflictError, InvalidInputError: It cannot be served there; see `check_free`.
    """
    _allow_many_files()
    uvicorn_server(app, settings, told=told).run()


def _allow_many_files() -> None:
    """Use as many open files as the system lets this process have: a database takes about five."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
