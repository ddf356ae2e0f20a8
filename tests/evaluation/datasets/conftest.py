"""A publisher of data sets: a real server on this machine, which can be made to misbehave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest


@dataclass
class Publisher:
    """What a server offers, and what it was asked for.

    Attributes:
        files: The bytes of each path.
        tag: The ETag of every answer; empty for none.
        ranges: Whether it goes on where a download broke off.
        refusals: Codes that it answers first, one a request.
        cuts: How many bytes it sends before it breaks off, one number a request.
        headers: Further headers of every answer.
        requests: Path and `Range` header of each request.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    tag: str = '"one"'
    ranges: bool = True
    refusals: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        span = handler.headers.get("Range")
        self.requests.append((handler.path, span))
        if self.refusals:
            handler.send_response(self.refusals.pop(0))
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        if handler.path not in self.files:
            handler.send_response(404)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        whole, begin = self.files[handler.path], 0
        same = not self.tag or handler.headers.get("If-Range") == self.tag
        if span and self.ranges and same:
            begin = int(span.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(whole):
                handler.send_response(416)
                handler.send_header("Content-Length", "0")
                handler.end_headers()
                return
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {begin}-{len(whole) - 1}/{len(whole)}")
        else:
            handler.send_response(200)
        handler.send_header("Content-Length", str(len(whole) - begin))
        if self.tag:
            handler.send_header("ETag", self.tag)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        body = whole[begin:]
        if self.cuts:
            handler.wfile.write(body[: self.cuts.pop(0)])
            handler.wfile.flush()
            handler.close_connection = True
        else:
            handler.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that hung up."""


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """Run a server until the test is over."""
    offered = Publisher()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            offered.answer(self)

        def log_message(self, *_: Any) -> None:
            """Keep the output clean."""

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with _Server(("127.0.0.1", 0), Handler) as server:
        offered.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield offered
        server.shutdown()
        thread.join()
