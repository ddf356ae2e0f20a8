from __future__ import annotations

from time import sleep
from typing import Any

import anyio
import httpx2
import pytest
from mcp import MCPError

from engram_lab.core.errors import StoreBusyError
from engram_lab.serve.errors import (
    QuotaExceededError,
    RateLimitedError,
    ServeError,
    TenantSuspendedError,
    TimedOutError,
    UnavailableError,
)
from engram_lab.serve.hosts import HostRules
from engram_lab.serve.mcp.http import MOST_IN_A_BATCH, McpEndpoint
from tests.serve.mcp.standin import StandIn, app_of, as_tenant, asked, listening, speaking, tool

MODES = ["legacy", "auto"]


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/mcp", "/v1/mcp"])
@pytest.mark.parametrize("mode", MODES)
async def test_the_official_client_runs_a_session(
    site: str, gate: StandIn, mode: str, path: str
) -> None:
    async with speaking(site, "ada", mode=mode, path=path) as client:
        assert client.server_info is not None
        assert client.server_info.version == "9.9"
        assert "memory_search" in [each.name for each in (await client.list_tools()).tools]
        made = await client.call_tool("memory_create", {"content": "Ada likes tea ☕ 茶"})
        assert not made.is_error
        found = await client.call_tool("memory_search", {"query": "tea"})
        assert found.structured_content["hits"][0]["memory"]["content"] == "Ada likes tea ☕ 茶"
        assert (await client.read_resource("memories://recent")).contents
        assert (await client.get_prompt("recall-context", {"query": "tea"})).messages
        with pytest.raises(MCPError) as met:
            await client.call_tool("memory_fly", {})
        assert met.value.code == -32602
    (memory,) = gate.engines["ada"].select()
    assert gate.engines["ada"].history(memory.id)[0].author == "key:k-ada"


@pytest.mark.anyio
@pytest.mark.parametrize("mode", MODES)
async def test_usage_target_and_outcome_are_on_the_account(
    site: str, gate: StandIn, mode: str
) -> None:
    async with speaking(site, "ada", mode=mode) as client:
        made = await client.call_tool("memory_create", {"content": "one"})
        await client.call_tool("memory_search", {"query": "one"})
        await client.call_tool("memory_get", {"id": "nope"})
    id_ = made.structured_content["memory"]["id"]
    with anyio.fail_after(5):  # what is noted at the end of a request may come after its answer
        while "MCP memory_get" not in {  # noqa: ASYNC110 - the server is in another thread
            call.needs.route for call in gate.over if call.needs
        }:
            await anyio.sleep(0.01)
    told = {
        call.needs.route: (call.used, call.target, call.error_code, call.needs.audited)
        for call in gate.over
        if call.needs is not None
    }
    assert told["MCP memory_create"] == ({"memories_created": 1}, id_, None, "memory.create")
    assert told["MCP memory_search"] == ({"searches": 1}, None, None, None)
    assert told["MCP memory_get"] == ({}, None, "NOT_FOUND", None)


def test_a_bare_call_as_the_documents_have_it_is_answered(ada: httpx2.Client) -> None:
    made = ada.post("/v1/mcp", json=tool("memory_create", content="rust async is fine"))
    assert made.status_code == 200
    body = (
        b'{"jsonrpc": "2.0", "method": "tools/call", '
        b'"params": {"name": "memory_search", "arguments": {"query": "rust async"}}}'
    )
    found = ada.post("/v1/mcp", content=body, headers={"Content-Type": "application/json"})
    assert found.headers["content-type"] == "application/json"
    told = found.json()
    assert told["id"] is None
    assert (
        told["result"]["structuredContent"]["hits"][0]["memory"]["content"] == "rust async is fine"
    )


METHODS: tuple[tuple[str, Any, str], ...] = (
    ("tools/list", None, "tools"),
    ("resources/list", None, "resources"),
    ("resources/templates/list", None, "resourceTemplates"),
    ("resources/read", {"uri": "stats://memories"}, "contents"),
    ("prompts/list", None, "prompts"),
    ("prompts/get", {"name": "recall-context", "arguments": {"query": "x"}}, "messages"),
    (
        "initialize",
        {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "curl", "version": "8"},
        },
        "serverInfo",
    ),
)


