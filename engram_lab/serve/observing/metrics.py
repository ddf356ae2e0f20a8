"""What Prometheus reads. The names are those of the documents, with `engram_` in front.

engram_requests_total{route,status}      engram_auth_failures_total       engram_rate_limited_total
engram_latency_ms{route}, a histogram    engram_quota_exceeded_total
                                         engram_usage_flush_failures_total

p50, p95 and p99 come from the histogram, as in
`histogram_quantile(0.95, sum by (le) (rate(engram_latency_ms_bucket[5m])))`.
No label ever names a tenant, a person, a key or a path: labels are seen by whoever may scrape, and
each new value is a series that stays.
"""

from __future__ import annotations

import math
import platform
from typing import TYPE_CHECKING, Final, Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics import exposition as openmetrics

from engram_lab.core.clock import Clock, SystemClock
from engram_lab.serve.observing.logs import STREAMING, route_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from engram_lab.serve.call import Call

__all__ = ["Followed", "Metrics"]

Followed = Literal[
    "engines_open",
    "engines_leased",
    "requests_in_flight",
    "requests_waiting",
    "loop_lag_seconds",
    "loop_lag_max_seconds",
    "log_lines_dropped",
    "audit_waiting",
    "usage_waiting",
]
"""Values that are asked for when somebody scrapes."""

_HELP: Final[dict[Followed, str]] = {
    "engines_open": "databases that are open",
    "engines_leased": "databases that a request is using",
    "requests_in_flight": "requests that are being answered",
    "requests_waiting": "requests that wait for a thread",
    "loop_lag_seconds": "how late the event loop was at worst within the last minute",
    "loop_lag_max_seconds": "how late the event loop was at worst since the start",
    "log_lines_dropped": "lines of the log that nobody took in time",
    "audit_waiting": "entries of the audit that are not in the control plane yet",
    "usage_waiting": "events of usage that are not in the control plane yet",
}

_LATENCY_MS: Final = (
    *(0.5, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 25),
    *(50, 100, 250, 500, 1_000, 2_500, 10_000, 30_000),
)
_SECONDS: Final = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900)
_MOST_ROUTES: Final = 300
_OTHER: Final = "other"
_STATUSES: Final = range(100, 600)


class Metrics:
    """Counts, in a registry of its own. Safe to share between threads.

    Args:
        clock: Tells how old a backup is.
        version: Of this program, and `configuration` the hash of what it serves.
    """

    def __init__(
        self, *, clock: Clock | None = None, version: str = "", configuration: str = ""
    ) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._clock = clock or SystemClock()
        self._routes: set[str] = set()
        self._newest: dict[str, datetime] = {}
        self._series: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._requests = self._counter("requests", "requests answered", "route", "status")
        self._latency = Histogram(
            "engram_latency_ms",
            "how long requests took, in milliseconds",
            ("route",),
            buckets=_LATENCY_MS,
            registry=self.registry,
        )
        self._refused = {
            "UNAUTHORIZED": self._counter("auth_failures", "requests without a valid credential"),
            "RATE_LIMITED": self._counter("rate_limited", "requests that came too fast"),
            "QUOTA_EXCEEDED": self._counter("quota_exceeded", "requests beyond the plan"),
        }
        self._flush_failures = self._counter("usage_flush_failures", "flushes of usage that failed")
        self._audit_failures = self._counter("audit_flush_failures", "flushes of audit that failed")
        self._audit_lost = self._counter("audit_lost", "entries of the audit that had no room")
        self._evictions = self._counter("evictions", "databases closed to make room", "reason")
        self._dreams = self._counter("dreams", "dreams that ended", "outcome")
        self._backups = self._counter("backups", "backups that ended", "outcome")
        self._dream_seconds = self._histogram("dream_seconds", "how long dreams took")
        self._backup_seconds = self._histogram("backup_seconds", "how long backups took")
        self._backup_age = Gauge(
            "engram_backup_age_seconds",
            "how long ago the newest backup ended that way, of whichever tenant",
            ("outcome",),
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        Gauge(
            "engram_build_info",
            "1; what runs is in the labels",
            ("version", "python", "configuration"),
            registry=self.registry,
        ).labels(version, platform.python_version(), configuration).set(1)

    def observed(self, call: Call, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        route = route_of(call)
        requests, latency = self._series.get((route, status)) or self._new_series(route, status)
        requests.inc()
        if STREAMING not in call.extra:
            latency.observe(seconds * 1e3)
        if call.error_code is not None:
            refused = self._refused.get(call.error_code)
            if refused is not None:
                refused.inc()

    def usage_flush_failed(self) -> None:
        """Count a flush of usage that failed."""
        self._flush_failures.inc()

    def audit_flush_failed(self) -> None:
        """Count a flush of the audit that failed."""
        self._audit_failures.inc()

    def audit_lost(self, count: int = 1) -> None:
        """Count entries of the audit that had no room."""
        self._audit_lost.inc(count)

    def evicted(self, reason: Literal["room", "idle", "asked"]) -> None:
        """Count a database that was closed."""
        self._evictions.labels(reason).inc()

    def dreamt(self, outcome: Literal["ok", "failed", "refused"], seconds: float) -> None:
        """Count a dream."""
        self._dreams.labels(outcome).inc()
        self._dream_seconds.observe(seconds)

    def backed_up(self, outcome: Literal["ok", "failed"], seconds: float, at: datetime) -> None:
        """Count a backup that ended at a moment."""
        self._backups.labels(outcome).inc()
        self._backup_seconds.observe(seconds)
        self.backup_found(outcome, at)

    def backup_found(self, outcome: Literal["ok", "failed"], at: datetime) -> None:
        """Tell of a backup that was made before, as on a start: how old the newest is."""
        newest = max(at, self._newest.get(outcome, at))
        self._newest[outcome] = newest

        def age_s() -> float:
            return (self._clock.now() - newest).total_seconds()

        self._backup_age.labels(outcome).set_function(age_s)

    def follow(self, name: Followed, read: Callable[[], float]) -> None:
        """Ask for a value at every scrape; one that cannot be had is not a number."""
        Gauge(f"engram_{name}", _HELP[name], registry=self.registry).set_function(_safe(read))

    def render(self, accept: str = "") -> tuple[str, bytes]:
        """Return the type of the content and what Prometheus reads, as OpenMetrics when asked.

        Takes milliseconds: call it in a thread.
        """
        if "application/openmetrics-text" in accept.lower():
            text: bytes = openmetrics.generate_latest(self.registry)  # type: ignore[no-untyped-call]
            return openmetrics.CONTENT_TYPE_LATEST, text
        return CONTENT_TYPE_PLAIN_0_0_4, generate_latest(self.registry)

    def _new_series(self, route: str, status: int) -> tuple[Counter, Histogram]:
        """Return the series of a route and a status; beyond an end, all others share one."""
        known = route in self._routes or len(self._routes) < _MOST_ROUTES
        label = route if known else _OTHER
        told = str(status) if status in _STATUSES else "0"
        series = self._requests.labels(label, told), self._latency.labels(label)
        if known and status in _STATUSES:
            self._routes.add(route)
            self._series[route, status] = series
        return series

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"engram_{name}", told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str) -> Histogram:
        return Histogram(f"engram_{name}", told, buckets=_SECONDS, registry=self.registry)


def _safe(read: Callable[[], float]) -> Callable[[], float]:
    def safely() -> float:
        try:
            return float(read())
        except Exception:  # noqa: BLE001 - whatever is wrong with it, the rest is to be scraped
            return math.nan

    return safely
