from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import create_server
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from engram_lab.config.serving import TelemetrySettings
from engram_lab.core.errors import ConfigError
from engram_lab.serve.call import Call
from engram_lab.serve.observing import Tracing, spans
from engram_lab.serve.observing.spent import spent_ms

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

MakeCall = Callable[..., Call]
CANARY = "canary7f3a"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


class Traced:
    """Tracing, and what came of it."""

    def __init__(self, rate: float = 1.0) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracing = Tracing(TelemetrySettings(sample_rate=rate), self.exporter, version="1.2.3")

    @property
    def spans(self) -> list[ReadableSpan]:
        assert self.tracing.close()
        return list(self.exporter.get_finished_spans())


def test_a_request_is_a_span_and_its_work_one_within(made_call: MakeCall) -> None:
    traced = Traced()
    call = made_call()
    call.answer_headers["X-Correlation-ID"] = "from-the-client"

    with traced.tracing.span(call):
        worker = Thread(target=lambda: traced.tracing.part(call, "engine").__enter__().end())
        with traced.tracing.part(call, "engine"):
            pass
        worker.start()
        worker.join()
        call.extra["status"] = 200

    *work, request = traced.spans
    assert request.name == "POST /v1/search"
    assert request.kind.name == "SERVER"
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/search",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "engram.request_id": call.request_id,
        "engram.tenant.id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "engram.actor.kind": "key",
        "engram.correlation_id": "from-the-client",
    }
    assert request.resource.attributes["service.version"] == "1.2.3"
    assert request.context is not None
    assert call.extra["trace_id"] == f"{request.context.trace_id:032x}"
    for span in work:
        assert span.parent is not None
        assert (span.name, span.parent.span_id) == ("engine", request.context.span_id)


def test_the_trace_of_a_caller_goes_on(made_call: MakeCall) -> None:
    traced = Traced(rate=0.0)
    sampled = {"traceparent": [f"00-{TRACE}-{PARENT}-01"], "tracestate": ["vendor=1"]}

    with traced.tracing.span(made_call(headers=sampled)):
        pass

    (span,) = traced.spans
    assert span.context is not None
    assert span.parent is not None
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, PARENT)
    assert span.context.trace_state["vendor"] == "1"


@pytest.mark.parametrize(
    ("parent", "rate", "spans"),
    [
        ([f"00-{TRACE}-{PARENT}-00"], 1.0, 0),
        (["nonsense"], 1.0, 1),
        (["nonsense"], 0.0, 0),
        ([f"00-{'0' * 32}-{PARENT}-01"], 0.0, 0),
        ([f"00-{TRACE}-{PARENT}-01"] * 2, 0.0, 0),
        (["\r\n\0" * 100], 1.0, 1),
    ],
)
def test_only_a_well_formed_parent_decides(
    made_call: MakeCall, parent: list[str], rate: float, spans: int
) -> None:
    traced = Traced(rate)
    with traced.tracing.span(made_call(headers={"traceparent": parent})):
        pass

    assert len(traced.spans) == spans


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 1.0])
def test_the_share_of_traces_is_the_one_that_was_asked_for(
    made_call: MakeCall, rate: float
) -> None:
    traced, call, count = Traced(rate), made_call(), 2_000
    for _ in range(count):
        with traced.tracing.span(call), traced.tracing.part(call, "engine"):
            pass

    # Six standard deviations: one run in a billion is outside by chance.
    spread = 6 * (count * rate * (1 - rate)) ** 0.5
    assert abs(len(traced.spans) / 2 - count * rate) <= spread


def test_nothing_that_was_sent_is_in_a_span(made_call: MakeCall) -> None:
    traced = Traced()
    call = made_call(
        path=f"/v1/memories/{CANARY}",
        headers={"authorization": [CANARY], "user-agent": [CANARY], "baggage": [f"a={CANARY}"]},
        workspace=CANARY,
        target=CANARY,
        needs=None,
    )

    with (
        pytest.raises(ValueError, match=CANARY),
        traced.tracing.span(call),
        traced.tracing.part(call, "engine"),
    ):
        raise ValueError(f"content is {CANARY}")

    work, request = traced.spans
    assert CANARY not in work.to_json() + request.to_json()
    assert request.attributes is not None
    assert request.attributes["error.type"] == "ValueError"
    assert work.status.status_code is request.status.status_code is StatusCode.ERROR


