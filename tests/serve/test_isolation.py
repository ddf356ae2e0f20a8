"""What is a tenant's own is seen by nobody else, whatever they ask and however they ask for it."""

from __future__ import annotations

import base64
import hmac
import json
import re
import shutil
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from time import sleep, time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from fastapi import Request
from joserfc import jwt
from joserfc.jwk import RSAKey

from engram_lab.config import AuthSettings, BackupSettings
from engram_lab.core.errors import EngramError
from engram_lab.serve.answers import answer as answered
from engram_lab.serve.app import create_app
from engram_lab.serve.backups.layout import folder_of
from engram_lab.serve.errors import AbsentError, ForbiddenError
from engram_lab.serve.idempotency import Answered
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.services import Services
from engram_lab.serve.tenants.reports import ImportReports
from tests.serve.asks import Ask
from tests.serve.canaries import BAIT, UNKNOWN, Canary, as_refused, attempts, furnished, seen
from tests.serve.live import ADMIN, Live, live, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

UNREACHED = {"POST /v1/invites/accept"}
"""What a key cannot do: an invitation is for a person. `test_serve_access` has it."""
NEVER_LOGGED = {"word", "own key", "secret", "token"}
OPEN = {"GET /health", "GET /health/ready", "GET /metrics"}
LEAST = 45 + 19
"""Routes and tools: at least so many, so that none goes missing unseen."""


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
    listed = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    tools = bob.client.post("/v1/mcp", json=listed).json()["result"]["tools"]
    openapi = bob.client.get("/openapi.json").json()
    return Aviary(served=served, ada=ada, bob=bob, openapi=openapi, tools=tools)


@pytest.fixture(scope="module")
def signing() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "ours", "use": "sig", "alg": "RS256"})


@pytest.fixture(scope="module")
def aviary(tmp_path_factory: pytest.TempPathFactory, signing: RSAKey) -> Iterator[Aviary]:
    folder = tmp_path_factory.mktemp("data")
    kept = BackupSettings(place=str(folder / "kept"), key_file=str(folder / "key"))
    with issuer(signing) as url:
        auth = AuthSettings(
            enabled=True, admin_token=ADMIN, jwks_url=url, jwt_issuer="us", jwt_audience="engram"
        )
        with live(settings(folder, backups=kept, auth=auth)) as served:
            yield aviary_of(served)


# What a tenant may ask as itself


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
    for ask, answer in zip(asks, answers, strict=True):
        theirs = ask.pathed and ask.value in victim.lent.values()
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
        sleep(0.01)
        found = own.client.post("/v1/search", json={"query": f"{own.word} {BAIT}"})
        out = own.client.get("/v1/memories", params={"limit": 100})
        for answer in (made, found, out):
            if own.word not in answer.text or other.word in answer.text:
                faults.append(f"{answer.request.url} said: {answer.text[:200]}")
    return faults if number > 10 else [*faults, f"{own.slug} was answered {number} times alone"]


def test_two_tenants_who_try_everything_at_once_see_nothing_of_each_other(aviary: Aviary) -> None:
    pairs, ends = ((aviary.ada, aviary.bob), (aviary.bob, aviary.ada)), Event()
    with ThreadPoolExecutor(4) as pool:
        living = [pool.submit(lived, *pair, ends) for pair in pairs]
        trying = [pool.submit(tried, aviary, *pair) for pair in pairs]
        faults = [fault for each in trying for fault in each.result()]
        ends.set()
        faults += [fault for each in living for fault in each.result()]
    assert faults == []
    for victim, own in pairs:  # nor did anybody change what is another's
        texts = own.client.get("/v1/export").text, own.client.get("/v1/audit?limit=1000").text
        assert own.word in texts[0]
        assert not any(secret in text for secret in victim.secrets.values() for text in texts)
        keys = {f"key:{each['id']}" for each in own.client.get("/v1/keys").json()["data"]}
        authors = set(re.findall(r"key:[0-9a-f-]{36}", victim.client.get("/v1/export").text))
        assert authors
        assert keys.isdisjoint(authors)


