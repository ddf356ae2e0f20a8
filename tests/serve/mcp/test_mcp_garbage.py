"""Whatever is sent, the answer is one of JSON-RPC, and never that something broke."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram_lab.serve.hosts import HostRules
from engram_lab.serve.mcp.http import McpEndpoint
from engram_lab.serve.mcp.messages import BadMessageError, needs_of, parsed, read_message
from engram_lab.serve.mcp.tools import TOOLS
from tests.serve.mcp.standin import StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anyio.from_thread import BlockingPortal

    from tests.serve.mcp.standin import StandIn

_SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_HEADERS = [
    (b"host", b"localhost"),
    (b"content-type", b"application/json"),
    (b"authorization", b"Bearer ada"),
    (b"x-engram-tenant", b"ada"),
]
_AS_CLIENT = [(b"accept", b"application/json, text/event-stream")]

numbers = st.integers() | st.floats()
scalars = st.none() | st.booleans() | numbers | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    """A call of a tool with arguments of the right names and wild values."""
    tool = TOOLS[draw(st.sampled_from(sorted(set(TOOLS) - {"memory_dream"})))]
    names = list(tool.arguments.model_fields)
    chosen = draw(st.lists(st.sampled_from(names), max_size=4, unique=True))
    likely = values | st.sampled_from(["default", "2026-05-04", "a b", '"a', "a*", "x" * 300])
    arguments = {name: draw(likely) for name in chosen}
    for name, field in tool.arguments.model_fields.items():
        if field.is_required() and draw(st.booleans()):
            arguments.setdefault(name, draw(st.text(min_size=1, max_size=30)))
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": tool.name, "arguments": arguments}}  # fmt: skip


messages = calls() | values | st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | values,
        "id": values,
        "method": st.sampled_from(
            ["tools/call", "tools/list", "ping", "initialize", "resources/read", "prompts/get",
             "completion/complete", "logging/setLevel", "subscriptions/listen", "server/discover",
             "notifications/cancelled", "resources/subscribe"]
        ) | st.text(max_size=20),
        "params": st.dictionaries(
            st.sampled_from(["name", "arguments", "uri", "_meta", "cursor", "level"]), values
        ) | values,
    },
)  # fmt: skip


class Site:
    """An endpoint in a thread of its own, asked without a network."""

    def __init__(self, endpoint: McpEndpoint, portal: BlockingPortal) -> None:
        self._endpoint = endpoint
        self._portal = portal

    def post(self, body: bytes, *, batch: bool = False, headers: Any = ()) -> tuple[int, bytes]:
        asked = partial(self._post, body, [*_HEADERS, *headers], batch=batch)
        answer: tuple[int, bytes] = self._portal.call(asked)
        return answer

    async def _post(self, body: bytes, headers: Any, *, batch: bool) -> tuple[int, bytes]:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": "/v1/mcp",
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 1),
        }
        async with asyncio.timeout(30):
            await self._endpoint.respond(scope, receive, send, batch=batch)
        return sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:])


@pytest.fixture
def endpoint_in_a_loop(gate: StandIn) -> Iterator[Site]:
    endpoint = McpEndpoint(gate, hosts=HostRules(), body_limit=200_000, timeout_s=20)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(endpoint.running()):
        yield Site(endpoint, portal)


def told(body: bytes) -> Any:
    return json.loads(body) if body else None


def assert_one_of_json_rpc(answer: Any) -> None:
    assert answer["jsonrpc"] == "2.0"
    assert ("result" in answer) != ("error" in answer)
    if "error" in answer:
        assert answer["error"]["code"] != -32603, answer
        assert answer["error"]["code"] < 0


@_SETTINGS
@given(body=st.binary(max_size=200) | messages.map(lambda each: json.dumps(each).encode()))
def test_garbage_is_refused_and_breaks_nothing(endpoint_in_a_loop: Site, body: bytes) -> None:
    for headers in ((), _AS_CLIENT, [*_AS_CLIENT, (b"mcp-protocol-version", b"2025-11-25")]):
        status, answer = endpoint_in_a_loop.post(body, headers=headers)
        assert status < 500, answer
        if answer:
            found = told(answer)
            for each in found if isinstance(found, list) else [found]:
                assert_one_of_json_rpc(each)


@_SETTINGS
@given(batch=st.lists(messages, max_size=5))
def test_a_batch_of_garbage_is_answered_one_by_one(
    endpoint_in_a_loop: Site, batch: list[Any]
) -> None:
    status, answer = endpoint_in_a_loop.post(json.dumps(batch).encode(), batch=True)
    assert status < 500
    found = told(answer) or []
    if isinstance(found, dict):
        assert found["error"]["code"] in {-32600, -32700}
        return
    assert len(found) <= len(batch)
    for each in found:
        assert_one_of_json_rpc(each)


@_SETTINGS
@given(call=calls())
def test_wild_arguments_are_told_in_words(endpoint_in_a_loop: Site, call: dict[str, Any]) -> None:
    status, answer = endpoint_in_a_loop.post(json.dumps(call).encode())
    assert status in {200, 400}, answer
    found = told(answer)
    if "result" in found and found["result"]["isError"]:
        text = found["result"]["content"][0]["text"]
        assert text
        assert "Traceback" not in text
        assert found["result"]["_meta"]["code"] != "INTERNAL_ERROR"


@given(value=values)
def test_what_is_no_message_is_known_as_such(value: Any) -> None:
    is_message = isinstance(value, dict) and value.get("jsonrpc") == "2.0"
    with pytest.raises(BadMessageError) if not is_message else nullcontext() as met:
        needs_of(read_message(value))
    assert met is None or met.value.code == -32600


@given(body=st.binary(max_size=100))
def test_bytes_are_json_or_refused(body: bytes) -> None:
    value = None
    with suppress(BadMessageError):
        value = parsed(body)
    assert json.loads(json.dumps(value)) == value


def test_routes_are_few_whatever_is_asked() -> None:
    routes = {
        needs_of(read_message({"jsonrpc": "2.0", "method": method, "params": {"name": name}})).route
        for method in ("tools/call", "prompts/get", "ping", "fly", "x" * 99)
        for name in ("", "fly", "memory_stats", "summarise-day", 3, None)
    }
    assert routes == {
        "MCP memory_stats", "MCP tools/call", "MCP prompts/get", "MCP ping", "MCP other",
    }  # fmt: skip


def test_a_filter_that_nests_too_deep_is_refused(endpoint_in_a_loop: Site) -> None:
    deep: Any = {"type": "note"}
    for _ in range(150):
        deep = {"not": deep}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "memory_list", "arguments": {"filter": deep}}}  # fmt: skip
    for headers in ((), _AS_CLIENT):
        status, answer = endpoint_in_a_loop.post(json.dumps(call).encode(), headers=headers)
        assert status == 200
        assert told(answer)["result"]["isError"] is True


def test_the_log_is_quiet_about_what_clients_get_wrong(
    endpoint_in_a_loop: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for body in (b"{", b"3", b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":"x"}}'):
            endpoint_in_a_loop.post(body)
    assert caplog.records == []