def test_every_bare_method_is_answered_under_its_id(ada: httpx2.Client) -> None:
    for method, params, has in METHODS:
        for id_ in ("a", 0, 1.5):
            told = ada.post("/v1/mcp", json=asked(method, params, id=id_)).json()
            assert told["id"] == id_
            assert has in told["result"], told
    assert ada.post("/mcp", json=asked("ping", id=1)).json() == {
        "jsonrpc": "2.0",
        "id": 1,
        "result": {},
    }


def test_notifications_are_taken_without_an_answer(ada: httpx2.Client) -> None:
    answer = ada.post("/v1/mcp", json=asked("notifications/initialized"))
    assert (answer.status_code, answer.content) == (202, b"")


REFUSED: tuple[tuple[bytes, int, int], ...] = (
    (b"{", 400, -32700),
    (b"", 400, -32700),
    (b"\xff\xfe", 400, -32700),
    (b'{"a": NaN}', 400, -32700),
    (b'{"a": 1e999}', 400, -32700),
    (b'{"jsonrpc":"2.0","method":"\\ud800"}', 400, -32700),
    (b"[" * 100_000, 400, -32700),
    (b"1" * 5_000, 400, -32700),
    (b"3", 400, -32600),
    (b"null", 400, -32600),
    (b'{"method":"ping"}', 400, -32600),
    (b'{"jsonrpc":"2.0"}', 400, -32600),
    (b'{"jsonrpc":"2.0","method":5}', 400, -32600),
    (b'{"jsonrpc":"2.0","method":"ping","id":{}}', 400, -32600),
    (b'{"jsonrpc":"2.0","method":"ping","id":true}', 400, -32600),
    (b'{"jsonrpc":"2.0","method":"ping","id":1%s}' % (b"0" * 40), 400, -32600),
    (b'{"jsonrpc":"2.0","method":"ping","params":[1]}', 400, -32602),
    (b'{"jsonrpc":"2.0","method":"fly"}', 404, -32601),
    (b'{"jsonrpc":"2.0","method":"tools/call"}', 400, -32602),
    (b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":5}}', 400, -32602),
    (b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":"fly"}}', 400, -32602),
    (b'{"jsonrpc":"2.0","method":"initialize","params":{}}', 400, -32602),
    (b'{"jsonrpc":"2.0","method":"resources/read","params":{"uri":"memory://x"}}', 404, -32602),
)


def test_what_is_no_request_is_refused_by_its_code(ada: httpx2.Client, gate: StandIn) -> None:
    for body, status, code in REFUSED:
        gate.codes.clear()
        gate.over.clear()
        answer = ada.post("/v1/mcp", content=body, headers={"Content-Type": "application/json"})
        told = answer.json()
        assert (answer.status_code, told["error"]["code"]) == (status, code), body[:80]
        assert told["jsonrpc"] == "2.0"
        assert gate.codes or gate.over[-1].error_code


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (QuotaExceededError("full", details={"metric": "memories", "limit": 1}), 402, -32004),
        (RateLimitedError("too fast", headers={"Retry-After": "3"}), 429, -32005),
        (TenantSuspendedError("suspended"), 403, -32003),
        (TimedOutError("too long"), 504, -32008),
        (UnavailableError("busy"), 503, -32603),
    ],
)
def test_who_is_not_admitted_is_told_why(
    ada: httpx2.Client, gate: StandIn, error: ServeError, status: int, code: int
) -> None:
    gate.refuse = lambda needs, part: error
    answer = ada.post("/v1/mcp", json={**tool("memory_stats"), "id": 5})
    told = answer.json()
    assert (answer.status_code, told["id"], told["error"]["code"]) == (status, 5, code)
    assert told["error"]["data"]["code"] == error.code
    assert answer.headers.get("retry-after") == error.headers.get("Retry-After")
    assert gate.codes == [error.code]


def test_without_a_key_or_a_tenant_nobody_gets_in(site: str, gate: StandIn) -> None:
    body = tool("memory_stats")
    answer = httpx2.post(f"{site}/v1/mcp", json=body, headers={"X-Engram-Tenant": "ada"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, -32001)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    crossed = {**as_tenant("ada"), "X-Engram-Tenant": "bob"}
    answer = httpx2.post(f"{site}/v1/mcp", json=body, headers=crossed)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, -32002)
    answer = httpx2.post(f"{site}/v1/mcp", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32602)
    batch = httpx2.post(f"{site}/v1/mcp/batch", json=[body], headers={"X-Engram-Tenant": "ada"})
    assert (batch.status_code, batch.json()["error"]["code"]) == (401, -32001)


