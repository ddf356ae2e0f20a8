from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import FileIO, StringIO
from pathlib import Path
from socket import create_connection
from threading import Thread
from typing import IO, Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.config.serving import TelemetrySettings
from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import StoreCorruptError
from engram_lab.serve.call import Actor, Call
from engram_lab.serve.observing import Logger, configure_logs, spend

MakeCall = Callable[..., Call]

DOCUMENTED = {
    *("request_id", "tenant_id", "tenant_slug", "user_id", "route"),
    *("method", "status_code", "latency_ms", "error_code"),
}
CANARY = "canary7f3a"
KEY = "ek_live_abcdEFGHijklMNOPqrstUVWX0123"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl"  # noqa: S105


class Log:
    def __init__(self, **settings: Any) -> None:
        self.stream = StringIO()
        self.log = configure_logs(
            TelemetrySettings(**settings), self.stream, clock=ManualClock(), adopt=False
        )

    @property
    def text(self) -> str:
        assert self.log.close()
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.split("\n")[:-1]]


def test_a_request_is_one_line_with_the_documented_fields(made_call: MakeCall) -> None:
    log = Log()

    log.log.log_call(made_call(error_code="RATE_LIMITED"), 429, 0.00125)

    (line,) = log.lines
    assert DOCUMENTED | {"client", "actor", "timestamp", "level", "event"} == line.keys()
    assert line["route"] == "POST /v1/search"
    assert line["tenant_slug"] == "acme"
    assert line["latency_ms"] == 1.25
    assert line["status_code"] == 429
    assert line["error_code"] == "RATE_LIMITED"
    assert line["user_id"] is None
    assert line["actor"] == "key:01890a5d-ac96-774b-bcce-b302099a8059"
    assert line["timestamp"] == "2026-01-01T00:00:00.000000Z"


def test_the_user_of_a_token_is_named_and_the_correlation_told(made_call: MakeCall) -> None:
    log = Log()
    call = made_call(actor=Actor(kind="user", id="u-1"), extra={"trace_id": "ab" * 16})
    call.answer_headers["X-Correlation-ID"] = "from-the-client"

    log.log.log_call(call, 200, 0.001)

    (line,) = log.lines
    assert (line["user_id"], line["actor"]) == ("u-1", "user:u-1")
    assert (line["correlation_id"], line["trace_id"]) == ("from-the-client", "ab" * 16)


def stumble() -> None:
    try:
        int(CANARY)
    except ValueError as error:
        raise KeyError(CANARY) from error


def test_nothing_that_was_sent_is_in_a_line(made_call: MakeCall) -> None:
    log = Log()
    call = made_call(
        method=f"POST{CANARY}",
        path=f"/v1/memories/{CANARY}?q={CANARY}",
        headers={"authorization": [f"Bearer {CANARY}"], "x-engram-tenant": [CANARY]},
        client=f"10.0.0.1, {CANARY}",
        workspace=CANARY,
        target=CANARY,
        tenant=None,
        actor=None,
        needs=None,
    )

    log.log.log_call(call, 404, 9.0)
    try:
        stumble()
    except KeyError as error:
        log.log.log_error(error, call)
    log.log.info("other", query=CANARY, content=CANARY, token=CANARY, thing=[object()])

    assert CANARY not in log.text
    first, slow, failed, other = log.lines
    assert (first["route"], first["method"], first["client"]) == ("unmatched", "OTHER", "unknown")
    assert slow["event"] == "slow_request"
    assert (failed["error_type"], failed["error_cause"]) == ("KeyError", "ValueError")
    assert failed["error_at"][-1].startswith(f"{__name__}:stumble:")
    assert other["query"] == "***"


@pytest.mark.parametrize(
    "secret", [KEY, TOKEN, f"Bearer {CANARY}", f"redis://user:{CANARY}@localhost:6379/0"]
)
@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_secret_that_gets_here_is_masked(secret: str, log_format: str) -> None:
    log = Log(log_format=log_format)

    log.log.info("told", note=f"it was {secret} indeed", thing={"deep": [secret]})

    assert "it was" in log.text
    assert "indeed" in log.text
    for part in (KEY[12:], TOKEN[8:], CANARY):
        assert part not in log.text


def test_what_the_database_says_is_told() -> None:
    log = Log()

    log.log.log_error(StoreCorruptError("page 7 is damaged"))
    log.log.log_error(OSError(28, "No space left on device", f"/data/{CANARY}"))

    assert [line["error_says"] for line in log.lines] == [
        "page 7 is damaged",
        "No space left on device",
    ]
    assert CANARY not in log.text


