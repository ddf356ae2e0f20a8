"""A provider on this machine, which answers well or as badly as its script says."""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import threading
from collections import deque
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.retrieval.embedders.cohere import COHERE
from engram_lab.retrieval.embedders.ollama import OLLAMA
from engram_lab.retrieval.embedders.openai import OPENAI
from engram_lab.retrieval.embedders.provider import ProviderEmbedder
from engram_lab.retrieval.embedders.registry import EmbedderOptions
from engram_lab.retrieval.embedders.voyage import VOYAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Behaviour = Callable[["Handler", "Asked"], None]

DIALECTS = {each.name: each for each in (COHERE, OLLAMA, OPENAI, VOYAGE)}
KEYS = ("CO_API_KEY", "OLLAMA_API_KEY", "OPENAI_API_KEY", "VOYAGE_API_KEY")
DIM = 8


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def texts(self) -> list[str]:
        return list(self.body["texts" if "texts" in self.body else "input"])


def vector(text: str, dim: int = DIM) -> list[float]:
    """Return numbers that depend on the text alone, and are far from a unit vector."""
    digest = hashlib.shake_256(text.encode()).digest(2 * dim)
    return [float(each) for each in struct.unpack(f"<{dim}h", digest)]


def well(asked: Asked, vectors: Sequence[Any] | None = None) -> Any:
    """Return what a provider answers; those with an index in no order, as they may."""
    dim = asked.body.get("dimensions") or asked.body.get("output_dimension") or DIM
    rows = [vector(text, dim) for text in asked.texts] if vectors is None else list(vectors)
    if asked.path.endswith("/api/embed"):
        return {"model": asked.body["model"], "embeddings": rows}
    if asked.path.endswith("/v2/embed"):
        return {"id": "1", "embeddings": {"float": rows}, "texts": asked.texts}
    listed = [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(rows)]
    return {"object": "list", "data": listed[::-1], "model": asked.body["model"]}


class Handler(BaseHTTPRequestHandler):
    """One connection to the provider."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement
    provider: Provider

    def setup(self) -> None:
        self.provider.connections += 1
        super().setup()

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.path, headers, json.loads(raw))
        with self.provider.lock:
            self.provider.requests.append(asked)
            script = self.provider.script
            behave = script.popleft() if script else self.provider.otherwise
        with suppress(ConnectionError):  # the other side may have had enough
            behave(self, asked)

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        given = {"content-type": "application/json", "content-length": str(len(body))}
        self.send_response(status)
        for name, value in (given | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def answer_well(handler: Handler, asked: Asked) -> None:
    handler.reply(200, json.dumps(well(asked)).encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # many threads may come at once; one too many waits a second


class Provider:
    """Answers well, but first as its script says, one behaviour a request."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.requests: list[Asked] = []
        self.connections = 0
        self.script: deque[Behaviour] = deque()
        self.otherwise: Behaviour = answer_well
        self.over = threading.Event()
        handler = type("OneHandler", (Handler,), {"provider": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,))
        self._thread.start()

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def will(self, *behaviours: Behaviour) -> None:
        """Behave so at the next requests, then well."""
        self.script.extend(behaviours)

    def always(self, behaviour: Behaviour) -> None:
        """Behave so whenever the script is at its end."""
        self.otherwise = behaviour

    @property
    def batches(self) -> list[list[str]]:
        return [asked.texts for asked in self.requests]

    # What it can do.

    @staticmethod
    def well(handler: Handler, asked: Asked) -> None:
        answer_well(handler, asked)

    @staticmethod
    def status(status: int, body: Any = b"", **headers: str) -> Behaviour:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return lambda handler, _: handler.reply(status, content, named)

    @staticmethod
    def vectors(change: Callable[[list[Any]], Sequence[Any]]) -> Behaviour:
        """Answer with the right vectors, changed."""

        def behave(handler: Handler, asked: Asked) -> None:
            rows: list[Any] = [vector(text) for text in asked.texts]
            handler.reply(200, json.dumps(well(asked, change(rows))).encode())

        return behave

    @staticmethod
    def answer(change: Callable[[Any], Any]) -> Behaviour:
        """Answer with the right JSON, changed; bytes are sent as they are."""

        def behave(handler: Handler, asked: Asked) -> None:
            changed = change(well(asked))
            content = changed if isinstance(changed, bytes) else json.dumps(changed).encode()
            handler.reply(200, content)

        return behave

    @staticmethod
    def cut(handler: Handler, asked: Asked) -> None:
        """Send half of the JSON as if it were whole."""
        whole = json.dumps(well(asked)).encode()
        handler.reply(200, whole[: len(whole) // 2])

    @staticmethod
    def stop_midway(handler: Handler, asked: Asked) -> None:
        """Promise more than is sent, and end the connection."""
        whole = json.dumps(well(asked)).encode()
        handler.reply(200, whole[: len(whole) // 2], {"content-length": str(len(whole))})
        handler.close_connection = True

    @staticmethod
    def reset(handler: Handler, _asked: Asked) -> None:
        """Send the head of an answer, then reset the connection."""
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
        handler.wfile.flush()
        linger = struct.pack("ii", 1, 0)  # no lingering: close sends a reset
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.close_connection = True

    @staticmethod
    def hang_up(handler: Handler, _asked: Asked) -> None:
        """End the connection without a word."""
        handler.close_connection = True

    def silence(self, handler: Handler, _asked: Asked) -> None:
        """Say nothing until the test is over."""
        self.over.wait(30)
        handler.close_connection = True

    def drip(self, head: bytes, drop: bytes) -> Behaviour:
        """Send a head, then a drop every hundredth of a second until the test is over."""

        def behave(handler: Handler, _asked: Asked) -> None:
            handler.close_connection = True
            handler.wfile.write(head)
            while not self.over.wait(0.01):
                handler.wfile.write(drop)

        return behave


@dataclass
class Waits:
    """Time that passes only when somebody sleeps, and what was slept."""

    now: float = -1000.0  # a monotonic clock begins anywhere
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


class Asking:
    """Makes embedders that ask the provider, and closes them."""

    def __init__(self, provider: Provider, waits: Waits, closing: ExitStack) -> None:
        self.provider = provider
        self.waits = waits
        self.clock = ManualClock()
        self._closing = closing

    def __call__(self, name: str = "openai", **options: Any) -> ProviderEmbedder:
        chosen = {"url": self.provider.url, "timeout_s": 5.0, "retries": 2, **options}
        embedder = ProviderEmbedder(
            DIALECTS[name],
            EmbedderOptions(**chosen),
            clock=self.clock,
            sleep=self.waits.sleep,
            monotonic=self.waits.monotonic,
            seed=1,
        )
        return self._closing.enter_context(embedder)

    @staticmethod
    def right(texts: Sequence[str], dim: int = DIM) -> NDArray[np.float32]:
        """Return the rows that an embedder of this provider must give."""
        rows = np.array([vector(text, dim) for text in texts], dtype=np.float64)
        units: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return units.astype(np.float32)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*KEYS, "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def asking(provider: Provider, waits: Waits) -> Iterator[Asking]:
    with ExitStack() as closing:
        yield Asking(provider, waits, closing)
