from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from engram_lab.config import AuthSettings, LimitSettings, ServeSettings, TenancySettings
from engram_lab.core.clock import ManualClock
from tests.serve.live import ADMIN, SECRET, Live, live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx2

NOW = ManualClock().now()


def token(sub: str, **claims: Any) -> str:
    at = int(NOW.timestamp())
    told = {"iss": "us", "sub": sub, "exp": at + 3600, "email": f"{sub}@example.com", **claims}
    return jwt.encode({"alg": "HS256"}, told, OctKey.import_key(SECRET))


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, clock: ManualClock) -> Iterator[Live]:
    with live(settings(tmp_path_factory.mktemp("data")), clock=clock) as found:
        yield found


# Which tenant


def test_the_host_names_the_tenant_and_so_does_the_header(served: Live) -> None:
    key = served.key("acme")
    by_host = served.client(Authorization=f"Bearer {key}", Host="acme.engram.test")
    by_header = served.client(Authorization=f"Bearer {key}", X_Engram_Tenant="acme")
    both = served.client(
        Authorization=f"Bearer {key}", Host="ACME.engram.test:8765", X_Engram_Tenant="acme"
    )
    by_shared = served.client(
        Authorization=f"Bearer {key}", Host="api.engram.test", X_Engram_Tenant="acme"
    )
    for client in (by_host, by_header, both, by_shared):
        assert client.get("/v1/stats").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "engram.test"},
        {"Host": "api.engram.test"},
        {"Host": "acme.engram.test", "X_Engram_Tenant": "other"},
        {"Host": "a.b.engram.test"},
        {"Host": "..engram.test"},
        {"X_Engram_Tenant": "../acme"},
        {"X_Engram_Tenant": "Acme"},
        {"X_Engram_Tenant": "-acme"},
        {"X_Engram_Tenant": "a" * 64},
    ],
)
def test_a_tenant_that_is_missing_or_ambiguous_is_refused(
    served: Live, headers: dict[str, str]
) -> None:
    client = served.client(Authorization=f"Bearer {served.key('acme')}", **headers)
    assert code(client.get("/v1/stats")) == (400, "INVALID_REQUEST")


def test_two_headers_are_one_too_many(served: Live) -> None:
    client = served.client(Authorization=f"Bearer {served.key('acme')}")
    headers = [("X-Engram-Tenant", "acme"), ("X-Engram-Tenant", "acme")]
    assert code(client.get("/v1/stats", headers=headers)) == (400, "INVALID_REQUEST")


# Who asks


def test_without_a_credential_nobody_learns_whether_a_tenant_exists(served: Live) -> None:
    served.tenant("acme")
    told = []
    for slug in ("acme", "no-such-tenant"):
        answer = served.client(X_Engram_Tenant=slug).get("/v1/stats")
        told.append(
            (answer.status_code, answer.json()["error"], answer.headers["www-authenticate"])
        )
    assert told[0] == told[1]
    assert told[0][0] == 401


def test_a_key_opens_its_own_tenant_alone(served: Live) -> None:
    served.tenant("other")
    key = served.key("acme")
    told = []
    for slug in ("other", "no-such-tenant"):
        answer = served.client(Authorization=f"Bearer {key}", X_Engram_Tenant=slug).get("/v1/stats")
        told.append((code(answer), answer.json()["error"]["message"]))
    assert told[0] == told[1]
    assert told[0][0] == (404, "TENANT_NOT_FOUND")


def test_two_credentials_at_once_are_refused(served: Live) -> None:
    key = served.key("acme")
    client = served.client(Authorization=f"Bearer {key}", X_API_Key=key, X_Engram_Tenant="acme")
    assert code(client.get("/v1/stats")) == (400, "INVALID_REQUEST")


def test_a_revoked_key_is_refused_at_the_very_next_request(served: Live) -> None:
    operator, client = served.of("acme"), served.of("acme")
    assert client.get("/v1/stats").status_code == 200
    (newest, *_) = operator.get("/v1/keys").json()["data"]
    assert operator.delete(f"/v1/keys/{newest['id']}").json()["data"]["revoked_at"] is not None
    assert code(client.get("/v1/stats")) == (401, "UNAUTHORIZED")
    assert operator.get("/v1/stats").status_code == 200


def test_a_rotated_key_goes_on_for_its_overlap(served: Live, clock: ManualClock) -> None:
    old = served.of("rotating")
    (key,) = old.get("/v1/keys").json()["data"]
    made = old.post(f"/v1/keys/{key['id']}/rotate", json={"overlap_s": 60}).json()["data"]
    new = served.client(Authorization=f"Bearer {made['secret']}", X_Engram_Tenant="rotating")
    assert made["scopes"] == key["scopes"]
    assert [each.get("/v1/stats").status_code for each in (old, new)] == [200, 200]
    clock.advance(seconds=60)
    assert [each.get("/v1/stats").status_code for each in (old, new)] == [401, 200]


