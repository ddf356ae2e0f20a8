"""What is a tenant's own is seen by nobody else, whatever they ask and however they ask for it."""

from __future__ import annotations

import base64
import hmac
import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import time
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from engram_lab.config import AuthSettings, BackupSettings
from engram_lab.core.errors import EngramError
from engram_lab.serve.backups.layout import folder_of
from tests.serve.asks import Ask
from tests.serve.aviary import LEAST, OPEN, Aviary, aviary_of, issuer, lived, tried
from tests.serve.canaries import Canary, seen
from tests.serve.live import ADMIN, live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

NEVER_LOGGED = {"word", "own key", "secret", "token"}


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


def test_two_tenants_who_try_everything_at_once_see_nothing_of_each_other(aviary: Aviary) -> None:
    assert aviary.served.running.services.express.answered >= 2  # that way is tried as well
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
    with pytest.raises(EngramError):
        kept.verify(ids[1], name)
    with pytest.raises(EngramError):
        kept.restore(ids[1], name, tmp_path / "engram.db")
    copied = [shutil.copy(each, bob / each.name) for each in ada.iterdir() if name in each.name]
    assert copied
    with pytest.raises(EngramError):  # it is sealed for the tenant that it is of
        kept.verify(ids[1], name)
    with pytest.raises(EngramError):
        kept.restore(ids[1], name, tmp_path / "engram.db")
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
