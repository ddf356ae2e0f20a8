"""One provider's line: a connection pool, on which a request takes no longer than it may."""

from __future__ import annotations

import asyncio
import os
import ssl
import weakref
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.core.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx2

__all__ = ["Answer", "Line", "Unanswered"]

_CONNECT_S: Final = 10.0  # a host that is there at all accepts within this
_IDLE_S: Final = 30.0  # for how long an idle connection is kept for the next request
_MOST_OF_A_FAULT: Final = 65_536  # bytes: the body of an error is looked at, not kept
_OK: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back, whatever its status; `body` is cut where the status tells of a fault."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Unanswered(Exception):  # noqa: N818 - says what happened; it never leaves this package
    """No whole answer came.

    Attributes:
        advice: What to do about it.
        again: Whether the same request may succeed later.
    """

    def __init__(
        self, what: str, *, advice: str = "check the url and the network", again: bool = True
    ) -> None:
        super().__init__(what)
        self.advice = advice
        self.again = again


def _after_close() -> Unanswered:
    return Unanswered(
        "is not asked any more, as its embedder was closed", advice="make a new one", again=False
    )


class _Open(NamedTuple):
    """What stands once the line is in use."""

    process: int
    loop: asyncio.AbstractEventLoop
    client: httpx2.AsyncClient
    thread: Thread


class Line:
    """Posts JSON to one address, from any thread, over one pool of connections.

    The requests run on an event loop in a thread of its own, which the first one starts. Only so
    can a request be ended at its time whatever it waits for: the name service, a connection, or
    an answer of which a byte arrives now and then, header or body.

    No redirect is followed: texts and key go to no host but the one that was set. Proxies are
    taken from the environment.

    Args:
        url: Where to post.
        headers: What each request says of itself beside its type, such as who asks.
        timeout_s: How long a request may take from beginning to end, in seconds.
    """

    def __init__(self, url: str, *, headers: Mapping[str, str], timeout_s: float) -> None:
        self._url = url
        self._headers = {"content-type": "application/json", **headers}
        self._timeout_s = timeout_s
        self._lock = Lock()
        self._open: _Open | None = None
        self._closed = False

    def post(self, body: bytes, *, most: int) -> Answer:
        """Return the answer to a request.

        Args:
            body: JSON.
            most: The bytes that an answer may have, unpacked.

        Raises:
            Unanswered: None came, or not the whole of one.
            MissingDependencyError: httpx2 is absent.
        """
        with self._lock:  # so that what is handed over is handed over before `close` ends it
            line = self._opened()
            posted = self._posted(line.client, body, most)
            future = asyncio.run_coroutine_threadsafe(posted, line.loop)
        try:
            return future.result()
        except CancelledError:  # by close, from another thread
            raise _after_close() from None
        finally:
            future.cancel()  # where an interrupt ended the waiting; else it is done

    async def _posted(self, client: httpx2.AsyncClient, body: bytes, most: int) -> Answer:
        import httpx2

        try:
            async with asyncio.timeout(self._timeout_s):
                async with client.stream("POST", self._url, content=body) as response:
                    return await _read(response, most)
        except httpx2.ConnectTimeout:
            raise Unanswered(f"accepted no connection within {self._connect_s:g} s") from None
        except httpx2.ConnectError as error:
            raise Unanswered(f"could not be reached ({error})") from None
        except (TimeoutError, httpx2.TimeoutException):
            raise Unanswered(f"gave no whole answer within {self._timeout_s:g} s") from None
        except httpx2.DecodingError:
            raise Unanswered("packed its answer in a way that cannot be unpacked") from None
        except httpx2.TransportError as error:
            # Its words may be the provider's own, and so a piece of what was sent.
            raise Unanswered(f"broke off the connection ({type(error).__name__})") from None

    @property
    def _connect_s(self) -> float:
        return min(self._timeout_s / 2, _CONNECT_S)

    def _opened(self) -> _Open:
        """Return what the line stands on; the caller holds the lock."""
        if self._closed:
            raise _after_close()
        if self._open is None:
            self._open = self._start()
        elif self._open.process != os.getpid():
            # The child has no thread that would answer, and the parent's connections.
            raise Unanswered(
                "is not asked by a forked child", advice="make a new embedder there", again=False
            )
        return self._open

    def _start(self) -> _Open:
        try:
            import httpx2
        except ImportError as error:
            raise MissingDependencyError(
                "httpx2", feature="an embedder over HTTP", extra="http"
            ) from error
        # An address without TLS needs no certificates, which cost 20 ms to read; without them any
        # TLS there might be fails, as it should.
        secure = self._url.startswith("https:")
        client = httpx2.AsyncClient(
            verify=True if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            headers=self._headers,
            timeout=httpx2.Timeout(None, connect=self._connect_s),
            limits=httpx2.Limits(keepalive_expiry=_IDLE_S),
            follow_redirects=False,
        )
        loop = asyncio.new_event_loop()
        thread = Thread(target=_run, args=(loop, client), name="engram-embedder", daemon=True)
        thread.start()
        weakref.finalize(self, _stop, os.getpid(), loop)
        return _Open(os.getpid(), loop, client, thread)

    def close(self) -> None:
        """Close the connections and end what is under way; a second call does nothing."""
        with self._lock:
            self._closed = True
            line, self._open = self._open, None
        if line is not None and line.process == os.getpid():
            _stop(line.process, line.loop)
            line.thread.join()


def _run(loop: asyncio.AbstractEventLoop, client: httpx2.AsyncClient) -> None:
    """Serve requests until the loop is stopped, then end those under way and close all."""
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(_end(client))
        loop.close()


async def _end(client: httpx2.AsyncClient) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await client.aclose()


def _stop(process: int, loop: asyncio.AbstractEventLoop) -> None:
    """Ask the thread of a loop to end; without waiting, as it is also called by the collector."""
    if process == os.getpid():
        with suppress(RuntimeError):  # it is closed already
            loop.call_soon_threadsafe(loop.stop)


async def _read(response: httpx2.Response, most: int) -> Answer:
    body = bytearray()
    fault = response.status_code != _OK
    async for piece in response.aiter_bytes():
        body += piece
        if fault and len(body) >= _MOST_OF_A_FAULT:
            del body[_MOST_OF_A_FAULT:]
            break
        if len(body) > most:
            raise Unanswered(
                f"gave more than the {most} bytes that it needs",
                advice="check the url",
                again=False,
            )
    return Answer(status=response.status_code, headers=response.headers, body=bytes(body))