def test_what_a_server_tells_of_itself_names_no_tenant(aviary: Aviary) -> None:
    aviary.served.running.services.log.close()
    log = aviary.served.log.getvalue()
    assert '"tenant_slug":"ada"' in log
    metrics = "".join(
        aviary.ada.client.get("/metrics", headers={"Accept": kind}).text
        for kind in ("*/*", "application/openmetrics-text")
    )
    assert "engram_requests_total" in metrics
    for each in (aviary.ada, aviary.bob):
        never = {name: told for name, told in each.secrets.items() if name in NEVER_LOGGED}
        assert len(never) == len(NEVER_LOGGED)
        assert not [name for name, told in never.items() if told in log]
        known = {**each.secrets, **each.lent, "slug": f'"{each.slug}"'}
        assert not [name for name, told in known.items() if told in metrics]
        alone = [line for line in log.splitlines() if f'"tenant_slug":"{each.slug}"' in line]
        other = aviary.bob if each is aviary.ada else aviary.ada
        assert not [line for line in alone for told in other.secrets.values() if told in line]


def test_a_backup_of_one_tenant_is_none_of_anothers(aviary: Aviary, tmp_path: Path) -> None:
    services = aviary.served.running.services
    kept, ids = services.backups, [each.lent["tenant"] for each in (aviary.ada, aviary.bob)]
    assert kept is not None
    ada, bob = (Path(services.config.backups.place or "") / folder_of(each) for each in ids)
    name = aviary.ada.lent["backup"]
    for work in (kept.verify, lambda *given: kept.restore(*given, tmp_path / "engram.db")):
        with pytest.raises(EngramError):
            work(ids[1], name)
    copied = [shutil.copy(each, bob / each.name) for each in ada.iterdir() if name in each.name]
    assert copied
    for work in (kept.verify, lambda *given: kept.restore(*given, tmp_path / "engram.db")):
        with pytest.raises(EngramError):  # it is sealed for the tenant that it is of
            work(ids[1], name)
    assert not (tmp_path / "engram.db").exists()
    for each in copied:
        Path(each).unlink()
    kept.verify(ids[0], name)


# Who says that they are somebody else


def misnamed(found: Aviary, victim: Canary, own: Canary) -> Iterator[dict[str, str]]:
    """Yield headers that name another tenant, in every way that there is."""
    mine, theirs = own.headers["Authorization"], victim.slug
    for slug in (
        theirs,
        theirs.upper(),
        f"{theirs}%00",
        f"{own.slug},{theirs}",
        f"../{theirs}",
    ):
        yield {"Authorization": mine, "X-Engram-Tenant": slug}
    for host in (theirs, theirs.upper(), f"x.{theirs}", f"{theirs}.{own.slug}"):
        yield {"Authorization": mine, "Host": f"{host}.engram.test"}
    yield {"Authorization": mine, "Host": f"{theirs}.engram.test", "X-Engram-Tenant": own.slug}
    yield {"Authorization": mine, "Host": f"{theirs}.engram.test", "X-Forwarded-Host": own.slug}
    yield {"X-Engram-Tenant": theirs}
    yield {
        "Authorization": victim.headers["Authorization"][:-4] + "AAAA",
        "X-Engram-Tenant": theirs,
    }
    yield {"Authorization": f"Bearer {victim.secrets['prefix']}", "X-Engram-Tenant": theirs}
    yield {"X-API-Key": mine.removeprefix("Bearer "), "X-Engram-Tenant": theirs}
    yield {"Authorization": mine, "X-API-Key": victim.secrets["prefix"], "X-Engram-Tenant": theirs}
    yield {"Authorization": f"Bearer {ADMIN}", "X-Engram-Tenant": theirs}
    yield {"Cookie": f"tenant={theirs}", "X-Engram-Tenant": theirs}


