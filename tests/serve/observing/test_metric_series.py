from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from engram_lab.core.clock import ManualClock
from engram_lab.serve.call import Actor, Call, Needs
from engram_lab.serve.control.records import Tenant
from engram_lab.serve.observing import Metrics

MakeCall = Callable[..., Call]
CANARY = "canary7f3a"


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_requests_are_counted_under_the_documented_names(made_call: MakeCall) -> None:
    metrics = Metrics()
    for status, code in (
        (200, None),
        (200, None),
        (401, "UNAUTHORIZED"),
        (429, "RATE_LIMITED"),
        (402, "QUOTA_EXCEEDED"),
    ):
        metrics.observed(made_call(error_code=code), status, 0.004)
    metrics.usage_flush_failed()

    route = "POST /v1/search"
    assert value(metrics, "engram_requests_total", route=route, status="200") == 2
    assert value(metrics, "engram_requests_total", route=route, status="429") == 1
    assert value(metrics, "engram_latency_ms_count", route=route) == 5
    assert value(metrics, "engram_latency_ms_sum", route=route) == pytest.approx(20.0)
    for name in ("auth_failures", "rate_limited", "quota_exceeded", "usage_flush_failures"):
        assert value(metrics, f"engram_{name}_total") == 1


def test_all_names_are_there_before_anything_happens() -> None:
    _, text = Metrics().render()
    for name in (
        *("requests_total", "latency_ms", "auth_failures_total", "rate_limited_total"),
        *("quota_exceeded_total", "usage_flush_failures_total", "build_info", "dreams_total"),
        *("backups_total", "backup_age_seconds", "evictions_total"),
    ):
        assert f"# TYPE engram_{name} " in text.decode()
    assert "process_resident_memory_bytes " in text.decode()


def test_quantiles_come_from_the_buckets(made_call: MakeCall) -> None:
    metrics = Metrics()
    for number in range(1, 101):
        metrics.observed(made_call(), 200, number / 1e3)

    def below(ms: str) -> float | None:
        return value(metrics, "engram_latency_ms_bucket", route="POST /v1/search", le=ms)

    assert (below("50.0"), below("25.0"), below("100.0")) == (50, 25, 100)


def test_no_tenant_person_key_or_path_is_a_label(made_call: MakeCall) -> None:
    metrics = Metrics(clock=ManualClock())
    tenant = Tenant(id=f"id-{CANARY}", slug=CANARY, name=CANARY, created_at=ManualClock().now())
    for kind in ("key", "user"):
        call = made_call(
            tenant=tenant,
            actor=Actor(kind=kind, id=CANARY, email=CANARY),
            path=f"/v1/memories/{CANARY}",
            method=f"GET{CANARY}",
            client=CANARY,
            request_id=CANARY,
            workspace=CANARY,
            target=CANARY,
            headers={"x": [CANARY]},
        )
        metrics.observed(call, 200, 0.001)
        metrics.observed(made_call(needs=None, path=f"/{CANARY}", tenant=tenant), 404, 0.001)
    metrics.dreamt("ok", 0.5)
    metrics.backed_up("ok", 0.5, ManualClock().now())
    metrics.evicted("room")

    for accept in ("", "application/openmetrics-text"):
        _, text = metrics.render(accept)
        assert CANARY not in text.decode()
    labels = set(re.findall(r"[{,](\w+)=", text.decode()))
    assert labels == {
        *("route", "status", "le", "outcome", "reason", "generation"),
        *("version", "python", "configuration"),
    }


def test_paths_that_nobody_answers_are_one_series(made_call: MakeCall) -> None:
    metrics = Metrics()
    for number in range(500):
        metrics.observed(made_call(needs=None, path=f"/{number}"), 404, 0.001)
        metrics.observed(made_call(), 1_000 + number, 0.001)

    assert value(metrics, "engram_requests_total", route="unmatched", status="404") == 500
    assert value(metrics, "engram_requests_total", route="POST /v1/search", status="0") == 500
    assert metrics.render()[1].count(b"engram_requests_total{") == 2


def test_even_routes_have_an_end(made_call: MakeCall) -> None:
    metrics = Metrics()
    for number in range(1_000):
        needs = Needs(route=f"GET /{number}", scope=None)
        metrics.observed(made_call(needs=needs), 200, 0.001)

    assert metrics.render()[1].count(b"engram_latency_ms_count{") == 301
    assert value(metrics, "engram_requests_total", route="other", status="200") == 700
    assert value(metrics, "engram_latency_ms_count", route="other") == 700


def test_an_open_stream_does_not_count_as_slow(made_call: MakeCall) -> None:
    metrics = Metrics()
    metrics.observed(made_call(extra={"streaming": True}), 200, 3_600.0)

    assert value(metrics, "engram_requests_total", route="POST /v1/search", status="200") == 1
    assert value(metrics, "engram_latency_ms_count", route="POST /v1/search") == 0


def test_the_age_of_a_backup_grows() -> None:
    clock = ManualClock()
    metrics = Metrics(clock=clock)
    metrics.backed_up("ok", 2.0, clock.now())
    clock.advance(hours=2)
    metrics.backed_up("failed", 2.0, clock.now() - timedelta(minutes=1))

    metrics.backup_found("ok", clock.now() - timedelta(days=1))  # an older one changes nothing

    assert value(metrics, "engram_backup_age_seconds", outcome="ok") == 7_200
    assert value(metrics, "engram_backup_age_seconds", outcome="failed") == 60
    assert value(metrics, "engram_backups_total", outcome="ok") == 1


def test_what_is_followed_is_asked_at_each_scrape() -> None:
    metrics = Metrics()
    opened: list[int] = []

    def gone() -> float:
        raise RuntimeError(CANARY)

    metrics.follow("engines_open", lambda: len(opened))
    metrics.follow("usage_waiting", gone)
    opened += [1, 2, 3]

    _, text = metrics.render()
    assert b"engram_engines_open 3.0" in text
    assert b"engram_usage_waiting NaN" in text


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0"),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "application/openmetrics"),
        ("application/openmetrics-text;version=\x00nonsense", ""),
    ],
)
def test_it_speaks_as_it_is_asked_to(made_call: MakeCall, accept: str, content_type: str) -> None:
    metrics = Metrics(version="1.2.3", configuration="abcdef")
    metrics.observed(made_call(), 200, 0.001)

    told, text = metrics.render(accept)

    assert told.startswith(content_type)
    parse = openmetrics if "openmetrics" in told else prometheus
    families = {family.name: family for family in parse(text.decode())}
    assert families["engram_latency_ms"].type == "histogram"
    (build,) = families["engram_build_info"].samples
    assert (build.labels["version"], build.labels["configuration"]) == ("1.2.3", "abcdef")


def test_counts_from_many_threads_are_exact(made_call: MakeCall) -> None:
    metrics = Metrics()

    def work() -> None:
        for _ in range(1_000):
            metrics.observed(made_call(), 200, 0.001)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert value(metrics, "engram_requests_total", route="POST /v1/search", status="200") == 4_000


def test_two_servers_in_one_process_count_apart(made_call: MakeCall) -> None:
    one, two = Metrics(), Metrics()
    one.observed(made_call(), 200, 0.001)

    assert value(two, "engram_requests_total", route="POST /v1/search", status="200") is None
