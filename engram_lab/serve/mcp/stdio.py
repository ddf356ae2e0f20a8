"""The protocol over standard input and output: one client, one engine, until the input ends."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast

import anyio
import anyio.to_thread
from mcp.server.stdio import stdio_server

from engram_lab.serve.mcp.server import build_mcp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mcp.server import ServerRequestContext
    from mcp.server.context import CallNext, HandlerResult

    from engram_lab.engine import Engine

__all__ = ["serve_stdio"]

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)

_AT_A_TIME: Final = 65_536
_SETTLING_S: Final = 0.02
_AUTHOR: Final = "mcp"


def serve_stdio(
    engine: Engine,
    *,
    author: str = _AUTHOR,
    about: Mapping[str, Any] | None = None,
    version: str = "",
) -> None:
    """Serve an engine to whoever started this program, until its input ends.

    Nothing but the protocol is written to standard output; the log goes to standard error. What
    was asked before the input ended is answered. SIGTERM and SIGINT end it as well, at once. The
    engine stays open: whoever opened it closes it.

    Args:
        engine: What answers.
        author: Who is recorded as having written what is written now.
        about: See `build_mcp`.
        version: See `build_mcp`.
    """
    try:
        anyio.run(partial(_serve, engine, author=author, about=about, version=version))
    except* BrokenPipeError:
        _LOG.info("nobody reads the answers any more: it is over")


async def _serve(
    engine: Engine, *, author: str, about: Mapping[str, Any] | None, version: str
) -> None:
    async def use(work: Callable[[Engine], T], /) -> T:
        return await anyio.to_thread.run_sync(work, engine)

    server = build_mcp(use, author=lambda: author, about=about, version=version)
    going_on = _GoingOn()
    server.middleware.append(going_on)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_until_told, tasks.cancel_scope)
        lines = cast(
            "Any", _Lines(sys.stdin.fileno(), going_on)
        )  # all that is asked of it is to be iterated
        async with stdio_server(stdin=lines) as (read, write):
            await server.run(read, write, server.create_initialization_options())
        tasks.cancel_scope.cancel()


async def _until_told(scope: anyio.CancelScope) -> None:
    """Stop when the system says so."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()
            return


class _GoingOn:
    """Counts the requests that are being answered."""

    def __init__(self) -> None:
        self._count = 0
        self._idle = anyio.Event()

    async def __call__(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """Count one while it lasts."""
        self._count += 1
        try:
            return await call_next(ctx)
        finally:
            self._count -= 1
            if not self._count:
                self._idle.set()

    async def over(self) -> None:
        """Wait until all are answered, and their answers are written."""
        await anyio.sleep(_SETTLING_S)  # the last one may be about to begin
        if self._count:
            self._idle = anyio.Event()
            await self._idle.wait()
        await anyio.sleep(_SETTLING_S)


class _Lines:
    """The lines of a file descriptor.

    A thread reads them that nobody waits for: one that waits for input cannot be stopped, and must
    not keep the program from ending.
    """

    def __init__(self, descriptor: int, going_on: _GoingOn) -> None:
        self._descriptor = descriptor
        self._going_on = going_on
        self._lines: asyncio.Queue[str | None] = asyncio.Queue(maxsize=64)
        self._loop = asyncio.get_running_loop()
        Thread(target=self._read, name="mcp-stdin", daemon=True).start()

    def _read(self) -> None:
        rest = b""
        with suppress(RuntimeError, OSError, CancelledError):  # whoever listened is gone
            while chunk := os.read(self._descriptor, _AT_A_TIME):
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    self._put(line)
            if rest:
                self._put(rest)
            self._give(None)

    def _put(self, line: bytes) -> None:
        if line.strip():
            self._give(line.decode(errors="replace"))

    def _give(self, line: str | None) -> None:
        asyncio.run_coroutine_threadsafe(self._lines.put(line), self._loop).result()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        line = await self._lines.get()
        if line is None:
            await self._going_on.over()
            raise StopAsyncIteration
        return line
