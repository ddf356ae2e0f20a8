from __future__ import annotations

import asyncio
import gzip
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, RSAKey

from engram_lab.serve.auth import jwks
from engram_lab.serve.auth.jwks import (
    ASK_AGAIN_S,
    KEEP_STALE_S,
    FetchError,
    JwksKeys,
    fetch_jwks,
    jwks_url_fault,
    rsa_keys,
)
from engram_lab.serve.errors import UnavailableError
from engram_lab.serve.hosts import is_loopback
from tests.serve.auth.conftest import Threads, Timer, rsa

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.serve.auth.conftest import Issuer


def kept(issuer: Issuer, timer: Timer, *, max_age_s: float = 900.0) -> JwksKeys:
    return JwksKeys(lambda: fetch_jwks(issuer.url), Threads().run, max_age_s=max_age_s, timer=timer)


@pytest.mark.anyio
async def test_keys_are_fetched_once_and_kept(issuer: Issuer) -> None:
    keys = kept(issuer, Timer())
    for _ in range(3):
        assert await keys.find("kid1") is not None
    assert issuer.requests == 1


@pytest.mark.anyio
async def test_keys_past_their_age_are_fetched_anew_before_one_is_believed(issuer: Issuer) -> None:
    timer = Timer()
    keys = kept(issuer, timer)
    assert await keys.find("kid1") is not None
    issuer.keys = [rsa(2)]  # the issuer took the first one back
    timer.now += 899
    assert await keys.find("kid1") is not None
    timer.now += 2
    assert await keys.find("kid1") is None
    assert await keys.find("kid2") is not None
    assert issuer.requests == 2


@pytest.mark.anyio
async def test_an_unknown_kid_fetches_them_anew_and_at_most_once_in_a_while(
    issuer: Issuer,
) -> None:
    timer = Timer()
    keys = kept(issuer, timer)
    assert await keys.find("kid1") is not None
    issuer.keys = [rsa(1), rsa(2)]
    assert await keys.find("kid2") is None, "just fetched"
    timer.now += ASK_AGAIN_S
    assert await keys.find("kid2") is not None
    for number in range(50):
        assert await keys.find(f"made up {number}") is None
    assert issuer.requests == 2


@pytest.mark.anyio
async def test_a_shorter_age_than_that_while_is_kept_to(issuer: Issuer) -> None:
    timer = Timer()
    keys = kept(issuer, timer, max_age_s=5)
    assert await keys.find("kid1") is not None
    issuer.keys = [rsa(2)]
    timer.now += 6
    assert await keys.find("kid1") is None


@pytest.mark.anyio
async def test_all_wait_for_the_same_fetch(issuer: Issuer) -> None:
    issuer.gate = threading.Event()
    keys = kept(issuer, Timer())
    asking = [asyncio.create_task(keys.find("kid1")) for _ in range(50)]
    await asyncio.sleep(0.05)
    issuer.gate.set()
    assert all(key is not None for key in await asyncio.gather(*asking))
    assert issuer.requests == 1


@pytest.mark.anyio
async def test_one_who_goes_away_ends_the_fetch_for_nobody_else(issuer: Issuer) -> None:
    issuer.gate = threading.Event()
    keys = kept(issuer, Timer())
    first = asyncio.create_task(keys.find("kid1"))
    await asyncio.sleep(0.02)
    second = asyncio.create_task(keys.find("kid1"))
    await asyncio.sleep(0.02)
    first.cancel()
    issuer.gate.set()
    assert await second is not None
    assert issuer.requests == 1


@pytest.mark.anyio
async def test_keys_stay_where_the_issuer_is_away_but_not_for_ever(issuer: Issuer) -> None:
    timer = Timer()
    keys = kept(issuer, timer)
    assert await keys.find("kid1") is not None
    issuer.status = 503
    timer.now += 10_000
    assert await keys.find("kid1") is not None
    assert keys.problem == "it answers with status 503"
    assert await keys.find("kid1") is not None
    assert issuer.requests == 2, "it is not asked at every request"
    timer.now += KEEP_STALE_S
    with pytest.raises(UnavailableError) as refused:
        await keys.find("kid1")
    assert refused.value.headers == {"Retry-After": "30"}


