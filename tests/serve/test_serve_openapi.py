"""What OpenAPI says of credentials, headers and examples, held against what the server does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from engram_lab.config import AuthSettings
from engram_lab.serve.openapi import example_of
from tests.serve.live import Live, live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

Told = dict[str, Any]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(settings(tmp_path_factory.mktemp("data"))) as found:
        yield found


@pytest.fixture(scope="module")
def told(served: Live) -> Told:
    found: Told = served.client().get("/openapi.json").json()
    return found


def operations(told: Told) -> Iterator[tuple[str, str, Told]]:
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def header_names(operation: Told) -> list[str]:
    return [each["name"] for each in operation.get("parameters", ()) if each["in"] == "header"]


def examples(operation: Told) -> Iterator[tuple[str, Told]]:
    """Yield what has a shape in JSON: the body, and each answer that is a success."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        yield "body", content["application/json"]
    for status, answer in operation["responses"].items():
        found = answer.get("content", {}).get("application/json", {})
        if status.startswith("2") and found.get("schema"):
            yield status, found


def body(told: Told, method: str, path: str) -> Any:
    content = told["paths"][path][method]["requestBody"]["content"]
    return content["application/json"]["example"]


def test_each_body_and_each_answer_has_an_example_of_its_shape(told: Told) -> None:
    count = 0
    for method, path, operation in operations(told):
        for where, found in examples(operation):
            schema = {**found["schema"], "components": told["components"]}
            faults = list(Draft202012Validator(schema).iter_errors(found["example"]))
            assert faults == [], (method, path, where)
            assert found["example"] not in ({}, [], None), (method, path, where)
            count += 1
    assert count >= 60


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("post", "/v1/memories", 201),
        ("post", "/v1/memories:batch", 201),
        ("post", "/v1/search", 200),
        ("post", "/v1/keys", 201),
        ("put", "/v1/workspaces/{name}", 200),
        ("post", "/v1/invites", 201),
        ("put", "/v1/members/{user_id}", 200),
    ],
)
def test_the_examples_of_bodies_are_taken(
    served: Live, told: Told, method: str, path: str, status: int
) -> None:
    filled = path.replace("{name}", "kitchen").replace("{user_id}", "ada")
    answer = served.of("taken").request(method, filled, json=body(told, method, path))
    assert answer.status_code == status, answer.text


def test_the_operators_examples_are_taken(served: Live, told: Told) -> None:
    operator, tenants = served.operator, "/v1/admin/tenants"
    made = operator.post(tenants, json=body(told, "post", tenants))
    assert made.status_code == 201
    of_one = f"{tenants}/{{slug}}"
    slug = made.json()["data"]["slug"]
    changed = operator.patch(f"{tenants}/{slug}", json=body(told, "patch", of_one))
    assert changed.status_code == 200
    key = operator.post(f"{tenants}/{slug}/keys", json=body(told, "post", f"{of_one}/keys"))
    assert key.status_code == 201
    rotated = served.of(slug).post(
        f"/v1/keys/{key.json()['data']['id']}/rotate",
        json=body(told, "post", "/v1/keys/{id}/rotate"),
    )
    assert rotated.status_code == 201


def test_each_route_says_which_credentials_it_takes(served: Live, told: Told) -> None:
    schemes = told["components"]["securitySchemes"]
    assert {name: each["type"] for name, each in schemes.items()} == {
        "bearer": "http",
        "api_key": "apiKey",
        "admin": "http",
    }
    nobody = served.client(X_Engram_Tenant="acme")
    for method, path, operation in operations(told):
        taken = {name for each in operation["security"] for name in each}
        if path.startswith("/v1/admin"):
            assert taken == {"admin"}
        elif path.startswith("/v1/"):
            assert taken == {"bearer"} if path.endswith("accept") else {"bearer", "api_key"}
        else:
            assert taken == set()
        if taken and "{" not in path and method == "get":
            assert nobody.get(path).status_code == 401
    key = served.key("acme")
    header = schemes["api_key"]["name"]
    for given in ({header: key}, {"Authorization": f"Bearer {key}"}):
        assert nobody.get("/v1/stats", headers=given).status_code == 200


def test_each_route_of_a_tenant_lets_it_be_named_and_no_other_does(told: Told) -> None:
    for _, path, operation in operations(told):
        within = path.startswith("/v1/") and not path.startswith("/v1/admin")
        assert ("X-Engram-Tenant" in header_names(operation)) is within, path
        names = [name.lower() for name in header_names(operation)]
        assert len(names) == len(set(names))


def test_headers_that_are_read_from_the_request_are_told_of(served: Live, told: Told) -> None:
    client = served.of("headed")
    repeated = {"Idempotency-Key": "once"}
    first, second = (
        client.post("/v1/memories", json={"content": "x"}, headers=repeated) for _ in range(2)
    )
    assert first.json()["data"]["id"] == second.json()["data"]["id"]
    path, tag = f"/v1/memories/{first.json()['data']['id']}", first.headers["etag"]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert client.patch(path, json={"content": "y"}, headers={"If-Match": tag}).is_success
    stale = client.patch(path, json={"content": "z"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    of_one = told["paths"]["/v1/memories/{id}"]
    (known,) = [each for each in of_one["get"]["parameters"] if each["name"] == "If-None-Match"]
    assert all(re.fullmatch(r'"[0-9]+-[0-9a-f]{16}"', each) for each in (tag, known["example"]))
    assert "Idempotency-Key" in header_names(told["paths"]["/v1/memories"]["post"])
    assert "If-None-Match" in header_names(of_one["get"])
    assert "304" in of_one["get"]["responses"]
    for method in ("patch", "delete"):
        assert "If-Match" in header_names(of_one[method])


def test_where_nobody_is_asked_a_credential_is_no_must(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with live(settings(tmp_path_factory.mktemp("open"), auth=AuthSettings())) as own:
        client: httpx2.Client = own.client()
        stats = client.get("/openapi.json").json()["paths"]["/v1/stats"]["get"]
    assert {} in stats["security"]


def test_an_example_ends_where_a_shape_has_itself_within() -> None:
    shapes = {
        "Tree": {
            "type": "object",
            "required": ["next"],
            "properties": {"next": {"anyOf": [{"$ref": "#/x/Tree"}, {"type": "null"}]}},
        }
    }
    assert example_of({"$ref": "#/x/Tree"}, shapes) == {"next": None}
