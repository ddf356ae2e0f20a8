from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engram_lab.serve.control.records import Tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engram_lab.serve.control.records import Plan

REDIS = shutil.which("redis-server")


class RedisServer:
    """A Redis of our own, on a socket of its own, that can be killed, frozen and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{folder / 'redis.sock'}"

    def start(self) -> None:
        assert REDIS is not None
        socket = self._folder / "redis.sock"
        command = [REDIS, "--port", "0", "--unixsocket", str(socket), "--save", ""]
        self._process = subprocess.Popen(
            [*command, "--dir", str(self._folder)], stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + 10
        while not socket.exists():
            assert time.monotonic() < until, "redis-server did not start"
            time.sleep(0.01)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None
            (self._folder / "redis.sock").unlink(missing_ok=True)

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    if REDIS is None:
        pytest.skip("redis-server is not installed here")
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:  # a short path, for the socket
        server = RedisServer(Path(folder))
        server.start()
        yield server
        server.kill()


@pytest.fixture
def tenant_of() -> Callable[..., Tenant]:
    def make(plan: Plan = "free", name: str = "acme") -> Tenant:
        at = datetime(2026, 11, 21, tzinfo=UTC)
        return Tenant(id=name, slug=name, name=name, plan=plan, created_at=at)

    return make


class Timer:
    """Seconds that move only when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def timer() -> Timer:
    return Timer()