@pytest.mark.parametrize(
    ("status", "code", "graded"),
    [(404, "NOT_FOUND", StatusCode.UNSET), (503, "UNAVAILABLE", StatusCode.ERROR)],
)
def test_only_what_went_wrong_here_is_an_error(
    made_call: MakeCall, status: int, code: str, graded: StatusCode
) -> None:
    traced = Traced()
    call = made_call()
    with traced.tracing.span(call):
        call.error_code = code
        call.extra["status"] = status

    (span,) = traced.spans
    assert span.status.status_code is graded
    assert span.attributes is not None
    assert span.attributes["engram.error_code"] == code
    assert ("error.type" in span.attributes) is (status >= 500)


def test_parts_are_measured_though_nothing_is_traced(made_call: MakeCall) -> None:
    ticks = iter([1.0, 1.25, 2.0, 2.5])
    tracing, call = Tracing(TelemetrySettings(), timer=lambda: next(ticks)), made_call()

    with tracing.span(call):
        for name in ("waiting", "engine"):
            with tracing.part(call, name):
                pass

    assert spent_ms(call, 1.0) == {"waiting": 250.0, "engine": 500.0, "other": 250.0}
    assert not tracing.on
    assert tracing.close()


def test_without_an_endpoint_nothing_is_imported() -> None:
    program = (
        "import sys\n"
        "from engram_lab.config.serving import TelemetrySettings\n"
        "from engram_lab.serve.observing import Tracing\n"
        "Tracing(TelemetrySettings())\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("endpoint", ["localhost:4318", "grpc://localhost:4317", "http://"])
def test_an_endpoint_that_is_none_is_refused(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="otlp_endpoint"):
        Tracing(TelemetrySettings(otlp_endpoint=endpoint))


@contextmanager
def collector() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    got: list[tuple[str, Any]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.path, ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("path", "asked"), [("", "/v1/traces"), ("/else", "/else")])
def test_spans_come_to_a_collector_by_http(made_call: MakeCall, path: str, asked: str) -> None:
    with collector() as (address, got):
        tracing = Tracing(TelemetrySettings(otlp_endpoint=address + path, sample_rate=1.0))
        call = made_call()
        with tracing.span(call), tracing.part(call, "engine"):
            pass
        assert tracing.close(within_s=5)

    ((where, request),) = got
    (scope,) = request.resource_spans[0].scope_spans
    assert where == asked
    assert [span.name for span in scope.spans] == ["engine", "POST /v1/search"]


def test_a_collector_that_never_answers_slows_nobody(
    made_call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "_TIMEOUT_S", 1.0)
    with create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        tracing = Tracing(
            TelemetrySettings(otlp_endpoint=f"http://127.0.0.1:{port}", sample_rate=1.0)
        )
        longest, call = 0.0, made_call()
        for _ in range(3_000):  # more than may wait
            began = time.perf_counter()
            with tracing.span(call):
                pass
            longest = max(longest, time.perf_counter() - began)
        assert longest < 0.1

        began = time.perf_counter()
        assert not tracing.close(within_s=0.3)
        assert time.perf_counter() - began < 2

    threads_end()


def threads_end() -> None:
    for thread in threading.enumerate():
        if thread.name in {"engram-spans", "OtelBatchSpanRecordProcessor"}:
            thread.join(10)
            assert not thread.is_alive()


class Hanging(InMemorySpanExporter):
    """Takes spans, once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.release = Event()

    def export(self, spans: Any) -> Any:
        self.release.wait(20)
        return super().export(spans)


def test_a_collector_that_hangs_does_not_keep_an_exporter_s_spans(made_call: MakeCall) -> None:
    exporter = Hanging()
    tracing = Tracing(TelemetrySettings(sample_rate=1.0), exporter)
    with tracing.span(made_call()):
        pass
    assert not tracing.close(within_s=0.05)
    exporter.release.set()
    until = time.perf_counter() + 5
    while not exporter.get_finished_spans() and time.perf_counter() < until:
        time.sleep(0.01)
    assert len(exporter.get_finished_spans()) == 1


def test_what_waits_when_nobody_does_any_longer_is_dropped(made_call: MakeCall) -> None:
    exporter, call = Hanging(), made_call()
    tracing = Tracing(TelemetrySettings(sample_rate=1.0), exporter)
    for _ in range(3 * spans.BATCH):
        with tracing.span(call):
            pass
    assert not tracing.close(within_s=0.05)
    exporter.release.set()
    threads_end()
    assert len(exporter.get_finished_spans()) == spans.BATCH
