"""What is told of a request when its answer is sent: log, metrics, usage, audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.serve.control.records import UsageEvent

if TYPE_CHECKING:
    from engram_lab.serve.call import Call
    from engram_lab.serve.metering import Meter
    from engram_lab.serve.observing import Audit, Logger, Metrics

__all__ = ["Ending"]


class Ending:
    """Tells all who keep something of a request."""

    def __init__(self, *, meter: Meter, audit: Audit, metrics: Metrics, log: Logger) -> None:
        self._meter = meter
        self._audit = audit
        self._metrics = metrics
        self._log = log

    def __call__(self, call: Call, status: int, seconds: float) -> None:
        """Tell of a request that ended with a status after so many seconds."""
        self.count(call, status)
        self.tell(call, status, seconds)

    def count(self, call: Call, status: int) -> None:
        """Count what a request used."""
        needs = call.needs
        if call.admitted and call.tenant is not None and needs is not None:
            self._meter.record(
                UsageEvent(
                    request_id=call.request_id,
                    tenant_id=call.tenant.id,
                    at=call.at,
                    route=needs.route,
                    status=status,
                    workspace=call.workspace,
                    searches=call.used.get("searches", 0),
                    memories_created=call.used.get("memories_created", 0),
                )
            )

    def tell(self, call: Call, status: int, seconds: float) -> None:
        """Tell those who keep no account of it."""
        self._audit.note_call(call)
        self._metrics.observed(call, status, seconds)
        self._log.log_call(call, status, seconds)

    def failed(self, call: Call, error: Exception) -> None:
        """Log an error that nobody foresaw, with where it came from."""
        self._log.log_error(error, call)
