"""The server of HTTP: uvicorn, with a bound on how long somebody may connect and say nothing.

By itself uvicorn bounds how long a connection may idle after a request, not how long it may take
for its first one; so a few thousand who never finish theirs would use it up.
"""

from __future__ import annotations

import asyncio
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


class _Patient:
    """Gives a connection so long for the head of each request; mixed into a protocol."""

    head_s: float = 10.0
    cycle: Any
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)  # type: ignore[misc]
        self._waiting = self.loop.call_later(self.head_s, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        super().connection_lost(exc)  # type: ignore[misc]

    def _look(self) -> None:
        self._waiting = None
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


def uvicorn_server(app: FastAPI, settings: ServeSettings) -> uvicorn.Server:
    """Return a server of an application, to be run."""
    base = H11Protocol if HttpToolsProtocol is None else HttpToolsProtocol
    protocol = type("PatientProtocol", (_Patient, base), {"head_s": settings.head_s})
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
    uvicorn_server(app, settings).run()