def test_a_value_that_cannot_be_written_is_still_a_line() -> None:
    log, deep = Log(), []  # type: ignore[var-annotated]
    circle: dict[str, Any] = {}
    circle["self"] = circle
    for _ in range(100_000):
        deep = [deep]

    for value in (circle, deep, 2**70, float("nan"), b"bytes"):
        log.log.info("told", value=value)

    assert [line["event"] for line in log.lines] == [
        *("log_failed", "log_failed", "told", "told", "told")
    ]


ANYTHING = st.text(st.characters(codec=None, categories=None), max_size=40)


@given(ANYTHING, ANYTHING, st.sampled_from(["json", "text"]))
def test_no_value_can_forge_a_line(event: str, value: str, log_format: str) -> None:
    log = Log(log_format=log_format)

    log.log.info(event, request_id=value, thing={value: [value]})

    text = log.text
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1  # by all that Unicode takes for the end of a line
    assert all(each.isprintable() or each == "\n" or ord(each) > 0x9F for each in text)
    if log_format == "json":
        told = json.loads(text)["request_id"]
        assert told == value or "***" in told


def test_people_read_text() -> None:
    log = Log(log_format="text")

    log.log.warning("disk is filling", free_mib=12, note="two words", nothing=None)

    assert log.text == (
        '2026-01-01T00:00:00.000000Z warning "disk is filling" free_mib=12 note="two words"\n'
    )


def test_lines_below_the_level_cost_nothing(made_call: MakeCall) -> None:
    log = Log(log_level="warning", slow_ms=5.0)

    log.log.log_call(made_call(), 200, 0.001)
    log.log.log_call(made_call(), 200, 0.006)
    log.log.log_call(made_call(), 503, 0.001)

    assert [(line["event"], line["level"]) for line in log.lines] == [
        ("slow_request", "warning"),
        ("request", "error"),
    ]


def test_a_slow_request_says_where_the_time_went(made_call: MakeCall) -> None:
    log = Log(slow_ms=100.0)
    call = made_call()
    spend(call, "waiting", 0.05)
    spend(call, "engine", 0.1)
    spend(call, "engine", 0.1)

    log.log.log_call(call, 200, 0.3)
    log.log.log_call(made_call(extra={"streaming": True}), 200, 60.0)

    _, slow, _ = log.lines
    assert slow["spent_ms"] == {"waiting": 50.0, "engine": 200.0, "other": 50.0}
    assert slow["route"] == "POST /v1/search"


@pytest.fixture
def adopted() -> Iterator[tuple[Logger, StringIO]]:
    stream = StringIO()
    log = configure_logs(TelemetrySettings(), stream, clock=ManualClock())
    yield log, stream
    log.close()


def test_the_lines_of_the_http_server_are_like_ours(adopted: tuple[Logger, StringIO]) -> None:
    log, stream = adopted
    error = logging.getLogger("uvicorn.error")

    error.info("Uvicorn running on %s", "http://127.0.0.1:8765\n{forged}")
    error.debug("headers: %s", CANARY)
    error.info('%s - "WebSocket %s" [accepted]', "1.2.3.4", f"/?q={CANARY}")
    logging.getLogger("uvicorn.access").info('"GET /%s"', CANARY)
    logging.getLogger("mcp.server.lowlevel").info("Processing request")
    logging.getLogger("mcp.server.lowlevel").warning(f"Failed to validate: {CANARY}")  # noqa: G004
    try:
        int(CANARY)
    except ValueError:
        error.exception("Exception in ASGI application\n")
    log.close()

    told = [json.loads(line) for line in stream.getvalue().split("\n")[:-1]]
    assert CANARY not in stream.getvalue()
    assert [(line["logger"], line["level"]) for line in told] == [
        ("uvicorn.error", "info"),
        ("mcp.server.lowlevel", "warning"),
        ("uvicorn.error", "error"),
    ]
    assert told[0]["says"] == "Uvicorn running on http://127.0.0.1:8765\n{forged}"
    assert told[2]["error_type"] == "ValueError"


def test_a_warning_that_comes_again_and_again_is_told_once_a_minute(
    adopted: tuple[Logger, StringIO],
) -> None:
    log, stream = adopted
    theirs = logging.getLogger("opentelemetry.exporter")
    for number in (0, 1, 2, 61):
        record = theirs.makeRecord(theirs.name, logging.WARNING, "", 7, "no collector", (), None)
        record.created = 1_000.0 + number
        theirs.handle(record)
    log.close()

    told = [json.loads(line) for line in stream.getvalue().split("\n")[:-1]]
    assert [line.get("repeated") for line in told] == [None, 2]


