"""`engram serve` says that it serves once it does, and why where it cannot."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from signal import SIGTERM
from typing import TYPE_CHECKING

import httpx2
import pytest
from fastapi import FastAPI

from engram_lab.config import ServeSettings
from engram_lab.core.errors import ConflictError, InvalidInputError
from engram_lab.serve.server import check_free, uvicorn_server
from tests.serve.child import MAIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        yield port


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def command(tmp_path: Path, port: int) -> list[str]:
    flags = f"serve --data {tmp_path / 'data'} --port {port} --set embedding.model=none"
    return [sys.executable, "-c", MAIN, *flags.split()]


def environ() -> dict[str, str]:
    return {name: each for name, each in os.environ.items() if "ENGRAM_" not in name}


def test_what_says_that_it_serves_answers_the_very_next_request(tmp_path: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        command(tmp_path, port),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environ(),
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert httpx2.get(f"http://127.0.0.1:{port}/health").status_code == 200
            assert said == f"serving {tmp_path / 'data'} at http://127.0.0.1:{port} (/docs)\n"
        finally:
            process.send_signal(SIGTERM)


def test_a_port_that_is_taken_is_one_sentence_and_nothing_is_begun(
    tmp_path: Path, taken: int
) -> None:
    done = subprocess.run(
        [*command(tmp_path, taken), "--tenant", "home"],
        capture_output=True,
        text=True,
        env=environ(),
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"engram: port {taken} of 127.0.0.1 is taken: end what serves there, or give another "
        "--port\n"
    )
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_taken_meanwhile_is_told_as_well(taken: int) -> None:
    told: list[str] = []
    server = uvicorn_server(
        FastAPI(), ServeSettings(port=taken), told=lambda: told.append("serving")
    )
    with pytest.raises(ConflictError, match=f"port {taken} of 127.0.0.1 is taken"):
        server.run()
    assert told == []


def test_a_failure_of_another_kind_is_not_taken_for_the_ports() -> None:
    async def broken(scope: object, receive: object, send: object) -> None:
        raise RuntimeError

    server = uvicorn_server(broken, ServeSettings(port=free_port()))  # type: ignore[arg-type]
    with pytest.raises(SystemExit):
        server.run()


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(InvalidInputError, match=f"nothing can be served at port 8765 of {host}"):
        check_free(host, 8765)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "0.0.0.0", "::"])  # noqa: S104
def test_an_address_of_this_machine_is_free_to_be_served_at_afterwards(host: str) -> None:
    if ":" in host and not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    port = free_port()
    try:
        check_free(host, port)
    except InvalidInputError:
        pytest.skip("this machine has no IPv6")
    check_free(host, port)
