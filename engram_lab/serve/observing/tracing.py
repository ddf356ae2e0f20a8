"""Spans of OpenTelemetry, for the share of requests that the settings say.

Without an endpoint nothing of OpenTelemetry is imported, and a span costs a look at an attribute.
A caller's `traceparent` is honoured: its trace goes on, and whether it is sampled has been decided
there. The request's own id (`X-Request-ID`) and, where it came, `X-Correlation-ID` are attributes
of its span, and the trace's id stands in its line of the log, so that each leads to the others.

Source: W3C Trace Context, Level 1; OpenTelemetry Semantic Conventions 1.x, HTTP server spans. The
raw path is left out on purpose, as it holds ids and whatever a client wrote there.
"""

from __future__ import annotations

from contextlib import nullcontext
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from engram_lab.serve.observing.spent import spend

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import TracebackType

    from opentelemetry.sdk.trace.export import SpanExporter

    from engram_lab.config.serving import TelemetrySettings
    from engram_lab.serve.call import Call
    from engram_lab.serve.observing.spans import Spans

__all__ = ["Tracing"]

_NOTHING: Final[AbstractContextManager[None]] = nullcontext()
_CLOSING_S: Final = 3.0


class Tracing:
    """Makes spans where it is asked to, and nothing else.

    Args:
        settings: Where to, and of how many.
        exporter: Takes spans in place of the endpoint, as in tests.
        version: Of this program.
        timer: Measures the parts of a request.
    """

    def __init__(
        self,
        settings: TelemetrySettings,
        exporter: SpanExporter | None = None,
        *,
        version: str = "",
        timer: Callable[[], float] = perf_counter,
    ) -> None:
        self._timer = timer
        self._spans: Spans | None = None
        if exporter is not None or settings.otlp_endpoint is not None:
            from engram_lab.serve.observing.spans import Spans, exporter_to

            if exporter is None:
                exporter = exporter_to(settings.otlp_endpoint or "")
            self._spans = Spans(exporter, rate=settings.sample_rate, version=version)

    @property
    def on(self) -> bool:
        """Whether spans are made at all."""
        return self._spans is not None

    def span(self, call: Call) -> AbstractContextManager[Any]:
        """Return the span of a request; it ends with the block.

        What was found out of the request until then is told: set `call.extra["status"]` to the
        status that was answered.
        """
        return _NOTHING if self._spans is None else self._spans.of_call(call)

    def part(self, call: Call, name: str) -> AbstractContextManager[Any]:
        """Return a span within that of a request, such as `engine`; for any thread.

        The time it takes is noted in any case, for the line of a request that was slow.
        """
        span = _NOTHING if self._spans is None else self._spans.of_part(call, name)
        return _Part(call, name, span, self._timer)

    def close(self, *, within_s: float = _CLOSING_S) -> bool:
        """Send what waits, for so long at most; return whether that was done."""
        return True if self._spans is None else self._spans.close(within_s=within_s)


class _Part:
    """A span, and how long it took."""

    __slots__ = ("_began", "_call", "_name", "_span", "_timer")

    def __init__(
        self,
        call: Call,
        name: str,
        span: AbstractContextManager[Any],
        timer: Callable[[], float],
    ) -> None:
        self._call = call
        self._name = name
        self._span = span
        self._timer = timer
        self._began = 0.0

    def __enter__(self) -> Any:
        self._began = self._timer()
        return self._span.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        spend(self._call, self._name, self._timer() - self._began)
        self._span.__exit__(kind, error, trace)