def entered(found: Aviary, victim: Canary, own: Canary, headers: dict[str, str]) -> list[str]:
    """Return where headers let somebody in: each route and tool is tried."""
    asks = {each.name: each for each in found.attempts(victim, own)}
    client, faults = found.forged(headers), []
    for name, ask in asks.items():
        answer = ask.send(client)
        inside = name in OPEN or "/v1/admin" in name
        if not inside and answer.status_code not in {400, 401, 403, 404, 429}:
            faults.append(f"{name} with {sorted(headers)} is {answer.status_code}: {answer.text}")
        faults += [] if "/v1/admin" in name else seen(ask, answer, victim)
    assert len(asks) >= LEAST
    return faults


def test_a_forged_name_or_key_opens_no_route(aviary: Aviary) -> None:
    for victim, own in ((aviary.ada, aviary.bob), (aviary.bob, aviary.ada)):
        for headers in misnamed(aviary, victim, own):
            assert entered(aviary, victim, own, headers) == []


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-Host",
        "X-Original-Host",
        "X-Host",
        "Forwarded",
        "X-Tenant",
        "X-Tenant-Id",
        "X-Original-URL",
        "X-Rewrite-URL",
        "Referer",
        "X-Engram-Tenant-Id",
        "If-None-Match",
    ],
)
def test_a_header_that_names_nobody_changes_nothing(aviary: Aviary, header: str) -> None:
    victim, own = aviary.ada, aviary.bob
    for value in (victim.slug, victim.lent["tenant"], f"host={victim.slug}.engram.test"):
        told = {header: value}
        for path in ("/v1/memories", f"/v1/memories/{victim.lent['memory 0']}", "/v1/audit"):
            answer = own.client.get(path, headers=told)
            assert seen(Ask(name=path, method="GET", path=path), answer, victim) == []
            assert answer.status_code in {200, 404}


def forged_tokens(signing: RSAKey, slug: str) -> Iterator[str]:
    """Yield tokens that look like one of a member, and are none."""
    at, ours = int(time()), {"alg": "RS256", "kid": "ours"}
    claims = {"iss": "us", "aud": "engram", "sub": f"person-of-{slug}", "exp": at + 600}
    other = RSAKey.generate_key(2048, {"kid": "ours"})
    public = signing.as_pem(private=False)
    for name in ("none", "None", "nOnE"):
        yield f"{encoded({'alg': name, 'kid': 'ours'})}.{encoded(claims)}."
    for secret in (public, public.strip(), json.dumps(signing.as_dict(private=False)).encode()):
        head = f"{encoded({'alg': 'HS256', 'kid': 'ours'})}.{encoded(claims)}"
        yield f"{head}.{encoded(hmac.digest(secret, head.encode(), 'sha256'))}"
    for change in ({"aud": "other"}, {"exp": at - 61}, {"iss": "them"}, {"nbf": at + 600}):
        yield jwt.encode(ours, {**claims, **change}, signing)
    for missing in ("aud", "exp", "iss", "sub"):
        yield jwt.encode(ours, {n: each for n, each in claims.items() if n != missing}, signing)
    for kid in ("theirs", "../ours", "ours' or '1'='1", ""):
        yield jwt.encode({**ours, "kid": kid}, claims, signing)
    yield jwt.encode(ours, claims, other)
    right = jwt.encode(ours, claims, signing)
    yield right.rpartition(".")[0] + "."
    yield jwt.encode({**ours, "jwk": other.as_dict(private=False)}, claims, other)
    head, _, mark = jwt.encode(ours, {**claims, "sub": "nobody"}, signing).split(".")
    yield f"{head}.{encoded(claims)}.{mark}"


