"""A headless Chromium, spoken to by the protocol of its own developer tools."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import time
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import websocket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE_S = 60


class Page:
    """One page of a browser."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, timeout=_PATIENCE_S)
        self._numbers = count(1)

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv())
            if told.get("id") == number:
                assert "error" not in told, told
                return dict(told["result"])

    def ask(self, script: str) -> Any:
        """Return the value of a line of JavaScript."""
        return self._call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get(
            "value"
        )

    def wait_until(self, script: str) -> None:
        """Wait until a line of JavaScript is true."""
        until = time.monotonic() + _PATIENCE_S
        while self.ask(script) is not True:
            if time.monotonic() > until:
                pytest.fail(f"never so: {script}, but: {self.ask('document.body.innerText')}")
            time.sleep(0.25)

    def picture(self) -> bytes:
        """Return what is seen, as PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot")["data"])

    def close(self) -> None:
        """Say no more."""
        self._socket.close()


@contextmanager
def page_of(program: str, address: str, *, profile: Path) -> Iterator[Page]:
    """Lend a page that shows an address."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    browser = subprocess.Popen(
        [
            *(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *(f"--remote-debugging-port={port}", "--remote-allow-origins=*"),
            *(f"--user-data-dir={profile / 'profile'}", "--window-size=1300,2600", address),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        page = Page(_socket_of(port))
        try:
            yield page
        finally:
            page.close()
    finally:
        browser.terminate()
        browser.wait(timeout=30)


def _socket_of(port: int) -> str:
    for _ in range(_PATIENCE_S * 4):
        try:
            with urlopen(f"http://127.0.0.1:{port}/json") as answer:
                for each in json.load(answer):
                    if each["type"] == "page":
                        return str(each["webSocketDebuggerUrl"])
        except URLError:
            pass
        time.sleep(0.25)
    pytest.fail("the browser never answered")