@pytest.mark.anyio
@pytest.mark.parametrize("mode", MODES)
async def test_the_official_client_is_told_of_codes(site: str, gate: StandIn, mode: str) -> None:
    async with speaking(site, "ada", mode=mode) as client:
        gate.scopes = frozenset({"memories:read"})
        assert not (await client.call_tool("memory_stats", {})).is_error
        for name, arguments in (
            ("memory_create", {"content": "x"}),
            ("memory_search", {"query": "x"}),
        ):
            with pytest.raises(MCPError) as met:
                await client.call_tool(name, arguments)
            assert met.value.code == -32001
        gate.refuse = lambda needs, part: QuotaExceededError("full", details={"limit": 9})
        with pytest.raises(MCPError) as met:
            await client.call_tool("memory_stats", {})
        assert met.value.code == -32004
        assert met.value.data == {"code": "QUOTA_EXCEEDED", "details": {"limit": 9}}
    assert gate.engines["ada"].count() == 0


def test_each_of_a_batch_is_answered_by_itself(ada: httpx2.Client, gate: StandIn) -> None:
    batch = [
        {**tool("memory_create", content="one"), "id": 1},
        "nonsense",
        {**asked("fly"), "id": "two"},
        asked("notifications/cancelled"),
        {**tool("memory_get", id="nope"), "id": 3},
        {**tool("memory_search", query="one"), "id": 4},
        tool("memory_stats"),
    ]
    answer = ada.post("/v1/mcp/batch", json=batch)
    told = answer.json()
    assert answer.status_code == 200
    assert [each["id"] for each in told] == [1, None, "two", 3, 4, None]
    assert [each.get("error", {}).get("code") for each in told] == [
        None, -32600, -32601, None, None, None,
    ]  # fmt: skip
    assert told[3]["result"]["isError"] is True
    assert told[4]["result"]["structuredContent"]["hits"]  # it sees what came before it
    parts = [part for _, part in gate.admitted]
    assert parts == [None, 0, 2, 3, 4, 5, 6]
    assert sum(call.used.get("searches", 0) for call in gate.over) == 1


def test_one_of_a_batch_that_is_refused_leaves_the_others(
    ada: httpx2.Client, gate: StandIn
) -> None:
    def refuse(needs: Any, part: int | None) -> ServeError | None:
        return RateLimitedError("too fast") if part == 1 else None

    gate.refuse = refuse
    told = ada.post("/v1/mcp/batch", json=[{**asked("ping"), "id": n} for n in range(3)]).json()
    assert [each.get("error", {}).get("code") for each in told] == [None, -32005, None]


def test_a_batch_has_up_to_a_hundred(ada: httpx2.Client, gate: StandIn) -> None:
    pings = [{**asked("ping"), "id": n} for n in range(MOST_IN_A_BATCH + 1)]
    assert len(ada.post("/v1/mcp/batch", json=pings[:-1]).json()) == MOST_IN_A_BATCH
    gate.admitted.clear()
    bodies: tuple[Any, ...] = (pings, [], {}, 3)
    for body in bodies:
        answer = ada.post("/v1/mcp/batch", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32600)
    assert gate.admitted == []
    only = [asked("notifications/initialized")]
    assert ada.post("/v1/mcp/batch", json=only).status_code == 202
    assert ada.post("/v1/mcp", json=pings[:2]).json()[1]["id"] == 1


def test_a_batch_ends_where_its_answers_are_too_long(
    ada: httpx2.Client, endpoint: McpEndpoint, gate: StandIn
) -> None:
    gate.engines["ada"].remember("x" * 9_000)
    endpoint._answer_limit = 15_000  # in earnest it is far more than a test should send
    lists = [{**tool("memory_list"), "id": n} for n in range(3)]
    told = ada.post("/v1/mcp/batch", json=[*lists, "nonsense"]).json()
    assert [each.get("error", {}).get("code") for each in told] == [None, -32602, -32602, -32600]
    assert [each["id"] for each in told] == [0, 1, 2, None]
    assert told[1]["error"]["data"]["code"] == "CONTENT_TOO_LARGE"