def test_a_forged_token_opens_no_route(aviary: Aviary, signing: RSAKey) -> None:
    services = aviary.served.running.services
    for each in (aviary.ada, aviary.bob):
        view = services.plane.within(each.lent["tenant"])
        view.put_member(f"person-of-{each.slug}", "owner", at=services.clock.now())
    claims = {"iss": "us", "aud": "engram", "exp": int(time()) + 600}
    for victim, own in ((aviary.ada, aviary.bob), (aviary.bob, aviary.ada)):
        persons = [{**claims, "sub": f"person-of-{each.slug}"} for each in (victim, own)]
        theirs, mine = (jwt.encode({"alg": "RS256", "kid": "ours"}, e, signing) for e in persons)
        for token, well in ((theirs, 200), (mine, 404)):
            headers = {"Authorization": f"Bearer {token}", "X-Engram-Tenant": victim.slug}
            assert aviary.forged(headers).get("/v1/memories").status_code == well
        for token in (mine, *forged_tokens(signing, victim.slug)):
            headers = {"Authorization": f"Bearer {token}", "X-Engram-Tenant": victim.slug}
            assert entered(aviary, victim, own, headers) == []


def encoded(part: bytes | dict[str, Any]) -> str:
    told = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(told).rstrip(b"=").decode()


# That all this would be noticed


def a_route_for_everybody(found: pytest.MonkeyPatch) -> str:
    """Add a route that gives whatever memory is named, whoever asks."""

    @needs("memories:read")
    async def peek(request: Request, anything: str) -> Any:
        call, services = of(request)
        for tenant in services.plane.as_operator().tenants():
            with services.pool.lease(tenant) as engine:
                for memory in engine.get_many([anything]):
                    if memory is not None:
                        return answered(call, memory)
        raise AbsentError("there is nothing of this id")

    def made(running: Any) -> Any:
        app = create_app(running)
        app.router.routes.append(GuardedRoute("/v1/peek/{anything}", peek, methods=["GET"]))
        return app

    found.setattr("tests.serve.live.create_app", made)
    return "GET /v1/peek/{anything}"


def an_engine_of_another(found: pytest.MonkeyPatch) -> str:
    """Let who searches meet the engine of whoever came first."""
    used, last = Services._used, []  # noqa: SLF001 - to break it

    def leaky(self: Services, call: Any, tenant: Any, work: Any) -> Any:
        last.append(tenant)
        return used(self, call, last[0] if call.path == "/v1/search" else tenant, work)

    found.setattr(Services, "_used", leaky)
    return "POST /v1/search with"


def answers_by_key_alone(found: pytest.MonkeyPatch) -> str:
    """Keep what was answered to idempotency keys for all tenants together."""

    class Together(dict[Any, Any]):
        def get(self, place: Any, default: Any = None) -> Any:
            return super().get(place[1:], default)

        def __setitem__(self, place: Any, kept: Any) -> None:
            super().__setitem__(place[1:], kept)

    def begun(self: Answered, timer: Any) -> None:
        self.kept = Together()  # type: ignore[assignment]

    found.setattr(Answered, "__init__", begun)
    return "POST /v1/memories with '' said the shared memory of"


def a_refusal_that_knows(found: pytest.MonkeyPatch) -> str:
    """Tell who has a memory from who has not."""
    read = ImportReports.read

    def told(self: ImportReports, tenant_id: str, import_id: str) -> Any:
        if list(self._places.root.glob(f"tenants/*/imports/{import_id}.json")):
            found_there = read(self, tenant_id, import_id)
            if found_there is None:
                raise ForbiddenError("this import is another's")
            return found_there
        return read(self, tenant_id, import_id)

    found.setattr(ImportReports, "read", told)
    return "GET /v1/imports/{id} tells that"


@pytest.mark.parametrize(
    "leak",
    [a_route_for_everybody, an_engine_of_another, answers_by_key_alone, a_refusal_that_knows],
)
def test_a_leak_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leak: Callable[[pytest.MonkeyPatch], str]
) -> None:
    kept = BackupSettings(place=str(tmp_path / "kept"), key_file=str(tmp_path / "key"))
    sign = leak(monkeypatch)
    with live(settings(tmp_path, backups=kept)) as served:
        found = aviary_of(served)
        faults = tried(
            found, found.ada, found.bob, only=sign.partition(" with")[0].partition(" tells")[0]
        )
    assert [each for each in faults if sign in each]
