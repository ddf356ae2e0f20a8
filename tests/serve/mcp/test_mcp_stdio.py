from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from engram_lab.engine import Engine
from tests.serve.mcp.stdio_child import HASHING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = str(Path(__file__).resolve().parents[3])
INITIALIZE = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {},
               "clientInfo": {"name": "t", "version": "1"}},
}  # fmt: skip
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def command(file: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "tests.serve.mcp.stdio_child", str(file), *more]


def lines(*messages: Any) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in messages)


def call(name: str, id_: int, **arguments: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id_, "method": "tools/call",
            "params": {"name": name, "arguments": arguments}}  # fmt: skip


@pytest.fixture
def child(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    pipes = subprocess.PIPE
    with subprocess.Popen(
        command(tmp_path / "s.db"), stdin=pipes, stdout=pipes, stderr=pipes, cwd=ROOT
    ) as process:
        yield process
        process.kill()


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_official_client_runs_a_session_over_stdio(tmp_path: Path, mode: str) -> None:
    program, *arguments = command(tmp_path / "s.db", "--noisy")
    started = StdioServerParameters(
        command=program, args=arguments, cwd=ROOT, env={"PYTHONPATH": ROOT, **os.environ}
    )
    async with Client(stdio_client(started), mode=mode) as client:
        assert client.server_info is not None
        assert client.server_info.version == "1.2"
        made = await client.call_tool("memory_create", {"content": "line\nbreak ☕"})
        assert not made.is_error
        found = await client.call_tool("memory_search", {"query": "break"})  # it prints as well
        assert found.structured_content["hits"][0]["memory"]["content"] == "line\nbreak ☕"
        assert (await client.read_resource("stats://memories")).contents
    with Engine.open(tmp_path / "s.db", config=HASHING) as engine:
        (memory,) = engine.select()
        assert engine.history(memory.id)[0].author == "local"


def test_what_was_asked_before_the_input_ended_is_answered(
    child: subprocess.Popen[bytes],
) -> None:
    asked = [call("memory_create", number, content=f"{number}") for number in range(2, 22)]
    out, err = child.communicate(lines(INITIALIZE, READY, *asked), timeout=30)
    told = [json.loads(line) for line in out.splitlines()]
    assert sorted(each["id"] for each in told) == list(range(1, 22))
    assert all("result" in each for each in told)
    assert child.returncode == 0
    assert err == b"closed\n"


def test_lines_that_are_no_json_and_endings_without_a_break_are_endured(
    child: subprocess.Popen[bytes],
) -> None:
    last = lines(call("memory_stats", 2)).rstrip(b"\n")
    body = lines(INITIALIZE, READY) + b"{nonsense\n\xff\xfe\n\n[]\n" + last
    out, _ = child.communicate(body, timeout=30)
    assert [each for each in map(json.loads, out.splitlines()) if each.get("id") == 2]
    assert child.returncode == 0


def test_input_that_ends_at_once_ends_the_program(child: subprocess.Popen[bytes]) -> None:
    assert child.communicate(b"", timeout=30) == (b"", b"closed\n")
    assert child.returncode == 0


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_while_the_input_is_open(
    child: subprocess.Popen[bytes], told: signal.Signals
) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdin.write(lines(INITIALIZE, READY))
    child.stdin.flush()
    assert b'"id":1' in child.stdout.readline()
    child.send_signal(told)
    assert child.wait(10) == 0
    assert child.stderr.read() == b"closed\n"


def test_a_client_that_went_away_ends_it_cleanly(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    child.stdin.write(lines(INITIALIZE, READY, call("memory_stats", 2)))
    child.stdin.flush()
    assert child.wait(20) == 0
    assert child.stderr.read() == b"closed\n"
