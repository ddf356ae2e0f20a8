"""A server in a process of its own, as `engram serve` starts it: to be killed, starved, flooded."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import httpx2

from tests.serve.live import HASHING, live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.config import ServerConfig
    from engram_lab.serve.control.records import Plan

MAIN = "from engram_lab.cli import main; main()"


@dataclass
class Child:
    """A server of `config`, over a folder in which its tenants are made already."""

    config: ServerConfig
    folder: Path
    keys: dict[str, str]
    ids: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return self.config.serve.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def client(self, slug: str = "acme", *, timeout: float = 30.0) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {self.keys[slug]}", "X-Engram-Tenant": slug}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=timeout)

    def head(self, method: str, path: str, *more: str, slug: str = "acme") -> bytes:
        """Return the head of a request, to be sent by hand."""
        lines = [
            f"{method} {path} HTTP/1.1", "Host: localhost", f"X-Engram-Tenant: {slug}",
            f"Authorization: Bearer {self.keys[slug]}", *more,
        ]  # fmt: skip
        return "\r\n".join([*lines, "", ""]).encode()

    def connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        told = {**HASHING.to_dict(), **self.config.to_dict()}
        file = self.folder / "config.yaml"
        kept = {name: _said(section) for name, section in told.items()}
        file.write_text(json.dumps(kept), encoding="utf-8")
        environ = {name: each for name, each in os.environ.items() if "ENGRAM_" not in name}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", MAIN, "serve", "--config", str(file)],
                stdout=log, stderr=log, env=environ,
            )  # fmt: skip
        until = monotonic() + 30
        while monotonic() < until:
            assert self.process.poll() is None, self.log
            try:
                httpx2.get(f"{self.url}/health", timeout=5)
            except httpx2.TransportError:
                sleep(0.02)
            else:
                return
        raise AssertionError(self.log)

    def end(self, how: signal.Signals = signal.SIGKILL) -> int:
        """End it, and return its code."""
        if self.process is None:
            return 0
        self.process.send_signal(how)
        code = self.process.wait(60)
        self.process = None
        return code

    def megabytes(self, what: str = "VmRSS") -> float:
        """Return how much memory it takes, or (`VmHWM`) ever took."""
        assert self.process is not None
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        found = re.search(rf"{what}:\s+(\d+) kB", text)
        assert found
        return int(found[1]) / 1024

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """Look at what it left, with the server's own parts."""
        with live(replace(self.config)) as found:
            yield found.running.services


@contextmanager
def child(
    config: ServerConfig, folder: Path, slugs: tuple[str, ...] = ("acme", "other"),
    plan: Plan = "dedicated",
) -> Iterator[Child]:  # fmt: skip
    """Make tenants and a server of them, which is started by the block and ended after it."""
    with live(config) as made:
        ids = {slug: made.tenant(slug, plan).id for slug in slugs}
        keys = {slug: made.key(slug) for slug in slugs}
    found = Child(config=config, folder=folder, keys=keys, ids=ids)
    try:
        yield found
    finally:
        found.end()


def _said(section: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in section.items() if value is not None}
