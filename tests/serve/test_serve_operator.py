"""What whoever runs the server does within a tenant, and what is written down of it."""

from __future__ import annotations

import json
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config import LimitSettings, TenancySettings
from engram_lab.core.errors import ConfigError
from tests.serve.live import ADMIN, Live, live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx2


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(settings(tmp_path_factory.mktemp("data"))) as found:
        yield found


@pytest.fixture(scope="module")
def operator(served: Live) -> httpx2.Client:
    return served.operator


def told(answer: httpx2.Response) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json()["data"]


def audit(operator: httpx2.Client, of: str) -> list[dict[str, Any]]:
    """Return the operator's entries of a chain that is whole, the oldest first."""
    found = told(operator.get(f"/v1/admin/{of}audit", params={"limit": 1000}))
    assert found["broken_at"] is None
    return [each for each in reversed(found["entries"]) if not each["kind"].startswith("auth.")]


def test_what_the_operator_does_to_a_tenant_is_in_the_chain_of_that_tenant(
    operator: httpx2.Client,
) -> None:
    made = told(operator.post("/v1/admin/tenants", json={"slug": "told"}))
    for change in ({"state": "suspended"}, {"state": "active"}, {"name": "Told & Co"}):
        told(operator.patch("/v1/admin/tenants/told", json=change))
    key = told(operator.post("/v1/admin/tenants/told/keys", json={"scopes": ["search"]}))
    told(operator.put("/v1/admin/tenants/told/members/ann", json={"role": "owner"}))
    told(operator.delete("/v1/admin/tenants/told"))
    entries = audit(operator, "tenants/told/")
    assert {each["actor"] for each in entries} == {"operator"}
    assert [(each["kind"], each["target"], each["details"]) for each in entries] == [
        ("tenant.create", made["id"], {"plan": "free", "owner": None}),
        ("tenant.update", made["id"], {"state": {"from": "active", "to": "suspended"}}),
        ("tenant.update", made["id"], {"state": {"from": "suspended", "to": "active"}}),
        ("tenant.update", made["id"], {"name": {"from": "told", "to": "Told & Co"}}),
        ("key.create", key["id"], {"name": "first", "scopes": ["search"]}),
        ("member.put", "ann", {"role": "owner"}),
        ("tenant.delete", made["id"], {}),
    ]
    assert key["secret"] not in str(entries)


def test_a_change_that_was_refused_is_in_the_chain_too(operator: httpx2.Client) -> None:
    told(operator.post("/v1/admin/tenants", json={"slug": "wronged"}))
    refused = operator.patch("/v1/admin/tenants/wronged", json={"bundle": "absent"})
    assert refused.status_code == 400
    *_, last = audit(operator, "tenants/wronged/")
    assert (last["kind"], last["outcome"]) == ("tenant.update", "INVALID_REQUEST")
    told(operator.delete("/v1/admin/tenants/wronged"))
    half = operator.patch("/v1/admin/tenants/wronged", json={"plan": "pro", "state": "suspended"})
    assert half.status_code == 409  # one that was deleted is not suspended
    *_, last = audit(operator, "tenants/wronged/")
    assert (last["outcome"], last["details"]) == (
        "CONFLICT",
        {"plan": {"from": "free", "to": "pro"}},
    )


def test_the_server_has_a_chain_of_its_own_that_can_be_read(
    served: Live, operator: httpx2.Client
) -> None:
    forged = served.client(Authorization="Bearer forged", X_Engram_Tenant="no-such-tenant")
    assert forged.get("/v1/stats").status_code == 401
    kinds = [each["kind"] for each in audit(operator, "")]
    assert kinds[:2] == ["config.load", "server.start"]
    told_ = told(operator.get("/v1/admin/audit", params={"limit": 1000}))
    assert "auth.failure" in {each["kind"] for each in told_["entries"]}
    newest = told(operator.get("/v1/admin/audit", params={"limit": 1}))["entries"]
    older = told(
        operator.get("/v1/admin/audit", params={"limit": 1, "before": newest[0]["number"]})
    )["entries"]
    assert older[0]["number"] == newest[0]["number"] - 1
    assert older[0]["hash"] == newest[0]["previous"]
    assert served.of("acme").get("/v1/admin/audit").status_code == 403