def test_a_key_may_do_what_its_scopes_say(served: Live) -> None:
    reader = served.of("acme", scopes=("memories:read",))
    assert reader.get("/v1/memories").status_code == 200
    for answer in (
        reader.post("/v1/memories", json={"content": "x"}),
        reader.post("/v1/search", json={"query": "x"}),
        reader.get("/v1/keys"),
        reader.post("/v1/dream", json={}),
    ):
        assert code(answer) == (403, "FORBIDDEN")


def test_nobody_gives_a_key_more_than_they_have(served: Live) -> None:
    admin = served.of("acme", scopes=("admin",))
    answer = admin.post("/v1/keys", json={"name": "more", "scopes": ["memories:read"]})
    assert code(answer) == (403, "FORBIDDEN")


def test_a_secret_is_shown_once_and_kept_nowhere(served: Live) -> None:
    admin = served.of("acme")
    made = admin.post("/v1/keys", json={"name": "shown once"}).json()["data"]
    assert made["secret"].startswith("ek_live_")
    assert made["secret"] not in admin.get("/v1/keys").text
    assert made["secret"] not in served.log.getvalue()


# People


def test_people_enter_where_they_are_members(served: Live) -> None:
    tenant = served.tenant("people")
    view = served.running.services.plane.within(tenant.id)
    view.put_member("ada", "viewer", at=NOW)
    ada = served.client(Authorization=f"Bearer {token('ada')}", X_Engram_Tenant="people")
    bob = served.client(Authorization=f"Bearer {token('bob')}", X_Engram_Tenant="people")
    assert ada.get("/v1/memories").status_code == 200
    assert code(ada.post("/v1/memories", json={"content": "x"})) == (403, "FORBIDDEN")
    assert code(bob.get("/v1/memories")) == (404, "TENANT_NOT_FOUND")
    view.put_member("ada", "member", at=NOW)
    assert ada.post("/v1/memories", json={"content": "x"}).status_code == 201
    view.put_member("eve", "owner", at=NOW)
    view.remove_member("ada")
    assert code(ada.get("/v1/memories")) == (404, "TENANT_NOT_FOUND")


def test_who_is_invited_joins_once_with_their_own_address(served: Live) -> None:
    owner = served.of("inviting")
    asked = {"email": "ada@example.com", "role": "member"}
    invite = owner.post("/v1/invites", json=asked).json()["data"]
    assert invite["token"] not in owner.get("/v1/invites").text
    bob = served.client(Authorization=f"Bearer {token('bob')}", X_Engram_Tenant="inviting")
    ada = served.client(Authorization=f"Bearer {token('ada')}", X_Engram_Tenant="inviting")
    given = {"token": invite["token"]}
    assert code(bob.post("/v1/invites/accept", json=given)) == (403, "FORBIDDEN")
    assert ada.post("/v1/invites/accept", json=given).json()["data"]["role"] == "member"
    assert ada.get("/v1/memories").status_code == 200
    assert ada.post("/v1/invites/accept", json=given).status_code == 404
    assert [each["user_id"] for each in owner.get("/v1/members").json()["data"]] == ["ada"]


def test_nobody_makes_somebody_who_may_more_than_they(served: Live) -> None:
    admin = served.of("ranks")
    assert code(admin.put("/v1/members/eve", json={"role": "owner"})) == (403, "FORBIDDEN")
    assert admin.put("/v1/members/eve", json={"role": "admin"}).status_code == 200


# Whoever runs it


def test_the_operator_makes_suspends_and_deletes_tenants(served: Live) -> None:
    operator = served.operator
    made = operator.post("/v1/admin/tenants", json={"slug": "fresh", "plan": "pro"})
    assert (made.status_code, made.json()["data"]["plan"]) == (201, "pro")
    assert code(operator.post("/v1/admin/tenants", json={"slug": "fresh"})) == (409, "CONFLICT")
    client = served.of("fresh")
    assert client.post("/v1/memories", json={"content": "x"}).status_code == 201
    operator.patch("/v1/admin/tenants/fresh", json={"state": "suspended"})
    assert code(client.get("/v1/stats")) == (403, "TENANT_SUSPENDED")
    operator.patch("/v1/admin/tenants/fresh", json={"state": "active"})
    assert client.get("/v1/stats").json()["data"]["memories"] == 1
    assert operator.delete("/v1/admin/tenants/fresh").json()["data"]["state"] == "deleted"
    assert code(client.get("/v1/stats")) == (404, "TENANT_NOT_FOUND")


def test_the_operators_routes_are_closed_to_tenants_and_the_other_way_round(served: Live) -> None:
    assert code(served.of("acme").get("/v1/admin/tenants")) == (403, "FORBIDDEN")
    within = served.client(Authorization=f"Bearer {ADMIN}", X_Engram_Tenant="acme")
    assert code(within.get("/v1/memories")) == (403, "FORBIDDEN")
    assert code(served.client().get("/v1/admin/tenants")) == (401, "UNAUTHORIZED")


