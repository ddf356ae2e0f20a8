"""What somebody may try who has no credential: heads without end, pages from elsewhere."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from engram_lab.config import AuthSettings, TenancySettings
from tests.serve.live import Live, live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD_S = 0.5


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    config = settings(tmp_path_factory.mktemp("guarded"))
    with live(replace(config, serve=replace(config.serve, head_s=HEAD_S))) as served:
        served.tenant("acme")
        yield served


def connected(served: Live) -> socket.socket:
    port = int(served.url.rpartition(":")[2])
    made = socket.create_connection(("127.0.0.1", port))
    made.settimeout(10 * HEAD_S)
    return made


def test_whoever_never_ends_a_second_head_is_hung_up_on(guarded: Live) -> None:
    with connected(guarded) as asking:
        asking.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert asking.recv(4096).startswith(b"HTTP/1.1 200")
        asking.sendall(b"GET /hea")
        assert asking.recv(1) == b""  # a timeout would raise


def test_a_head_has_an_end(guarded: Live) -> None:
    head = b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 16_000_000
    with connected(guarded) as asking, pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):
        asking.sendall(head)


def test_a_long_body_in_small_pieces_is_taken(guarded: Live) -> None:
    key = guarded.key("acme")
    pieces = b"".join(b"1\r\n%c\r\n" % each for each in b'{"query":"' + b"a" * 20_000 + b'"}')
    head = (
        "POST /v1/search HTTP/1.1\r\nHost: x\r\nX-Engram-Tenant: acme\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    with connected(guarded) as asking:
        asking.sendall(head.encode() + pieces + b"0\r\n\r\n")
        assert asking.recv(4096).startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))


def test_what_follows_a_body_is_no_header(guarded: Live) -> None:
    acme = guarded.of("acme")
    made = acme.post("/v1/memories", json={"content": "tea"}).json()["data"]
    body = b'{"content":"coffee"}'
    head = (
        f"PATCH /v1/memories/{made['id']} HTTP/1.1\r\nHost: x\r\nX-Engram-Tenant: acme\r\n"
        f"Authorization: {acme.headers['authorization']}\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    ).encode()
    with connected(guarded) as asking:
        asking.sendall(head + b"%x\r\n%b\r\n0\r\n" % (len(body), body) + b'If-Match: "9"\r\n\r\n')
        assert asking.recv(4096).startswith(b"HTTP/1.1 200")


def test_a_page_with_a_rebound_name_reaches_no_route_of_the_operator(tmp_path: Path) -> None:
    tenancy = TenancySettings(data=str(tmp_path), default="home")
    with live(settings(tmp_path, auth=AuthSettings(), tenancy=tenancy)) as served:
        served.tenant("home")
        evil = served.client(Host="evil.example", Origin="http://evil.example")
        for method, path in (
            ("GET", "/v1/admin/tenants"),
            ("POST", "/v1/admin/tenants"),
            ("POST", "/v1/admin/tenants/home/keys"),
            ("DELETE", "/v1/admin/tenants/home"),
            ("GET", "/metrics"),
            ("GET", "/v1/stats"),
        ):
            given = {"slug": "theirs"} if method == "POST" else None
            assert evil.request(method, path, json=given).status_code == 403, path
        assert served.client().get("/v1/admin/tenants").status_code == 200
        assert served.client().get("/metrics").status_code == 200


def test_a_long_message_of_somebody_unknown_is_not_read(guarded: Live) -> None:
    unread = "[" + "[]," * 400_000 + "[]]"
    kind = {"Content-Type": "application/json", "X-Engram-Tenant": "acme"}
    refused = guarded.client().post("/v1/mcp", content=unread, headers=kind)
    assert refused.status_code == 401
    known = guarded.of("acme").post("/v1/mcp", content=unread, headers=kind)
    assert known.json()["error"]["code"] == -32600  # read, and found to be no batch
