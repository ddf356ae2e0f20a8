"""A server with two tenants that know of each other, and what each can do to see the other."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from time import sleep
from typing import TYPE_CHECKING, Any

from tests.serve.canaries import BAIT, UNKNOWN, Canary, as_refused, attempts, furnished, seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx2
    from joserfc.jwk import RSAKey

    from tests.serve.asks import Ask
    from tests.serve.live import Live

UNREACHED = {"POST /v1/invites/accept"}
"""What a key cannot do: an invitation is for a person. `test_serve_access` has it."""
OPEN = {"GET /health", "GET /health/ready", "GET /metrics"}
LEAST = 45 + 19
"""Routes and tools: at least so many, so that none goes missing unseen."""
MOST_TRIES = 100


@contextmanager
def issuer(key: RSAKey) -> Iterator[str]:
    """Publish a key as an issuer of tokens does."""
    body = json.dumps({"keys": [key.as_dict(private=False)]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/jwks.json"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True, kw_only=True)
class Aviary:
    """A server with two tenants that know of each other."""

    served: Live
    ada: Canary
    bob: Canary
    openapi: dict[str, Any]
    tools: list[dict[str, Any]]

    def attempts(self, victim: Canary, own: Canary) -> list[Ask]:
        return list(attempts(self.openapi, self.tools, victim, own))

    def forged(self, headers: Mapping[str, str]) -> httpx2.Client:
        return self.served.client(**{name.replace("-", "_"): v for name, v in headers.items()})


def aviary_of(served: Live) -> Aviary:
    ada, bob = furnished(served, "ada"), furnished(served, "bob")
    for each in (ada, bob):
        _answered_at_once(served, each)
    listed = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    tools = bob.client.post("/v1/mcp", json=listed).json()["result"]["tools"]
    openapi = bob.client.get("/openapi.json").json()
    return Aviary(served=served, ada=ada, bob=bob, openapi=openapi, tools=tools)


def _answered_at_once(served: Live, canary: Canary) -> None:
    """Ask until the answer is given on the event loop, which is a way of its own."""
    express = served.running.services.express
    express._timer = express._busy = lambda: 0.0  # all are quick, however slow this machine is
    before = express.answered
    for _ in range(MOST_TRIES):
        canary.client.post("/v1/search", json={"query": BAIT}).raise_for_status()
        if express.answered > before:
            return
        sleep(0.01)


def tried(found: Aviary, victim: Canary, own: Canary, *, only: str = "") -> list[str]:
    """Return what one tenant sees of another, or finds out of what it has."""
    asks = [each for each in found.attempts(victim, own) if each.name.startswith(only)]
    answers = [each.send(own.client) for each in asks]
    faults: list[str] = []
    unknown: dict[str, str] = {}
    reached: dict[str, bool] = defaultdict(bool)
    for ask, answer in zip(asks, answers, strict=True):
        faults += seen(ask, answer, victim)
        if answer.status_code >= 500:
            faults.append(f"{ask.name} with {ask.value!r} broke: {answer.text}")
        reached[ask.name] |= answer.is_success and '"isError":true' not in answer.text
        if ask.pathed and ask.value == UNKNOWN:
            unknown[ask.name] = as_refused(ask, answer)
    named = {each["name"] for each in own.client.get("/v1/workspaces").json()["data"]}
    for ask, answer in zip(asks, answers, strict=True):
        # A workspace that the asker made, and gave the name of what is another's, is its own.
        mine = ask.value in named and ask.name == "DELETE /v1/workspaces/{name}"
        theirs = ask.pathed and ask.value in victim.lent.values() and not mine
        if theirs and not answer.is_success and ask.value.count("-") == UNKNOWN.count("-"):
            told = as_refused(ask, answer)
            if told != unknown[ask.name]:
                faults.append(f"{ask.name} tells that {ask.value!r} exists: {told}")
    dull = {name for name, well in reached.items() if not well} - UNREACHED
    faults += [f"{name} never answered" for name in sorted(dull) if "/v1/admin" not in name]
    assert only or len(reached) >= LEAST
    return faults


def lived(own: Canary, other: Canary, ends: Event) -> list[str]:
    """Use a tenant as its owner does until told to end; return what was wrong."""
    faults, number = [], 0
    while not ends.is_set():
        number += 1
        made = own.client.post("/v1/memories", json={"content": f"{own.word} again {number}"})
        sleep(0.05)
        found = own.client.post("/v1/search", json={"query": f"{own.word} {BAIT}"})
        out = own.client.get("/v1/memories", params={"limit": 100})
        faults += [
            f"{answer.request.url} said: {answer.text[:200]}"
            for answer in (made, found, out)
            if own.word not in answer.text or other.word in answer.text
        ]
    return faults if number > 10 else [*faults, f"{own.slug} was answered {number} times alone"]