def test_what_was_adopted_is_given_back() -> None:
    theirs = logging.getLogger("uvicorn.error")
    before = (list(theirs.handlers), theirs.propagate, theirs.level, theirs.disabled)
    root = list(logging.getLogger().handlers)

    log = configure_logs(TelemetrySettings(), StringIO())
    assert logging.getLogger().handlers == root
    log.close()

    assert (list(theirs.handlers), theirs.propagate, theirs.level, theirs.disabled) == before


@pytest.fixture
def pipe() -> Iterator[tuple[FileIO, IO[str]]]:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb", buffering=0) as read:
        yield read, stream


def test_a_reader_that_stands_still_holds_nobody_up(
    made_call: MakeCall, pipe: tuple[FileIO, IO[str]]
) -> None:
    reader, stream = pipe
    log = configure_logs(TelemetrySettings(), stream, adopt=False)
    call, longest = made_call(), 0.0

    for _ in range(30_000):  # a pipe takes 64 KiB, the queue 8 MiB: some 20,000 of these
        began = time.perf_counter()
        log.log_call(call, 200, 0.001)
        longest = max(longest, time.perf_counter() - began)
    dropped = log.dropped

    assert dropped > 0
    assert longest < 0.1
    assert not log.close(within_s=0.05)

    got = bytearray()
    while not got.endswith(b"}\n") or b"log_lines_dropped" not in got[-200:]:
        got += reader.read(1 << 16) or b""
    lines = [json.loads(line) for line in got.decode().split("\n")[:-1]]
    assert len(lines) - 1 + dropped == 30_000
    assert lines[-1]["count"] == dropped


def test_a_reader_that_went_away_holds_nobody_up(
    made_call: MakeCall, pipe: tuple[FileIO, IO[str]]
) -> None:
    reader, stream = pipe
    log = configure_logs(TelemetrySettings(), stream, adopt=False)
    reader.close()

    log.log_call(made_call(), 200, 0.001)

    assert not log.close()
    assert log.dropped == 1


def test_a_process_ends_though_nobody_reads_its_lines() -> None:
    program = (
        "import sys\n"
        "from engram_lab.config.serving import TelemetrySettings\n"
        "from engram_lab.serve.observing import configure_logs\n"
        "log = configure_logs(TelemetrySettings(), sys.stderr)\n"
        "for _ in range(3000): log.info('line', filling='x' * 200)\n"
        "log.close(within_s=0.1)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)

    assert child.wait(20) == 0
    assert child.stderr is not None
    child.stderr.close()


def test_lines_come_in_order_and_none_is_missing(pipe: tuple[FileIO, IO[str]]) -> None:
    reader, stream = pipe
    log = configure_logs(TelemetrySettings(), stream, adopt=False)

    got = bytearray()
    for number in range(2_000):
        log.info("line", number=number)
        if number % 100 == 99:
            got += reader.read(1 << 16) or b""
    os.set_blocking(reader.fileno(), False)
    while not log.close(within_s=0.01) or not got.endswith(b'"number":1999}\n'):
        got += reader.read(1 << 16) or b""
    assert [json.loads(line)["number"] for line in got.splitlines()] == list(range(2_000))


def test_a_full_disk_holds_nobody_up() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        log = configure_logs(TelemetrySettings(), stream, adopt=False)
        log.info("line")
        assert not log.close()

    assert log.dropped == 1


def test_a_real_server_of_http_speaks_through_ours() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            raise KeyError(CANARY)
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    stream = StringIO()
    log = configure_logs(TelemetrySettings(), stream)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    (port,) = {each.getsockname()[1] for each in server.servers[0].sockets}
    for request in (f"GET /{CANARY}?q={CANARY} HTTP/1.1\r\nhost: h", f"{CANARY}\r\n{CANARY}"):
        with create_connection(("127.0.0.1", port)) as client:
            client.sendall(request.encode() + b"\r\n\r\n")
            client.recv(1_000)
    server.should_exit = True
    thread.join()
    log.close()

    told = [json.loads(line) for line in stream.getvalue().split("\n")[:-1]]
    assert CANARY not in stream.getvalue()
    assert {line["logger"] for line in told} == {"uvicorn.error"}
    assert any("Uvicorn running on" in line.get("says", "") for line in told)
    (failed,) = [line for line in told if line["level"] == "error"]
    assert failed["error_type"] == "KeyError"
    assert failed["error_at"][-1].startswith(f"{__name__}:app:")
