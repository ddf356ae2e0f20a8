"""A fake control plane in memory, an issuer of tokens on loopback, and requests to try."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ParamSpec, TypeVar

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from joserfc.jwk import RSAKey

from engram_lab.config.serving import AuthSettings
from engram_lab.core.clock import ManualClock
from engram_lab.serve.auth import Authenticator, new_key
from engram_lab.serve.call import Call, Needs
from engram_lab.serve.control.records import ApiKey, Environment, Scope

P = ParamSpec("P")
T = TypeVar("T")

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
SEARCH = Needs(route="POST /v1/search", scope="search")


@dataclass
class Keys:
    """Looks keys up as the control plane does, and can be stopped while it does."""

    all: list[ApiKey] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def keys_by_prefix(self, prefix: str, /) -> list[ApiKey]:
        self.asked.append(prefix)
        await asyncio.sleep(0)
        return [key for key in self.all if key.prefix == prefix]

    def change(self, key_id: str, **changes: Any) -> None:
        self.all = [replace(key, **changes) if key.id == key_id else key for key in self.all]


class Threads:
    """Carries out work in threads; counts it, and how much of it went on at a time."""

    def __init__(self) -> None:
        self.ran = 0
        self.most = 0
        self.began = asyncio.Event()
        self._now = 0

    async def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        self.ran += 1
        self.began.set()
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            return await asyncio.to_thread(work, *args, **kwargs)
        finally:
            self._now -= 1


class Timer:
    """Seconds that go by when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Door:
    """An authenticator and all that is around it."""

    authenticator: Authenticator
    keys: Keys
    clock: ManualClock
    timer: Timer
    threads: Threads
    used: list[tuple[str, datetime]]

    def add(
        self,
        *,
        id: str = "k1",  # noqa: A002
        tenant_id: str = "t1",
        environment: Environment = "live",
        scopes: tuple[Scope, ...] = ("search",),
        **more: Any,
    ) -> str:
        made = new_key(environment)
        self.keys.all.append(
            ApiKey(
                id=id,
                tenant_id=tenant_id,
                name=id,
                prefix=made.prefix,
                hash=made.hash,
                environment=environment,
                scopes=scopes,
                created_at=START,
                created_by="operator",
                **more,
            )
        )
        return made.secret


@pytest.fixture
def door() -> Callable[..., Door]:
    def build(**settings: Any) -> Door:
        keys, clock, timer, threads = Keys(), ManualClock(START), Timer(), Threads()
        used: list[tuple[str, datetime]] = []
        authenticator = Authenticator(
            AuthSettings(**{"enabled": True, **settings}),
            keys,
            clock,
            threads.run,
            lambda key_id, at: used.append((key_id, at)),
            timer=timer,
        )
        return Door(authenticator, keys, clock, timer, threads, used)

    return build


@pytest.fixture
def asks() -> Callable[..., Call]:
    def build(
        *,
        bearer: str | None = None,
        key: str | None = None,
        headers: Mapping[str, list[str]] | None = None,
        client: str = "192.0.2.7",
        needs: Needs | None = SEARCH,
    ) -> Call:
        given = dict(headers or {})
        if bearer is not None:
            given["authorization"] = [f"Bearer {bearer}"]
        if key is not None:
            given["x-api-key"] = [key]
        return Call(
            request_id="r1",
            method="POST",
            path="/v1/search",
            headers=given,
            client=client,
            secure=True,
            at=START,
            began=0.0,
            needs=needs,
        )

    return build


@cache
def rsa(number: int) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": f"kid{number}", "use": "sig", "alg": "RS256"})


def encoded(data: bytes | str | dict[str, Any] | list[Any]) -> str:
    """Return the base64url of bytes, a text, or the JSON of anything else."""
    if not isinstance(data, bytes):
        data = (data if isinstance(data, str) else json.dumps(data)).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def present(content: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is None."""
    return {name: value for name, value in content.items() if value is not None}


class Issuer:
    """Publishes keys over HTTP on loopback, and signs tokens with them."""

    def __init__(self) -> None:
        self.keys = [rsa(1)]
        self.requests = 0
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body: bytes | None = None
        self.gate: threading.Event | None = None
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.requests += 1
                if issuer.gate is not None:
                    issuer.gate.wait(5)
                body = issuer.published() if issuer.body is None else issuer.body
                if self.path != "/jwks.json":
                    self.send_response(200)
                else:
                    self.send_response(issuer.status)
                    for name, value in issuer.headers.items():
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"{self.address}/jwks.json"

    def published(self) -> bytes:
        return json.dumps({"keys": [key.as_dict(private=False) for key in self.keys]}).encode()

    def sign(
        self, *, number: int = 1, header: Mapping[str, Any] | None = None, **claims: Any
    ) -> str:
        said = {"sub": "ann", "iss": "https://issuer", "aud": "engram", **claims}
        said.setdefault("exp", int(START.timestamp()) + 600)
        head = {"alg": "RS256", "kid": f"kid{number}", "typ": "JWT", **(header or {})}
        return self.sign_parts(encoded(present(head)), encoded(present(said)), number=number)

    def sign_parts(
        self, header: str, payload: str, *, number: int = 1, algorithm: str = "RS256"
    ) -> str:
        """Sign any two parts, whatever they say, by RS256 unless told otherwise."""
        private = rsa(number).private_key
        assert private is not None
        hashed = SHA512() if algorithm.endswith("512") else SHA256()
        padding = PSS(MGF1(hashed), 32) if algorithm.startswith("PS") else PKCS1v15()
        signed = f"{header}.{payload}"
        return f"{signed}.{encoded(private.sign(signed.encode(), padding, hashed))}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    server = Issuer()
    yield server
    server.close()