def test_a_body_too_large_or_of_another_kind_is_refused(ada: httpx2.Client) -> None:
    large = tool("memory_create", content="x" * 250_000)
    answer = ada.post("/v1/mcp", json=large)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, -32602)
    chunks = (b" " * 10_000 for _ in range(30))
    answer = ada.post("/v1/mcp", content=chunks, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    answer = ada.post("/v1/mcp", content=b"a=1", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    for method in ("GET", "DELETE", "PUT"):
        answer = ada.request(method, "/v1/mcp")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_rebound_name_and_a_strange_page_are_refused(ada: httpx2.Client, gate: StandIn) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        for more in ({}, {"Accept": "application/json, text/event-stream"}):
            answer = ada.post("/v1/mcp", json=asked("ping", id=1), headers={**headers, **more})
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, -32001)
    assert gate.admitted == []


def test_whole_numbers_of_any_size_are_not_rounded_on_the_way(ada: httpx2.Client) -> None:
    for headers in ({}, {"Accept": "application/json, text/event-stream"}):
        for number, kept in ((2**53 + 1, True), (2**70, False)):
            body = {**tool("memory_create", content="n", metadata={"n": number}), "id": 1}
            told = ada.post("/v1/mcp", json=body, headers=headers).json()["result"]
            if kept:
                assert told["structuredContent"]["memory"]["metadata"]["n"] == number
            else:
                assert told["isError"] is True


def test_an_unknown_version_of_the_protocol_is_refused_not_broken(ada: httpx2.Client) -> None:
    accept = {"Accept": "application/json, text/event-stream"}
    for version in ("1999-01-01", "2026-07-28", "x" * 300):
        headers = {**accept, "MCP-Protocol-Version": version}
        answer = ada.post("/v1/mcp", json=asked("tools/list", id=1), headers=headers)
        assert 400 <= answer.status_code < 500
        assert "error" in answer.json()


def test_what_cannot_be_done_now_has_the_status_that_says_so(
    ada: httpx2.Client, gate: StandIn
) -> None:
    def busy() -> None:
        raise StoreBusyError("the database is locked: /a/path")

    gate.before = busy
    answer = ada.post("/v1/mcp", json=asked("resources/read", {"uri": "stats://memories"}, id=1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, -32603)
    assert "path" not in answer.text
    told = ada.post("/v1/mcp", json=tool("memory_stats")).json()["result"]
    assert (told["isError"], told["_meta"]["code"]) == (True, "UNAVAILABLE")


def test_what_nobody_foresaw_is_logged_and_not_told(ada: httpx2.Client, gate: StandIn) -> None:
    def broken() -> None:
        raise RuntimeError("/secret/path")

    gate.before = broken
    for headers in ({}, {"Accept": "application/json, text/event-stream"}):
        gate.failures.clear()
        answer = ada.post("/v1/mcp", json={**tool("memory_stats"), "id": 1}, headers=headers)
        assert answer.json()["error"]["code"] == -32603
        assert "secret" not in answer.text
        assert [str(each) for each in gate.failures] == ["/secret/path"]
    gate.before = None
    gate.refuse = lambda needs, part: RuntimeError("/secret/gate")  # type: ignore[assignment, return-value]
    for path, body in (("/v1/mcp", asked("ping")), ("/v1/mcp/batch", [asked("ping")])):
        gate.failures.clear()
        answer = ada.post(path, json=body)
        assert (answer.status_code, "secret" in answer.text) == (500, False)
        assert [str(each) for each in gate.failures] == ["/secret/gate"]


def test_a_slow_engine_times_out_and_the_server_goes_on(gate: StandIn) -> None:
    endpoint = McpEndpoint(gate, hosts=HostRules(), body_limit=10_000, timeout_s=0.1)
    gate.before = lambda: sleep(0.4)
    with listening(app_of(endpoint)) as site, httpx2.Client(headers=as_tenant("ada")) as client:
        answer = client.post(f"{site}/v1/mcp", json={**tool("memory_stats"), "id": 1})
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, -32008)
        gate.before = None
        assert client.post(f"{site}/v1/mcp", json=tool("memory_stats")).status_code == 200
    assert gate.over[0].error_code == "TIMEOUT"


@pytest.mark.anyio
async def test_before_its_lifespan_it_answers_all_the_same(gate: StandIn) -> None:
    endpoint = McpEndpoint(gate, hosts=HostRules(), body_limit=10_000)
    transport = httpx2.ASGITransport(app_of(endpoint))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for more in ({}, {"Accept": "text/event-stream, application/json"}):
            headers = {**as_tenant("ada"), **more}
            answer = await client.post("/v1/mcp", json=asked("ping", id=1), headers=headers)
            assert (answer.status_code, answer.json()["id"]) == (200, 1)
