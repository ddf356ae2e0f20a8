from __future__ import annotations

import http.client
import io
import json
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest

from engram_lab import Engine
from engram_lab.config import (
    BackupSettings,
    EmbeddingSettings,
    EngineConfig,
    RetrievalSettings,
    ServeSettings,
)
from engram_lab.engine import read_bundle
from engram_lab.engine.bundle import bundled
from tests.serve.live import ADMIN, HASHING, Live, live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx2

    from engram_lab.engine import Bundle


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("data")
    kept = BackupSettings(place=str(folder / "kept"), key_file=str(folder / "key"))
    serve = ServeSettings(body_limit_bytes=100_000, import_limit_bytes=1_000_000, timeout_s=5)
    with live(settings(folder, backups=kept, serve=serve)) as found:
        yield found


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def filled(served: Live, slug: str, *contents: str) -> httpx2.Client:
    client = served.of(slug)
    rows = [{"content": each} for each in contents]
    assert client.post("/v1/memories:batch", json={"memories": rows}).status_code == 201
    return client


# Out and in


def test_an_export_taken_in_elsewhere_is_the_same_to_the_byte(served: Live) -> None:
    here, there = filled(served, "here", "one", "two", "three"), served.of("there")
    ids = [each["id"] for each in here.get("/v1/memories").json()["data"]]
    here.patch(f"/v1/memories/{ids[0]}", json={"content": "one, changed"})
    here.post("/v1/links", json={"from_id": ids[0], "to_id": ids[1]})
    here.delete(f"/v1/memories/{ids[2]}")
    out = here.get("/v1/export")
    assert out.headers["content-type"] == "application/x-ndjson"
    given = {"file": ("export.jsonl", out.content)}
    told = there.post("/v1/import", files=given).json()["data"]
    assert told["imported"]["memories"] == 3
    assert there.get("/v1/export").content == out.content
    again = there.post("/v1/import", files=given).json()["data"]
    assert (again["imported"].get("memories", 0), again["refused"]) == (0, [])


def test_the_report_of_an_import_can_be_fetched_again(served: Live) -> None:
    client = served.of("reports")
    rows = b'{"content": "good"}\n{"content": "bad", "importance": 7}\n'
    refused = client.post("/v1/import", files={"file": ("rows.jsonl", rows)})
    assert code(refused) == (400, "INVALID_REQUEST")
    assert client.get("/v1/stats").json()["data"]["memories"] == 0
    told = client.post(
        "/v1/import", files={"file": ("rows.jsonl", rows)}, params={"keep_going": True}
    ).json()["data"]
    assert (told["imported"]["memories"], [each["row"] for each in told["refused"]]) == (1, [1])
    assert client.get(f"/v1/imports/{told['id']}").json()["data"] == told
    assert code(client.get("/v1/imports/../../etc/passwd"))[0] == 404
    assert code(served.of("other").get(f"/v1/imports/{told['id']}")) == (404, "NOT_FOUND")


def test_a_table_comes_as_parquet_or_arrow(served: Live) -> None:
    client = filled(served, "tables", "a", "b")
    parquet = client.get("/v1/export", headers={"Accept": "application/vnd.apache.parquet"})
    assert pl.read_parquet(io.BytesIO(parquet.content))["content"].to_list() == ["a", "b"]
    arrow = client.get("/v1/export", headers={"Accept": "application/vnd.apache.arrow.stream"})
    with pa.ipc.open_stream(arrow.content) as stream:
        assert stream.read_all()["content"].to_pylist() == ["a", "b"]
    told = client.get("/v1/export", headers={"Accept": "image/png"})
    assert code(told) == (406, "NOT_ACCEPTABLE")
    bad = client.get(
        "/v1/export",
        headers={"Accept": "application/vnd.apache.parquet"},
        params={"table": "sqlite_master"},
    )
    assert code(bad) == (400, "INVALID_REQUEST")