@pytest.mark.anyio
async def test_an_issuer_that_comes_back_is_believed_again(issuer: Issuer) -> None:
    timer = Timer()
    issuer.status = 500
    keys = kept(issuer, timer)
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await keys.find("kid1")
    assert issuer.requests == 1
    issuer.status = 200
    timer.now += ASK_AGAIN_S
    assert await keys.find("kid1") is not None
    assert keys.problem is None


@pytest.mark.anyio
async def test_a_set_that_went_bad_takes_no_key_away(issuer: Issuer) -> None:
    timer = Timer()
    keys = kept(issuer, timer)
    await keys.find("kid1")
    issuer.body = b'{"keys": []}'
    timer.now += 1_000
    assert await keys.find("kid1") is not None
    assert keys.problem is not None


@pytest.mark.anyio
async def test_whatever_goes_wrong_takes_no_key_away(issuer: Issuer) -> None:
    timer = Timer()
    fail = False

    def fetch() -> Mapping[str, RSAKey]:
        if fail:
            raise RecursionError
        return fetch_jwks(issuer.url)

    keys = JwksKeys(fetch, Threads().run, max_age_s=900, timer=timer)
    await keys.find("kid1")
    fail = True
    timer.now += 1_000
    assert await keys.find("kid1") is not None
    assert keys.problem == "they could not be fetched (RecursionError)"


@pytest.mark.anyio
async def test_without_a_kid_the_only_key_counts_and_of_two_none(issuer: Issuer) -> None:
    assert await kept(issuer, Timer()).find(None) is not None
    issuer.keys = [rsa(1), rsa(2)]
    assert await kept(issuer, Timer()).find(None) is None


@pytest.mark.parametrize(
    ("set_up", "said"),
    [
        ({"body": b"x" * (jwks.MAX_BYTES + 1)}, "larger"),
        ({"body": b"not json"}, "no JSON"),
        ({"body": b"[" * 100_000}, "no JSON"),
        ({"body": b"[]"}, "no set of keys"),
        ({"body": b'{"keys": 1}'}, "no set of keys"),
        ({"body": b'{"keys": [1, null, {}]}'}, "no RSA key"),
        ({"body": b""}, "no JSON"),
        ({"status": 404}, "status 404"),
        ({"status": 204}, "status 204"),
        ({"status": 302, "headers": {"Location": "/jwks.json"}}, "too often"),
        ({"status": 302, "headers": {"Location": "http://192.0.2.1/x"}}, "not allowed"),
        ({"status": 302, "headers": {"Location": "file:///etc/passwd"}}, "not allowed"),
        ({"status": 302, "headers": {"Location": "http://["}}, "not allowed"),
        ({"status": 302}, "status 302"),
        ({"body": gzip.compress(b"0" * 10), "headers": {"Content-Encoding": "gzip"}}, "packed"),
    ],
)
def test_what_is_no_set_of_keys_is_refused(
    set_up: dict[str, Any], said: str, issuer: Issuer
) -> None:
    for name, value in set_up.items():
        setattr(issuer, name, value)
    with pytest.raises(FetchError, match=said):
        fetch_jwks(issuer.url)


def test_a_redirect_to_where_one_might_have_asked_is_followed(issuer: Issuer) -> None:
    issuer.status, issuer.headers = 307, {"Location": f"{issuer.address}/elsewhere"}
    assert set(fetch_jwks(issuer.url)) == {"kid1"}


