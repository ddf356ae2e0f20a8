"""The protocol through the whole pipeline of a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from engram_lab.config import LimitSettings
from tests.serve.live import Live, live, settings
from tests.serve.mcp.standin import asked, tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Live]:
    with live(settings(tmp_path)) as running:
        yield running


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_official_client_runs_a_session_of_its_tenant(server: Live, mode: str) -> None:
    server.of("acme").post("/v1/mcp", json=tool("memory_create", content="canary of acme"))
    headers = {"Authorization": f"Bearer {server.key('zeta')}", "X-Engram-Tenant": "zeta"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(
            streamable_http_client(f"{server.url}/v1/mcp", http_client=http), mode=mode
        ) as client,
    ):
        made = await client.call_tool("memory_create", {"content": "canary of zeta"})
        assert not made.is_error
        found = await client.call_tool("memory_search", {"query": "canary"})
        assert "canary of zeta" in found.model_dump_json()
        assert "acme" not in found.model_dump_json()
    assert "memory.create ok" in server.audit("zeta")


def test_a_key_of_one_tenant_opens_no_other(server: Live) -> None:
    server.tenant("acme")
    secret = server.key("zeta")
    for path, body in (
        ("/v1/mcp", tool("memory_stats")),
        ("/mcp", asked("initialize", {}, id=1)),
        ("/v1/mcp/batch", [tool("memory_stats")]),
    ):
        client = server.client(Authorization=f"Bearer {secret}", X_Engram_Tenant="acme")
        answer = client.post(path, json=body)
        assert 401 <= answer.status_code <= 404
        assert answer.json()["error"]["code"] in {-32001, -32002}
        answer = server.client(X_Engram_Tenant="acme").post(path, json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, -32001)


def test_scopes_are_kept_and_denials_are_in_the_audit(server: Live) -> None:
    reader = server.of("acme", ("memories:read",))
    assert reader.post("/v1/mcp", json=tool("memory_stats")).status_code == 200
    answer = reader.post("/v1/mcp", json=tool("memory_create", content="x"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, -32001)
    told = reader.post(
        "/v1/mcp/batch", json=[tool("memory_search", query="x"), asked("ping")]
    ).json()
    assert [each.get("error", {}).get("code") for each in told] == [-32001, None]
    assert [each for each in server.audit("acme") if each.startswith("auth.denied")]


def test_usage_counts_each_of_a_batch(server: Live) -> None:
    client = server.of("acme")
    batch: list[Any] = [tool("memory_create", content=f"{n}") for n in range(3)]
    batch += [tool("memory_search", query="1"), tool("memory_context", query="2"), "nonsense"]
    assert client.post("/v1/mcp/batch", json=batch).status_code == 200
    used = server.running.services.meter
    used.flush()
    month = used.month(server.tenant("acme").id)
    assert (month.memories_created, month.searches) == (3, 2)


def test_who_asks_too_fast_is_told_when_to_come_again(tmp_path: Path) -> None:
    limits = LimitSettings(per_minute=2, burst=2)
    with live(settings(tmp_path, limits=limits)) as server:
        client = server.of("acme")
        answers = [client.post("/v1/mcp", json=tool("memory_stats")) for _ in range(4)]
    refused = [each for each in answers if each.status_code == 429]
    assert refused
    assert all(each.json()["error"]["code"] == -32005 for each in refused)
    assert all(int(each.headers["retry-after"]) >= 1 for each in refused)


@pytest.mark.anyio
async def test_an_official_client_without_a_key_is_told_so(server: Live) -> None:
    async with httpx2.AsyncClient(headers={"X-Engram-Tenant": "acme"}) as http:
        with pytest.raises((MCPError, ExceptionGroup)) as met:
            async with Client(
                streamable_http_client(f"{server.url}/v1/mcp", http_client=http), mode="legacy"
            ):
                pass
    found = met.value
    while isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, MCPError)
    assert found.code == -32001