def test_a_file_says_by_its_name_what_it_is(served: Live) -> None:
    answer = served.of("names").post("/v1/import", files={"file": ("x.exe", b"MZ")})
    assert code(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")
    torn = served.of("names").post("/v1/import", files={"file": ("x.parquet", b"PAR1 torn")})
    assert code(torn) == (400, "INVALID_REQUEST")


# Dreams


def test_a_dream_can_be_looked_at_carried_out_and_undone(served: Live) -> None:
    client = filled(served, "dreams", "Ada lives in Paris", "Ada lives in Paris.", "Bob swims")
    body = {"steps": ["merge"]}
    plan = client.post("/v1/dream", json={**body, "dry_run": True}).json()["data"]
    done = client.post("/v1/dream", json=body).json()["data"]
    assert [each["action"] for each in plan["changes"]] == [e["action"] for e in done["changes"]]
    run = done["run"]["id"]
    assert [each["id"] for each in client.get("/v1/dream").json()["data"]] == [run]
    assert client.post(f"/v1/dream/{run}/undo").json()["data"]["undone"] is True
    assert code(client.post(f"/v1/dream/{run}/undo")) == (409, "CONFLICT")
    assert code(client.post("/v1/dream", json={"steps": ["no such"]})) == (400, "INVALID_REQUEST")


# Backups


def test_a_backup_is_made_listed_and_verified(served: Live) -> None:
    client = filled(served, "safe", "kept")
    made = client.post("/v1/backups").json()["data"]
    assert [each["name"] for each in client.get("/v1/backups").json()["data"]] == [made["name"]]
    told = client.post(f"/v1/backups/{made['name']}/verify").json()["data"]
    assert told == {"name": made["name"], "verified": True}
    assert code(served.of("nosy").post(f"/v1/backups/{made['name']}/verify"))[0] == 404
    assert code(client.post("/v1/backups/%2e%2e%2fx/verify"))[0] == 404


# Workspaces


def test_a_workspace_has_its_policy_and_plans_bound_them(served: Live) -> None:
    served.tenant("rooms", plan="free")
    client = served.of("rooms")
    made = client.put("/v1/workspaces/work", json={"max_memories": 5}).json()["data"]
    assert made["max_memories"] == 5
    names = [each["name"] for each in client.get("/v1/workspaces").json()["data"]]
    assert names == ["default", "work"]
    client.put("/v1/workspaces/third", json={})
    assert code(client.put("/v1/workspaces/fourth", json={})) == (402, "QUOTA_EXCEEDED")


# What answers


def bundle_of(folder: Path, config: EngineConfig) -> Bundle:
    file = folder / "tuned.bundle"
    about = {"system": "tuned", "suite": "locomo", "embedder": None}
    evidence: dict[str, Any] = {"gate": {"verdict": "pass", "checks": []}, "result": {}}
    file.write_bytes(bundled(config, about, evidence=evidence, record={}))
    return read_bundle(file)


def test_two_bundles_answer_side_by_side_and_are_swapped(tmp_path: Path) -> None:
    none = EngineConfig(embedding=EmbeddingSettings(model="none"))
    two = replace(none, retrieval=RetrievalSettings(k=2))
    bundle = bundle_of(tmp_path, two)
    with live(settings(tmp_path / "data"), none, bundles={"canary": bundle}) as served:
        first, second = served.of("first"), served.of("second")
        for client in (first, second):
            rows = [{"content": f"bread {number}"} for number in range(5)]
            client.post("/v1/memories:batch", json={"memories": rows})
        change = {"bundle": "canary"}
        assert served.operator.patch("/v1/admin/tenants/second", json=change).status_code == 200
        found = [
            len(c.post("/v1/search", json={"query": "bread"}).json()["data"])
            for c in (first, second)
        ]
        assert found == [5, 2]
        told = second.get("/v1/engine").json()["data"]
        assert (told["bundle"], told["system"], told["suite"]) == ("canary", "tuned", "locomo")
        assert told["config_hash"] == bundle.config.content_hash
        assert told["evidence"]["verdict"] == "pass"
        absent = served.operator.patch("/v1/admin/tenants/second", json={"bundle": "absent"})
        assert code(absent) == (400, "INVALID_REQUEST")
        served.operator.patch("/v1/admin/tenants/second", json={"bundle": "-"})
        assert len(second.post("/v1/search", json={"query": "bread"}).json()["data"]) == 5


def test_a_tenant_whose_bundle_is_not_served_is_told_of_and_not_named(tmp_path: Path) -> None:
    with live(settings(tmp_path)) as served:
        client, operator = served.of("unserved"), served.running.services.plane.as_operator()
        told = served.client().get("/health/ready").json()["data"]
        assert (told["status"], told["checks"]["bundles"]["status"]) == ("ok", "ok")
        operator.assign_bundle(served.tenant("unserved").id, "absent")
        assert client.get("/v1/stats").status_code == 503
        ends = time.monotonic() + 10
        while told["status"] == "ok" and time.monotonic() < ends:  # a look is kept for a second
            time.sleep(0.1)
            told = served.client().get("/health/ready").json()["data"]
        assert told["status"] == "degraded"
        assert "not served here" in told["checks"]["bundles"]["note"]
        assert "unserved" not in str(told)
        assert "absent" not in str(told)


def test_a_bundle_may_answer_everybody(tmp_path: Path) -> None:
    none = EngineConfig(embedding=EmbeddingSettings(model="none"))
    bundle = bundle_of(tmp_path, replace(none, retrieval=RetrievalSettings(k=3)))
    with live(settings(tmp_path / "data"), HASHING, own=bundle) as served:
        told = served.of("acme").get("/v1/engine").json()["data"]
        assert (told["config_hash"], told["system"]) == (bundle.config.content_hash, "tuned")
        services = served.running.services
        assert bundle.config.content_hash in served.client().get("/metrics").text
        services.audit.flush()
        noted = services.plane.as_operator().audit(None)
        loaded = [each.target for each in noted if each.kind == "config.load"]
        assert loaded == [bundle.config.content_hash]


# Health


def test_health_needs_no_credential_and_metrics_name_no_tenant(served: Live) -> None:
    filled(served, "unseen-slug", "x")
    client = served.client()
    assert client.get("/health").json()["data"] == {"status": "ok"}
    ready = client.get("/health/ready").json()["data"]
    assert ready["checks"].keys() >= {"control_plane", "data", "loop"}
    text = client.get("/metrics").text
    assert 'engram_requests_total{route="POST /v1/memories:batch",status="201"}' in text
    assert "unseen-slug" not in text
    assert served.tenant("unseen-slug").id not in text


def test_a_control_plane_that_is_away_is_told(tmp_path: Path) -> None:
    with live(settings(tmp_path)) as served:
        served.running.services.plane.close()
        answer = served.client().get("/health/ready")
        assert answer.status_code == 503
        assert answer.json()["data"]["checks"]["control_plane"]["status"] == "down"
        assert served.client().get("/health").status_code == 200


# Bodies, and clients that misbehave


def test_a_body_that_is_too_large_is_refused_before_it_is_read(served: Live) -> None:
    client = served.of("large")
    answer = client.post("/v1/memories", json={"content": "x" * 100_000})
    assert code(answer) == (413, "CONTENT_TOO_LARGE")

    def pieces() -> Iterator[bytes]:
        yield from [b"x" * 10_000] * 20

    endless = client.post("/v1/memories", content=pieces())
    assert code(endless) == (413, "CONTENT_TOO_LARGE")


def test_the_largest_import_is_another(served: Live) -> None:
    client = served.of("large")
    rows = b'{"content": "x"}\n' * 10_000
    assert client.post("/v1/import", files={"file": ("x.jsonl", rows)}).status_code == 200
    more = client.post("/v1/import", files={"file": ("x.jsonl", rows * 10)})
    assert code(more) == (413, "CONTENT_TOO_LARGE")


def test_a_client_that_stops_in_its_body_is_not_waited_for(served: Live) -> None:
    key = served.key("slow")
    place = http.client.HTTPConnection("127.0.0.1", int(served.url.rsplit(":", 1)[1]), timeout=20)
    place.putrequest("POST", "/v1/memories")
    for name, value in (
        ("Authorization", f"Bearer {key}"),
        ("X-Engram-Tenant", "slow"),
        ("Content-Type", "application/json"),
        ("Content-Length", "100"),
    ):
        place.putheader(name, value)
    place.endheaders()
    place.send(b'{"content": ')
    answer = place.getresponse()
    assert answer.status == 504
    assert json.loads(answer.read())["error"]["code"] == "TIMEOUT"
    place.close()


def test_a_connection_that_says_nothing_is_closed(tmp_path: Path) -> None:
    with live(settings(tmp_path, serve=ServeSettings(head_s=0.3))) as served:
        port = int(served.url.rsplit(":", 1)[1])
        for said in (b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: x\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as silent:
                silent.sendall(said)
                began = time.monotonic()
                assert silent.recv(1024) == b""
                assert time.monotonic() - began < 5
        assert served.client().get("/health").status_code == 200


def test_what_is_nowhere_and_what_is_asked_wrongly_have_the_envelope(served: Live) -> None:
    client = served.of("acme")
    assert code(client.get("/v2/memories")) == (404, "NOT_FOUND")
    answer = client.put("/v1/memories")
    assert code(answer) == (405, "METHOD_NOT_ALLOWED")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "POST"}


def test_web_pages_call_from_where_they_may(tmp_path: Path) -> None:
    serve = ServeSettings(cors_origins="https://app.example", hsts=True)
    with live(settings(tmp_path, serve=serve)) as served:
        asked = {"Access-Control-Request-Method": "POST"}
        client = served.client()
        told = client.options("/v1/search", headers={"Origin": "https://app.example", **asked})
        assert told.headers["access-control-allow-origin"] == "https://app.example"
        other = client.options("/v1/search", headers={"Origin": "https://evil.example", **asked})
        assert "access-control-allow-origin" not in other.headers
        assert "max-age" in client.get("/health").headers["strict-transport-security"]


def test_nobody_reads_the_metrics_through_a_proxy_without_the_token(tmp_path: Path) -> None:
    with live(settings(tmp_path, serve=ServeSettings(trusted_proxies="127.0.0.0/8"))) as served:
        from_outside = served.client(X_Forwarded_For="203.0.113.7")
        assert code(from_outside.get("/metrics")) == (401, "UNAUTHORIZED")
        told = {"Authorization": f"Bearer {ADMIN}"}
        assert from_outside.get("/metrics", headers=told).status_code == 200


def test_a_tenant_database_is_one_that_engram_opens(served: Live) -> None:
    filled(served, "plain", "just a file")
    tenant = served.tenant("plain")
    served.running.services.pool.close_tenant(tenant.id)
    with Engine.open(served.running.services.places.database(tenant.id), config=HASHING) as engine:
        assert [each.content for each in engine.select()] == ["just a file"]