def test_a_chain_of_the_server_that_was_tampered_with_says_where(tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    with live(settings(tmp_path)) as own:
        client = own.operator
        assert audit(client, "")
        with closing(sqlite3.connect(tmp_path / "control.db")) as database:
            for name, _ in database.execute(
                "SELECT name, 0 FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                database.execute(f"DROP TRIGGER {name}")
            database.execute("UPDATE audit SET actor = 'nobody' WHERE number = 2")
            database.commit()
        assert told(client.get("/v1/admin/audit"))["broken_at"] == 2


def test_the_audit_of_a_purged_tenant_is_had_by_its_id(
    served: Live, operator: httpx2.Client
) -> None:
    made = told(operator.post("/v1/admin/tenants", json={"slug": "gone"}))
    told(operator.delete("/v1/admin/tenants/gone"))
    served.running.services.estate.purge(made["id"], at_once=True)
    absent = operator.get("/v1/admin/tenants/gone/audit")
    assert (absent.status_code, absent.json()["error"]["code"]) == (404, "NOT_FOUND")
    kinds = [each["kind"] for each in audit(operator, f"tenants/{made['id']}/")]
    assert kinds == ["tenant.create", "tenant.delete"]


def test_a_tenant_without_an_owner_gets_one_from_the_operator(
    served: Live, operator: httpx2.Client
) -> None:
    told(operator.post("/v1/admin/tenants", json={"slug": "orphan"}))
    admin = served.of("orphan")
    told(admin.put("/v1/members/ann", json={"role": "viewer"}))
    assert admin.put("/v1/members/ann", json={"role": "owner"}).status_code == 403
    path = "/v1/admin/tenants/orphan/members"
    assert told(operator.put(f"{path}/ann", json={"role": "owner"}))["role"] == "owner"
    told(operator.put(f"{path}/bob", json={"role": "admin", "email": "bob@example.com"}))
    found = [(each["user_id"], each["role"]) for each in told(operator.get(path))]
    assert found == [("ann", "owner"), ("bob", "admin")]
    assert told(operator.delete(f"{path}/bob")) == {"id": "bob"}
    last = operator.delete(f"{path}/ann")
    assert (last.status_code, last.json()["error"]["code"]) == (409, "CONFLICT")
    assert operator.put(f"{path}/ann", json={"role": "king"}).status_code == 400
    assert admin.put(f"{path}/eve", json={"role": "owner"}).status_code == 403


def test_the_operator_takes_out_what_a_tenant_has_whatever_its_state(
    served: Live, operator: httpx2.Client
) -> None:
    client = served.of("packed")
    told(client.post("/v1/memories", json={"content": "to be taken along"}))
    own = client.get("/v1/export")
    used = told(client.get("/v1/usage"))["used"]["api_calls"]
    taken = operator.get("/v1/admin/tenants/packed/export")
    assert taken.headers["content-type"].startswith("application/x-ndjson")
    assert (taken.status_code, taken.content) == (200, own.content)
    assert told(client.get("/v1/usage"))["used"]["api_calls"] == used + 1  # that question alone
    told(operator.patch("/v1/admin/tenants/packed", json={"state": "suspended"}))
    table = operator.get(
        "/v1/admin/tenants/packed/export",
        headers={"Accept": "application/vnd.apache.parquet"},
    )
    assert table.content[:4] == b"PAR1"
    actors: list[str] = []
    ends = monotonic() + 10
    while len(actors) < 3 and monotonic() < ends:  # it is noted when the last piece was sent
        told_ = [each for each in audit(operator, "tenants/packed/") if "export" in each["kind"]]
        actors = [each["actor"].partition(":")[0] for each in told_]
    assert actors == ["key", "operator", "operator"]
    assert client.get("/v1/admin/tenants/packed/export").status_code == 403
    assert operator.get("/v1/admin/tenants/nobody/export").status_code == 404


def test_limits_of_a_plan_do_not_stop_the_operator(tmp_path: Path) -> None:
    limits = LimitSettings(per_minute=100_000, burst=100_000)
    with live(settings(tmp_path, limits=limits)) as own:
        told(own.operator.post("/v1/admin/tenants", json={"slug": "small", "owner": "ann"}))
        client = own.of("small")
        assert client.put("/v1/members/bob", json={"role": "viewer"}).status_code == 402
        path = "/v1/admin/tenants/small/members/bob"
        assert own.operator.put(path, json={"role": "owner"}).status_code == 200
    assert ADMIN not in own.log.getvalue()


def test_a_default_tenant_that_is_not_there_is_warned_of(tmp_path: Path) -> None:
    tenancy = TenancySettings(data=str(tmp_path), default="nope")
    with live(settings(tmp_path, tenancy=tenancy)) as own:
        own.tenant("nope")
    lines = map(json.loads, own.log.getvalue().splitlines())
    (line,) = [each for each in lines if each["event"] == "default_tenant_missing"]
    assert (line["level"], line["tenant"]) == ("warning", "nope")
    assert "engram tenant create" in line["told"]
    with live(settings(tmp_path, tenancy=tenancy)) as own:
        pass
    assert "default_tenant_missing" not in own.log.getvalue()


def test_a_server_whose_domain_nothing_can_match_does_not_start(tmp_path: Path) -> None:
    tenancy = TenancySettings(data=str(tmp_path), domain="http://x")
    with (
        pytest.raises(ConfigError, match=r"tenancy\.domain"),
        live(settings(tmp_path, tenancy=tenancy)),
    ):
        pass