def test_the_audit_has_who_came_in_who_did_not_and_what_changed(tmp_path: Path) -> None:
    with live(settings(tmp_path)) as served:
        client = served.of("audited")
        client.post("/v1/memories", json={"content": "x"})
        client.get("/v1/memories")
        forged = served.client(Authorization="Bearer forged", X_Engram_Tenant="audited")
        assert forged.get("/v1/stats").status_code == 401
        served.of("audited", scopes=("search",)).get("/v1/keys")
        found = served.audit("audited")
        told = served.operator.get("/v1/admin/tenants/audited/audit").json()["data"]
    assert "memory.create ok" in found
    assert "auth.failure UNAUTHORIZED" in found
    assert "auth.denied FORBIDDEN" in found
    assert told["broken_at"] is None
    assert "content" not in str(told)


# How fast, and how much


def test_who_asks_too_fast_is_told_when_again(tmp_path: Path) -> None:
    config = settings(tmp_path, limits=LimitSettings(per_minute=60, burst=2))
    with live(config) as served:
        client = served.of("acme")
        first, second, third = (client.get("/v1/memories") for _ in range(3))
        assert first.headers["x-ratelimit-remaining"] == "1"
        assert second.headers["x-ratelimit-remaining"] == "0"
        assert code(third) == (429, "RATE_LIMITED")
        assert 1 <= int(third.headers["retry-after"]) <= 2
        assert client.get("/v1/stats").status_code == 200  # another route, another bucket
        assert served.of("other").get("/v1/memories").status_code == 200


def test_a_plan_that_is_used_up_says_of_what(served: Live) -> None:
    served.tenant("small", plan="free")
    client = served.of("small")
    rows = [{"content": f"memory {number}"} for number in range(1000)]
    assert client.post("/v1/memories:batch", json={"memories": rows}).status_code == 201
    answer = client.post("/v1/memories", json={"content": "one more"})
    assert code(answer) == (402, "QUOTA_EXCEEDED")
    told = answer.json()["error"]["details"]
    assert told == {"metric": "memories_stored", "current": 1000, "limit": 1000, "plan": "free"}
    assert client.get("/v1/memories").status_code == 200  # reading goes on
    gone = client.get("/v1/memories", params={"limit": 1}).json()["data"][0]["id"]
    client.delete(f"/v1/memories/{gone}")
    assert client.post("/v1/memories", json={"content": "room again"}).status_code == 201


def test_usage_is_what_was_used(served: Live) -> None:
    client = served.of("metered")
    for number in range(3):
        client.post("/v1/memories", json={"content": f"m {number}"})
    client.post("/v1/search", json={"query": "m"})
    client.post("/v1/search", json={"query": ""})
    client.get("/v1/nowhere")
    used = client.get("/v1/usage").json()["data"]["used"]
    assert (used["api_calls"], used["searches"], used["memories_created"]) == (5, 2, 3)
    served.running.services.meter.flush()
    days = client.get("/v1/usage").json()["data"]["days"]
    assert sum(each["api_calls"] for each in days) == 6
    span = client.get("/v1/usage", params={"since": "2026-02-01", "until": "2026-01-01"})
    assert code(span) == (400, "INVALID_REQUEST")


# A server that asks nobody


def test_a_server_that_asks_nobody_serves_its_own_machine(tmp_path: Path) -> None:
    config = settings(
        tmp_path, auth=AuthSettings(), tenancy=TenancySettings(data=str(tmp_path), default="home")
    )
    with live(config) as served:
        served.tenant("home")
        assert served.client().post("/v1/memories", json={"content": "x"}).status_code == 201
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            answer = served.client(**headers).get("/v1/memories")
            assert answer.status_code in {400, 403}
            assert "content" not in answer.text


def test_the_log_names_the_request_and_never_what_it_held(served: Live) -> None:
    client = served.of("logged")
    client.post("/v1/memories", json={"content": "a canary sings"})
    client.post("/v1/search", json={"query": "canary"})
    client.get("/v1/memories/canary-in-the-path")
    served.running.services.log.close()
    text = served.log.getvalue()
    assert '"tenant_slug":"logged"' in text
    assert "canary" not in text


def test_a_server_that_others_can_reach_asks_who_they_are(tmp_path: Path) -> None:
    config = settings(tmp_path, auth=AuthSettings(), serve=ServeSettings(host="0.0.0.0"))  # noqa: S104 - refused
    with pytest.raises(Exception, match="auth"), live(config):
        pass


def test_a_token_ends(served: Live) -> None:
    client = served.client(
        Authorization=f"Bearer {token('ada', exp=int(NOW.timestamp()) - 61)}",
        X_Engram_Tenant="people",
    )
    assert code(client.get("/v1/memories")) == (401, "UNAUTHORIZED")
