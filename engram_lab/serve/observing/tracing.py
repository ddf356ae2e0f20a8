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
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

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
    """

    def __init__(
        self,
        settings: TelemetrySettings,
        exporter: SpanExporter | None = None,
        *,
        version: str = "",
    ) -> None:
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
        """Return a span within that of a request, such as `engine`; for any thread."""
        return _NOTHING if self._spans is None else self._spans.of_part(call, name)

    def close(self, *, within_s: float = _CLOSING_S) -> bool:
        """Send what waits, for so long at most; return whether that was done."""
        return True if self._spans is None else self._spans.close(within_s=within_s)
