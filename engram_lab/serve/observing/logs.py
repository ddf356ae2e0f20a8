"""What the server says line by line, one of them for each request.

A line about a request has the fields of the documents (request_id, tenant_id, tenant_slug, user_id
of a token, route, method, status_code, latency_ms, error_code), and client, actor, correlation_id
and trace_id. The route is the template of the path. No line has a secret, a query, the content of a
memory or the value of a header, but for the id by which a client wants to find its request again.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, Final

import structlog

from engram_lab.core.clock import Clock, SystemClock
from engram_lab.serve.observing.foreign import Foreign
from engram_lab.serve.observing.lines import LineWriter
from engram_lab.serve.observing.rendering import Stamp, as_json, as_text, error_fields, withhold
from engram_lab.serve.observing.spent import spent_ms

if TYPE_CHECKING:
    from engram_lab.config.serving import TelemetrySettings
    from engram_lab.serve.call import Call

__all__ = [
    "CORRELATION",
    "METHODS",
    "STREAMING",
    "UNMATCHED",
    "Logger",
    "configure_logs",
    "route_of",
]

STREAMING: Final = "streaming"
"""True under this name in `Call.extra`: the answer stays open, so that its time tells nothing."""

CORRELATION: Final = "X-Correlation-ID"
"""The header of answers under which a client's own id of a request goes back, when well-formed."""

UNMATCHED: Final = "unmatched"
"""The route of requests that none answers."""

METHODS: Final = frozenset(
    ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]
)
"""Others are told as such, and not by the name that a client gave them."""

_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{1,45}(%[0-9A-Za-z]{1,15})?\Z")
_LONGEST: Final = 200
_FAILED: Final = 500


class Logger:
    """Writes lines; made by `configure_logs` and handed around.

    `debug`, `info`, `warning` and `error` take what happened, a few fixed words, and more by name.
    Names such as `content`, `query`, `path`, `url`, `key` or `token` are shown without their value.

    Args:
        bound: What structlog made.
        writer: Where its lines go.
        slow_s: Requests that take longer get a second line.
    """

    def __init__(self, bound: Any, writer: LineWriter, *, slow_s: float) -> None:
        self._bound = bound
        self._writer = writer
        self._slow_s = slow_s
        self._foreign: Foreign | None = None
        self.debug = bound.debug
        self.info = bound.info
        self.warning = bound.warning
        self.error = bound.error

    @property
    def dropped(self) -> int:
        """How many lines nobody took in time."""
        return self._writer.dropped

    def log_call(self, call: Call, status: int, seconds: float) -> None:
        """Write the line of a request, and where it was slow another with where the time went."""
        tenant, actor = call.tenant, call.actor
        extra = call.extra
        fields = {
            "request_id": call.request_id[:_LONGEST],
            "tenant_id": tenant.id if tenant is not None else None,
            "tenant_slug": tenant.slug if tenant is not None else None,
            "user_id": actor.id[:_LONGEST] if actor is not None and actor.kind == "user" else None,
            "route": route_of(call),
            "method": call.method if call.method in METHODS else "OTHER",
            "status_code": status,
            "latency_ms": round(seconds * 1e3, 3),
            "error_code": call.error_code,
            "client": _address(call.client),
            "actor": actor.name[:_LONGEST] if actor is not None else None,
        }
        if CORRELATION in call.answer_headers:
            fields["correlation_id"] = call.answer_headers[CORRELATION][:_LONGEST]
        if "trace_id" in extra:
            fields["trace_id"] = extra["trace_id"]
        (self.error if status >= _FAILED else self.info)("request", **fields)
        if seconds > self._slow_s and STREAMING not in extra:
            kept = {name: fields[name] for name in ("request_id", "tenant_id", "route")}
            told = {**kept, "latency_ms": fields["latency_ms"], "spent_ms": spent_ms(call, seconds)}
            self.warning("slow_request", **told)

    def log_error(self, error: BaseException, call: Call | None = None, **fields: Any) -> None:
        """Write down an error that nobody expected: its type and where, never what it quotes."""
        if call is not None:
            fields |= {"request_id": call.request_id[:_LONGEST], "route": route_of(call)}
        self.error("error", **fields, **error_fields(error))

    def close(self, *, within_s: float = 2.0) -> bool:
        """Write what waits, for so long at most; return whether all of it was written."""
        if self._foreign is not None:
            self._foreign.remove()
        return self._writer.close(within_s=within_s)

    def _adopt(self) -> None:
        self._foreign = Foreign(self)
        self._foreign.install()


def configure_logs(
    settings: TelemetrySettings,
    stream: IO[str],
    *,
    clock: Clock | None = None,
    adopt: bool = True,
) -> Logger:
    """Return the logger of a server.

    Args:
        settings: Which lines, and how.
        stream: Where to.
        clock: Stamps them; the machine's by default.
        adopt: Write what libraries log too, the server of HTTP above all; the one thing that is
            set for the whole process. `Logger.close` gives it back.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    render = as_json if settings.log_format == "json" else as_text
    stamp = Stamp(clock or SystemClock())

    def lost(count: int) -> str:
        event = {"event": "log_lines_dropped", "count": count}
        return render(None, "warning", stamp(None, "warning", event))

    writer = LineWriter(stream, lost=lost)
    bound = structlog.wrap_logger(
        _Sink(writer),
        processors=[withhold, stamp, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        context_class=dict,
        cache_logger_on_first_use=True,
    ).bind()
    logger = Logger(bound, writer, slow_s=settings.slow_ms / 1e3)
    if adopt:
        logger._adopt()  # noqa: SLF001 - the constructor's other half
    return logger


class _Sink:
    """What structlog hands lines to: a method for each level."""

    def __init__(self, writer: LineWriter) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = writer.write


def route_of(call: Call) -> str:
    """Return the name of the route that answers, never the path that was asked for."""
    return call.needs.route if call.needs is not None else UNMATCHED


@lru_cache(maxsize=4_096)
def _address(client: str) -> str:
    """Return an address if it is one: what a proxy says came from somewhere else."""
    return client if _ADDRESS.match(client) else "unknown"
