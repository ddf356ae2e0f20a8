"""What clients who misbehave do to others, and a Redis that goes away: next to nothing."""

from __future__ import annotations

import logging
import resource
import socket
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest

from engram_lab.config import LimitSettings, ServeSettings
from tests.serve.child import Child, child
from tests.serve.limits.conftest import REDIS, RedisServer
from tests.serve.live import live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """A server that waits for nobody for long."""
    folder = tmp_path_factory.mktemp("patient")
    serve = ServeSettings(head_s=3, timeout_s=3, drain_s=2)
    with child(settings(folder / "data", serve=serve), folder) as server:
        server.start()
        with server.client() as client:
            rows = [{"content": f"{number} " + "words " * 300} for number in range(1_000)]
            for _ in range(8):
                client.post("/v1/memories:batch", json={"memories": rows}).raise_for_status()
        yield server


def test_100_mb_are_refused_before_they_are_taken_in(patient: Child) -> None:
    with patient.client() as client:
        client.post("/v1/memories", json={"content": "warm"}).raise_for_status()
        before = patient.megabytes("VmHWM")
        length = "Content-Length: 100000000"
        for method, path, more in (
            ("POST", "/v1/memories", "Content-Type: application/json"),
            ("POST", "/v1/mcp", "Content-Type: application/json"),
            ("PATCH", "/v1/memories/x", "Content-Type: application/json"),
        ):
            began = monotonic()
            with patient.connected() as sent:
                sent.sendall(patient.head(method, path, more, length))
                assert sent.recv(65_536).startswith(b"HTTP/1.1 413 ")
            assert monotonic() - began < 1
        chunk, taken = b"100000\r\n" + b"x" * 0x100000 + b"\r\n", 0
        with patient.connected() as sent:
            chunked = "Transfer-Encoding: chunked"
            sent.sendall(patient.head("POST", "/v1/memories", chunked, "Content-Type: text/plain"))
            with suppress(ConnectionError):
                while taken < 100:
                    sent.sendall(chunk)
                    taken += 1
        assert taken < 20  # what it does not say at first is noticed at 2 MB
        assert client.get("/health").status_code == 200
    grown = patient.megabytes("VmHWM") - before
    _log.info("four bodies of 100 MB: memory grew by %.1f MB, %d MB were taken", grown, taken)
    assert grown < 16


def test_who_reads_an_export_slowly_holds_nobody_up(patient: Child) -> None:
    before = patient.megabytes()
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.socket()) for _ in range(2)]
        read_slowly(patient, slow)
        answers = lasting(patient, 100)
        grown = patient.megabytes() - before
        _log.info(
            "beside 2 stalled exports: p99 %.1f ms, memory grew %.1f MB", answers * 1e3, grown
        )
        assert answers < 0.5
        assert grown < 64
        until = monotonic() + 15
        while exports_of(patient) and monotonic() < until:
            sleep(0.1)
        assert not exports_of(patient)  # who takes nothing for so long is given no more


def read_slowly(patient: Child, slow: list[socket.socket]) -> None:
    """Ask for an export, and take next to nothing of it."""
    for each in slow:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        each.connect(("127.0.0.1", patient.port))
        each.settimeout(30)
        each.sendall(patient.head("GET", "/v1/export"))
    assert [each.recv(16)[:15] for each in slow] == [b"HTTP/1.1 200 OK"] * len(slow)


def exports_of(server: Child) -> list[str]:
    """Return the files of exports that a server has open."""
    assert server.process is not None
    folder = Path(f"/proc/{server.process.pid}/fd")
    links = (str(each.readlink()) for each in folder.iterdir() if each.is_symlink())
    return [each for each in links if "/export." in each]


def lasting(server: Child, times: int) -> float:
    """Return how long the slowest of a hundred requests took, in seconds."""
    took = []
    with server.client("other") as client:
        for number in range(times):
            began = monotonic()
            assert client.post("/v1/search", json={"query": f"word {number}"}).status_code == 200
            took.append(monotonic() - began)
    return sorted(took)[int(times * 0.99) - 1]


def test_thousands_who_never_finish_asking_leave_room_for_others(patient: Child) -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most[1], most[1]))
    number = min(4_000, most[1] - 500)
    quiet, before = lasting(patient, 100), patient.megabytes()
    half: list[socket.socket] = []
    try:
        with patient.client("other") as client:
            client.get("/v1/stats").raise_for_status()
            for count_ in range(number):
                half.append(patient.connected())
                half[-1].sendall(
                    (b"", b"GET /v1/st", b"POST /v1/search HTTP/1.1\r\nX: y")[count_ % 3]
                )
            began = monotonic()
            busy = lasting(patient, 200)
            assert client.get("/v1/stats").status_code == 200
        grown = patient.megabytes() - before
        told = number, busy * 1e3, quiet * 1e3, grown * 1024 / number
        _log.info("beside %d half-open: p99 %.1f ms, else %.1f ms; %.1f KB each", *told)
        assert busy < 0.5
        for each in half:
            each.settimeout(10)
            with suppress(ConnectionError):
                assert each.recv(1_024) == b""
        _log.info("all were closed after %.1f s", monotonic() - began)
        assert monotonic() - began < 3 + 5
    finally:
        for each in half:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, most)
    assert lasting(patient, 20) < 0.5


def test_a_second_request_has_no_longer_than_the_first(patient: Child) -> None:
    with patient.connected() as sent:
        sent.sendall(patient.head("GET", "/v1/stats"))
        first = sent.recv(65_536)
        while not first.endswith(b"}}"):
            first += sent.recv(65_536)
        assert first.startswith(b"HTTP/1.1 200")
        began = monotonic()
        with suppress(ConnectionError):
            for byte in patient.head("GET", "/v1/stats")[:100]:
                sent.sendall(bytes([byte]))
                sent.settimeout(0.2)
                with suppress(TimeoutError):
                    assert sent.recv(1_024) == b""
                    break
        assert monotonic() - began < 3 + 2


# Redis


def test_without_redis_requests_are_counted_here(tmp_path: Path) -> None:
    if REDIS is None:
        pytest.skip("redis-server is not installed here")
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        redis = RedisServer(Path(folder))
        redis.start()
        limits = LimitSettings(per_minute=60, burst=20, redis_url=redis.url)
        try:
            with live(settings(tmp_path, limits=limits)) as found:
                client = found.of("acme")
                first = client.get("/v1/memories")
                assert first.headers["x-ratelimit-remaining"] == "19"
                redis.kill()
                began = monotonic()
                rest = [client.get("/v1/memories") for _ in range(25)]
                took = monotonic() - began
                assert {each.status_code for each in rest} == {200, 429}
                assert [each.status_code for each in rest[:19]] == [200] * 19
                checks = client.get("/health/ready").json()["data"]
                assert (checks["status"], checks["checks"]["redis"]["status"]) == (
                    "degraded", "degraded",
                )  # fmt: skip
                _log.info("25 requests without Redis took %.0f ms", took * 1e3)
                assert took < 3
        finally:
            redis.kill()
