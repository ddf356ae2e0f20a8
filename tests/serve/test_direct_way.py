"""What is asked most goes past the framework: to the same answer, whichever way it takes."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.serve.live import Live, live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx2

DIRECT, LONG = "application/json", "application/json; charset=utf-8"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(settings(tmp_path_factory.mktemp("data"))) as found:
        found.of("acme").post("/v1/memories", json={"content": "Ada takes her coffee black"})
        yield found


@pytest.fixture
def acme(served: Live) -> httpx2.Client:
    return served.of("acme")


def told(client: httpx2.Client, content: bytes, kind: str) -> tuple[int, set[str], Any]:
    """Return the status of a search, the names of its headers, and what it says but for ids."""
    answer = client.post("/v1/search", content=content, headers={"Content-Type": kind})
    said = answer.json()
    assert said["meta"].pop("request_id") == answer.headers["x-request-id"]
    return answer.status_code, set(answer.headers), said


@pytest.mark.parametrize(
    "body",
    [
        {"query": "coffee"},
        {"query": "coffee", "k": 1, "explain": True},
        {"query": "coffee", "k": "1", "strategy": "keyword"},
        {"query": "coffee", "k": 0},
        {"query": "coffee", "strategy": "by magic"},
        {"query": 7},
        {"query": "coffee", "unheard_of": True},
        {},
    ],
)
def test_both_ways_lead_to_the_same_answer(acme: httpx2.Client, body: Any) -> None:
    content = json.dumps(body).encode()
    status, headers, said = told(acme, content, DIRECT)
    assert (status, headers, said) == told(acme, content, LONG)
    assert status in {200, 400}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"query": "\xff"}', b'{"query": "\\ud800"}']
)
def test_what_is_no_object_of_json_is_refused_on_both(acme: httpx2.Client, content: bytes) -> None:
    for kind in (DIRECT, LONG):
        status, _, said = told(acme, content, kind)
        assert (status, said["error"]["code"]) == (400, "INVALID_REQUEST")


def test_a_stranger_is_refused_on_both_before_the_body_is_looked_at(served: Live) -> None:
    nobody = served.client(x_engram_tenant="acme")
    for kind in (DIRECT, LONG):
        status, _, said = told(nobody, b"{", kind)
        assert (status, said["error"]["code"]) == (401, "UNAUTHORIZED")


def test_a_body_in_pieces_is_one_body(acme: httpx2.Client) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"que'
        yield b'ry": "cof'
        yield b'fee"}'

    answer = acme.post("/v1/search", content=pieces(), headers={"Content-Type": DIRECT})
    assert [each["memory"]["content"] for each in answer.json()["data"]] == [
        "Ada takes her coffee black"
    ]


def test_a_body_that_breaks_off_harms_nobody(served: Live, acme: httpx2.Client) -> None:
    key = served.key("acme")
    host, port = served.url.removeprefix("http://").split(":")
    head = (
        f"POST /v1/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        "X-Engram-Tenant: acme\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    with socket.create_connection((host, int(port)), timeout=5) as broken:
        broken.sendall(head.encode())
    assert told(acme, b'{"query": "coffee"}', DIRECT)[0] == 200
    assert '"error_type":"ClientDisconnect"' not in served.log.getvalue()


def test_web_pages_may_take_the_direct_way_too(tmp_path: Path) -> None:
    config = settings(tmp_path)
    config = replace(config, serve=replace(config.serve, cors_origins="https://app.example"))
    with live(config) as found:
        answer = found.of("acme").post(
            "/v1/search", json={"query": "coffee"}, headers={"Origin": "https://app.example"}
        )
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