def test_an_issuer_elsewhere_cannot_have_us_ask_ourselves(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the first address were another machine's.
    monkeypatch.setattr(jwks, "_at_loopback", lambda url: "/elsewhere" in url)
    issuer.status, issuer.headers = 307, {"Location": f"{issuer.address}/elsewhere"}
    with pytest.raises(FetchError, match="not allowed"):
        fetch_jwks(issuer.url)


def test_nobody_there_is_said_so(issuer: Issuer) -> None:
    issuer.close()
    with pytest.raises(FetchError, match=r"cannot be reached \(ConnectError\)"):
        fetch_jwks(issuer.url)
    issuer.close = lambda: None  # type: ignore[method-assign]


def test_an_answer_that_takes_too_long_is_given_up(issuer: Issuer) -> None:
    moments = iter([0.0, 1.0, 99.0, 99.0, 99.0])
    issuer.body = b" " * 60_000
    with pytest.raises(FetchError, match="longer than 5 s"):
        fetch_jwks(issuer.url, timer=lambda: next(moments))


def test_redirects_that_take_too_long_are_given_up(issuer: Issuer) -> None:
    moments = iter([0.0, 99.0])
    issuer.status, issuer.headers = 302, {"Location": "/jwks.json"}
    with pytest.raises(FetchError, match="longer than 5 s"):
        fetch_jwks(issuer.url, timer=lambda: next(moments))
    assert issuer.requests == 1


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://issuer.example/.well-known/jwks.json", True),
        ("https://192.0.2.1:8443/keys", True),
        ("http://127.0.0.1:9000/keys", True),
        ("http://localhost/keys", True),
        ("http://[::1]:80/keys", True),
        ("http://issuer.example/keys", False),
        ("http://127.0.0.1.evil.example/keys", False),
        ("http://127.0.0.1@evil.example/keys", False),
        ("https://user:pass@issuer.example/keys", False),
        ("https://", False),
        ("http://[", False),
        ("file:///etc/passwd", False),
        ("ftp://issuer.example/keys", False),
        ("issuer.example/keys", False),
        ("", False),
    ],
)
def test_keys_come_by_https_or_from_this_machine(url: str, *, allowed: bool) -> None:
    assert (jwks_url_fault(url) is None) is allowed


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("LocalHost", True),
        ("0.0.0.0", False),  # noqa: S104 - no socket is bound
        ("::", False),
        ("192.168.0.2", False),
        ("example.com", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_this_machine_is_told_from_others(host: str, *, here: bool) -> None:
    assert is_loopback(host) is here


def test_keys_of_other_kinds_and_uses_are_passed_over() -> None:
    good = rsa(1).as_dict(private=False)
    others: list[dict[str, Any]] = [
        {**good, "kid": "enc", "use": "enc"},
        {**good, "kid": "ps", "alg": "PS256"},
        {**good, "kid": "ops", "key_ops": ["sign"]},
        {**good, "kid": "odd ops", "key_ops": "verify"},
        {**good, "kid": "long", "n": "A" * 20_000},
        {**good, "kid": "no n", "n": None},
        {**good, "kid": "bad n", "n": "!" * 342},
        {**good, "kid": "even e", "e": "AA"},
        dict(ECKey.generate_key("P-256", {"kid": "ec"}).as_dict(private=False)),
        dict(OctKey.generate_key(256, {"kid": "oct"}).as_dict()),
        {"kty": "future", "kid": "pq"},
    ]
    found = rsa_keys(json.dumps({"keys": [*others, good]}).encode())
    assert set(found) == {"kid1"}


def test_short_keys_are_passed_over_padded_ones_too() -> None:
    with pytest.warns(match="2048"):
        short = RSAKey.generate_key(1024, {"kid": "short"}).as_dict(private=False)
    with pytest.raises(FetchError, match="no RSA key"):
        rsa_keys(json.dumps({"keys": [short]}).encode())
    padded = {**short, "n": "A" * 172 + str(short["n"])}
    with pytest.raises(FetchError, match="no RSA key"), pytest.warns(match="2048"):
        rsa_keys(json.dumps({"keys": [padded]}).encode())


def test_of_a_private_key_in_the_set_the_private_part_is_left() -> None:
    found = rsa_keys(json.dumps({"keys": [rsa(1).as_dict(private=True)]}).encode())
    assert not found["kid1"].is_private


def test_the_first_key_of_a_kid_counts_and_a_set_has_an_end() -> None:
    good = rsa(1).as_dict(private=False)
    twice = {**rsa(2).as_dict(private=False), "kid": "kid1"}
    found = rsa_keys(json.dumps({"keys": [good, twice]}).encode())
    assert found["kid1"].as_dict(private=False)["n"] == good["n"]
    many = [{**good, "kid": str(number)} for number in range(jwks.MAX_KEYS + 5)]
    assert len(rsa_keys(json.dumps({"keys": many}).encode())) == jwks.MAX_KEYS


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["keys", "kty", "n", "e", "kid", "use", "alg", "key_ops"]), inner
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_whatever_is_published_there_is_an_answer(content: Any) -> None:
    with pytest.raises(FetchError):
        rsa_keys(json.dumps(content).encode())
