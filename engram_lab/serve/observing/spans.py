"""The half of tracing that needs OpenTelemetry; imported where spans are made, and only there."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from engram_lab.core.errors import ConfigError
from engram_lab.serve.observing.logs import CORRELATION, METHODS, route_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from engram_lab.serve.call import Call

__all__ = ["Spans", "exporter_to"]

_SPAN: Final = "span"
_FAILED: Final = 500
_TIMEOUT_S: Final = 5.0
_WAITING: Final = 2_048
BATCH: Final = 256
_DELAY_MS: Final = 2_000
_EMPTY: Final = Context()


class Spans:
    """Makes spans and hands them on from a thread; what that cannot take is dropped.

    Args:
        exporter: Takes spans.
        rate: The share of traces that begin here and are sampled.
        version: Of this program.
    """

    def __init__(self, exporter: SpanExporter, *, rate: float, version: str) -> None:
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(rate)),
            resource=Resource.create({"service.name": "engram-lab", "service.version": version}),
            shutdown_on_exit=False,
        )
        self._exporter = _Forgoing(exporter)
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._exporter,
                max_queue_size=_WAITING,
                max_export_batch_size=BATCH,
                schedule_delay_millis=_DELAY_MS,
            )
        )
        self._tracer = self._provider.get_tracer("engram_lab.serve", version)
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def of_call(self, call: Call) -> Iterator[Span]:
        """Make the span of a request."""
        span = self._tracer.start_span("HTTP", context=self._parent(call), kind=SpanKind.SERVER)
        call.extra[_SPAN] = span
        if span.is_recording():
            call.extra["trace_id"] = f"{span.get_span_context().trace_id:032x}"
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise
        finally:
            if span.is_recording():
                _describe(span, call)
            span.end()

    @contextmanager
    def of_part(self, call: Call, name: str) -> Iterator[Span | None]:
        """Make a span within that of a request."""
        parent: Span | None = call.extra.get(_SPAN)
        if parent is None or not parent.is_recording():
            yield None
            return
        span = self._tracer.start_span(name, context=set_span_in_context(parent, _EMPTY))
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise
        finally:
            span.end()

    def close(self, *, within_s: float) -> bool:
        """Send what waits, for so long at most; return whether that was done.

        What is being sent then may still arrive; what waits behind it is dropped.
        """
        # A thread that nobody waits for longer: a collector that hangs is no reason to stay.
        closing = Thread(target=self._provider.shutdown, name="engram-spans", daemon=True)
        closing.start()
        closing.join(within_s)
        self._exporter.forgoes = closing.is_alive()
        return not self._exporter.forgoes

    def _parent(self, call: Call) -> Context:
        parent = call.header("traceparent")
        if parent is None:
            return _EMPTY
        carrier = {"traceparent": parent}
        state = call.header("tracestate")
        if state is not None:
            carrier["tracestate"] = state
        return self._propagator.extract(carrier, _EMPTY)


class _Forgoing(SpanExporter):
    """Hands spans on until told to forgo the rest, which a shutdown tries to send for long.

    Args:
        exporter: Takes the spans.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.forgoes = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.FAILURE if self.forgoes else self._exporter.export(spans)

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def exporter_to(endpoint: str) -> SpanExporter:
    """Return what sends spans to a collector by OTLP over HTTP.

    Args:
        endpoint: Its address; without a path, the one that OTLP names is meant.

    Raises:
        ConfigError: It is no address of HTTP.
    """
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigError(
            ["telemetry.otlp_endpoint is no address of HTTP: give one as in http://localhost:4318"]
        )
    path = parts.path if parts.path.strip("/") else "/v1/traces"
    return OTLPSpanExporter(
        endpoint=urlunsplit((parts.scheme, parts.netloc, path, parts.query, "")),
        timeout=_TIMEOUT_S,
    )


def _describe(span: Span, call: Call) -> None:
    """Tell of a request what was found out; no content, and the path as its template alone."""
    route = route_of(call)
    told: dict[str, Any] = {
        "http.request.method": call.method if call.method in METHODS else "_OTHER",
        "url.scheme": "https" if call.secure else "http",
        "engram.request_id": call.request_id,
    }
    if call.needs is not None:
        span.update_name(route)
        told["http.route"] = route.partition(" ")[2] or route
    if call.tenant is not None:
        told["engram.tenant.id"] = call.tenant.id
    if call.actor is not None:
        told["engram.actor.kind"] = call.actor.kind
    if CORRELATION in call.answer_headers:
        told["engram.correlation_id"] = call.answer_headers[CORRELATION]
    status = call.extra.get("status")
    if status is not None:
        told["http.response.status_code"] = status
        if status >= _FAILED:
            told["error.type"] = call.error_code or str(status)
            span.set_status(Status(StatusCode.ERROR))
    if call.error_code is not None:
        told["engram.error_code"] = call.error_code
    span.set_attributes(told)
