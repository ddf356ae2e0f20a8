from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from engram_lab.core.errors import ConfigError
from engram_lab.serve.errors import UnauthorizedError, UnavailableError
from tests.serve.auth.conftest import rsa

if TYPE_CHECKING:
    from engram_lab.serve.call import Call
    from tests.serve.auth.conftest import Door, Issuer

SECRET = "a secret of development, 32 bytes or more"  # noqa: S105
RS = {"jwt_issuer": "https://issuer", "jwt_audience": "engram"}
NOW = 1_780_315_200  # 2026-06-01 12:00 UTC, where the clock of these tests stands

Forge = Callable[["Issuer"], str]
pytestmark = pytest.mark.anyio


def b64(data: bytes | str | dict[str, Any] | list[Any]) -> str:
    if not isinstance(data, bytes):
        data = (data if isinstance(data, str) else json.dumps(data)).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(**more: Any) -> dict[str, Any]:
    said = {"sub": "ann", "iss": "https://issuer", "aud": "engram", "exp": NOW + 600, **more}
    return {name: value for name, value in said.items() if value is not None}


def hs256(header: dict[str, Any], payload: str, key: bytes) -> str:
    signed = f"{b64(header)}.{payload}"
    return f"{signed}.{b64(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def resigned(issuer: Issuer, header: str, payload: str) -> str:
    """Sign any two parts by the issuer's own key: what is refused then is not the signature."""
    return issuer.sign_parts(header, payload)


def by_public_key(issuer: Issuer, form: str) -> str:
    key = issuer.keys[0]
    secrets: dict[str, Callable[[], bytes]] = {
        "pem": lambda: key.as_pem(private=False),
        "der": lambda: key.as_der(private=False),
        "jwk": lambda: json.dumps(key.as_dict(private=False)).encode(),
        "n": lambda: str(key.as_dict(private=False)["n"]).encode(),
        "empty": lambda: b"",
    }
    return hs256({"alg": "HS256", "kid": "kid1"}, b64(claims()), secrets[form]())


def unsigned(issuer: Issuer, alg: str) -> str:
    return f"{b64({'alg': alg, 'kid': 'kid1'})}.{b64(claims())}."


def own_key(issuer: Issuer, **header: Any) -> str:
    """Sign by a key of the forger's own, which the header carries or points to."""
    mine = RSAKey.generate_key(2048)
    if header.get("jwk"):
        header["jwk"] = mine.as_dict(private=False)
    return jwt.encode({"alg": "RS256", **header}, claims(), mine)


def with_signature(issuer: Issuer, change: Callable[[str], str]) -> str:
    head, payload, signature = issuer.sign().split(".")
    return f"{head}.{payload}.{change(signature)}"


HEAD = b64({"alg": "RS256", "kid": "kid1"})

FORGED: dict[str, Forge] = {
    "alg none": lambda i: unsigned(i, "none"),
    "alg None": lambda i: unsigned(i, "None"),
    "alg NONE": lambda i: unsigned(i, "NONE"),
    "alg empty": lambda i: unsigned(i, ""),
    "alg none, the issuer's signature": lambda i: resigned(
        i, b64({"alg": "none", "kid": "kid1"}), b64(claims())
    ),
    "no alg": lambda i: resigned(i, b64({"kid": "kid1"}), b64(claims())),
    "alg a number": lambda i: resigned(i, b64({"alg": 256, "kid": "kid1"}), b64(claims())),
    "alg a list": lambda i: resigned(i, b64({"alg": ["RS256"], "kid": "kid1"}), b64(claims())),
    "alg in lower case": lambda i: resigned(i, b64({"alg": "rs256", "kid": "kid1"}), b64(claims())),
    "alg RS512 of the same key": lambda i: i.sign_parts(
        b64({"alg": "RS512", "kid": "kid1"}), b64(claims()), algorithm="RS512"
    ),
    "alg PS256 of the same key": lambda i: i.sign_parts(
        b64({"alg": "PS256", "kid": "kid1"}), b64(claims()), algorithm="PS256"
    ),
    "HS256 by the public key as PEM": lambda i: by_public_key(i, "pem"),
    "HS256 by the public key as DER": lambda i: by_public_key(i, "der"),
    "HS256 by the public key as JWK": lambda i: by_public_key(i, "jwk"),
    "HS256 by the modulus": lambda i: by_public_key(i, "n"),
    "HS256 by nothing": lambda i: by_public_key(i, "empty"),
    "a key in the header": lambda i: own_key(i, jwk=True),
    "a key in the header, a known kid": lambda i: own_key(i, jwk=True, kid="kid1"),
    "a place of keys in the header": lambda i: own_key(i, jku="https://evil.example/jwks"),
    "another key under a known kid": lambda i: own_key(i, kid="kid1"),
    "an unknown kid": lambda i: i.sign(number=2),
    "a kid of another type": lambda i: resigned(i, b64({"alg": "RS256", "kid": 1}), b64(claims())),
    "a kid that is a list": lambda i: resigned(i, b64({"alg": "RS256", "kid": []}), b64(claims())),
    "a kid that is a path": lambda i: i.sign(header={"kid": "../../dev/null"}),
    "an empty kid": lambda i: i.sign(header={"kid": ""}),
    "expired": lambda i: i.sign(exp=NOW - 61),
    "expired at the leeway to the second": lambda i: i.sign(exp=NOW - 60),
    "no exp": lambda i: resigned(i, HEAD, b64(claims(exp=None))),
    "exp null": lambda i: resigned(i, HEAD, b64({**claims(), "exp": None})),
    "exp a text": lambda i: i.sign(exp=str(NOW + 600)),
    "exp true": lambda i: i.sign(exp=True),
    "exp NaN": lambda i: resigned(
        i, HEAD, b64('{"sub":"ann","iss":"https://issuer","aud":"engram","exp":NaN}')
    ),
    "exp Infinity": lambda i: resigned(
        i, HEAD, b64('{"sub":"ann","iss":"https://issuer","aud":"engram","exp":Infinity}')
    ),
    "exp huge and negative": lambda i: i.sign(exp=-(10**30)),
    "not yet": lambda i: i.sign(nbf=NOW + 61),
    "issued in the future": lambda i: i.sign(iat=NOW + 61),
    "another issuer": lambda i: i.sign(iss="https://evil.example"),
    "an issuer that begins alike": lambda i: i.sign(iss="https://issuer.evil.example"),
    "no issuer": lambda i: i.sign(iss=None),
    "issuers in a list": lambda i: i.sign(iss=["https://issuer"]),
    "another audience": lambda i: i.sign(aud="others"),
    "an audience that contains ours": lambda i: i.sign(aud="engram2"),
    "other audiences": lambda i: i.sign(aud=["a", "b"]),
    "no audience": lambda i: i.sign(aud=None),
    "an empty audience": lambda i: i.sign(aud=""),
    "an audience that is an object": lambda i: i.sign(aud={"engram": 1}),
    "no sub": lambda i: i.sign(sub=None),
    "an empty sub": lambda i: i.sign(sub=""),
    "a sub of another type": lambda i: i.sign(sub=7),
    "a sub with a line feed": lambda i: i.sign(sub="ann\nlevel=error"),
    "a sub that is no text": lambda i: i.sign(sub="ann\ud800"),
    "a sub that reads backwards": lambda i: i.sign(sub="ann\u202eadmin"),
    "a huge number": lambda i: resigned(
        i,
        HEAD,
        b64('{"sub":"ann","iss":"https://issuer","aud":"engram","exp":' + "9" * 5_000 + "}"),
    ),
    "a huge sub": lambda i: i.sign(sub="a" * 256),
    "crit of something unknown": lambda i: i.sign(header={"crit": ["exp"], "exp": 1}),
    "an empty crit": lambda i: resigned(
        i, b64({"alg": "RS256", "kid": "kid1", "crit": []}), b64(claims())
    ),
    "crit null": lambda i: resigned(
        i, b64({"alg": "RS256", "kid": "kid1", "crit": None}), b64(claims())
    ),
    "b64 true": lambda i: i.sign(header={"b64": True}),
    "b64 false, not critical": lambda i: resigned(
        i, b64({"alg": "RS256", "kid": "kid1", "b64": False}), b64(claims())
    ),
    "b64 false and critical": lambda i: resigned(
        i,
        b64({"alg": "RS256", "kid": "kid1", "b64": False, "crit": ["b64"]}),
        b64(claims()),
    ),
    "a notice of a log-out": lambda i: i.sign(header={"typ": "logout+jwt"}),
    "a type of another type": lambda i: i.sign(header={"typ": 1}),
    "another payload": lambda i: i.sign().replace(i.sign().split(".")[1], b64(claims(sub="eve"))),
    "no signature": lambda i: with_signature(i, lambda _: ""),
    "a padded signature": lambda i: with_signature(i, lambda s: s + "=="),
    "a signature of another alphabet": lambda i: with_signature(i, lambda s: "+/" + s[2:]),
    "a signature and one bit": lambda i: with_signature(
        i, lambda s: ("A" if s[0] != "A" else "B") + s[1:]
    ),
    "a signature with loose last bits": lambda i: with_signature(
        i, lambda s: s[:-1] + chr(ord(s[-1]) + 1)
    ),
    "a header that is no object": lambda i: resigned(i, b64(["alg"]), b64(claims())),
    "a header that is a text": lambda i: resigned(i, b64('"alg"'), b64(claims())),
    "a header that is no JSON": lambda i: resigned(i, b64("{"), b64(claims())),
    "a header that is no text": lambda i: resigned(i, b64(b"\xff\xfe"), b64(claims())),
    "a deep header": lambda i: resigned(i, b64("[" * 1_400), b64(claims())),
    "a long header": lambda i: i.sign(header={"kid": "k" * 3_000}),
    "claims that are a list": lambda i: resigned(i, HEAD, b64([1])),
    "claims that are no JSON": lambda i: resigned(i, HEAD, b64("x")),
    "claims that are no text": lambda i: resigned(i, HEAD, b64(b"\xff\xfe")),
    "deep claims": lambda i: resigned(i, HEAD, b64("[" * 5_000)),
    "a huge token": lambda i: i.sign(more="x" * 8_000),
    "four parts": lambda i: i.sign() + ".x",
    "two parts": lambda i: i.sign().rsplit(".", 1)[0],
    "five parts, as if encrypted": lambda i: f"{b64({'alg': 'dir', 'enc': 'A256GCM'})}....",
    "only dots": lambda i: "..",
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_token_is_not_believed(
    name: str, issuer: Issuer, door: Callable[..., Door], asks: Callable[..., Call]
) -> None:
    at = door(**RS, jwks_url=issuer.url)
    await at.authenticator.authenticate(asks(bearer=issuer.sign()))  # the issuer's own is
    with pytest.raises(UnauthorizedError) as refused:
        await at.authenticator.authenticate(asks(bearer=FORGED[name](issuer)))
    assert refused.value.headers == {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    assert str(refused.value).startswith("the key or token is not valid"), "no reason is told"


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"exp": NOW - 59},
        {"exp": NOW + 600.5},
        {"nbf": NOW + 60},
        {"iat": NOW + 60},
        {"aud": ["others", "engram"]},
        {"header": {"typ": "at+jwt"}},
        {"header": {"typ": None}},
        {"header": {"cat": "cl_1", "x5t": "abc"}},
        {"header": {"kid": None}},
        {"\ud800": 1, "": 2, "__class__": 3},
    ],
)
async def test_a_token_within_what_is_required_is_believed(
    more: dict[str, Any], issuer: Issuer, door: Callable[..., Door], asks: Callable[..., Call]
) -> None:
    at = door(**RS, jwks_url=issuer.url)
    actor = await at.authenticator.authenticate(asks(bearer=issuer.sign(**more)))
    assert (actor.kind, actor.id, actor.role, actor.scopes) == ("user", "ann", None, frozenset())


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        ({"email": "ann@example.com"}, "ann@example.com"),
        ({"email": "ann@example.com", "email_verified": True}, "ann@example.com"),
        ({"email": "ann@example.com", "email_verified": False}, None),
        ({"email": "ann@example.com", "email_verified": "true"}, None),
        ({"email": ["ann@example.com"]}, None),
        ({"email": "ann@example.com\ud800"}, None),
        ({"email": "a" * 251 + "@b.c"}, None),
        ({}, None),
    ],
)
async def test_an_address_counts_where_the_issuer_does_not_say_otherwise(
    said: dict[str, Any],
    believed: str | None,
    issuer: Issuer,
    door: Callable[..., Door],
    asks: Callable[..., Call],
) -> None:
    at = door(**RS, jwks_url=issuer.url)
    actor = await at.authenticator.authenticate(asks(bearer=issuer.sign(**said)))
    assert actor.email == believed


async def test_a_token_for_some_audience_is_refused_where_none_is_ours(
    issuer: Issuer, door: Callable[..., Door], asks: Callable[..., Call]
) -> None:
    at = door(jwt_issuer="https://issuer", jwks_url=issuer.url)
    await at.authenticator.authenticate(asks(bearer=issuer.sign(aud=None)))
    with pytest.raises(UnauthorizedError):
        await at.authenticator.authenticate(asks(bearer=issuer.sign(aud="others")))


async def test_a_shared_secret_is_for_hs256_alone(
    issuer: Issuer, door: Callable[..., Door], asks: Callable[..., Call]
) -> None:
    at = door(jwt_secret=SECRET)
    key = OctKey.import_key(SECRET)
    good = jwt.encode({"alg": "HS256"}, claims(aud=None), key)
    assert (await at.authenticator.authenticate(asks(bearer=good))).id == "ann"
    other = OctKey.import_key(SECRET + "!")
    for bad in (
        jwt.encode({"alg": "HS256"}, claims(aud=None), other),
        jwt.encode({"alg": "HS512"}, claims(aud=None), key, algorithms=["HS512"]),
        jwt.encode({"alg": "HS256"}, claims(aud=None, exp=NOW - 61), key),
        jwt.encode({"alg": "HS256"}, {"sub": "ann"}, key),
        issuer.sign(aud=None),
        f"{b64({'alg': 'none'})}.{b64(claims(aud=None))}.",
    ):
        with pytest.raises(UnauthorizedError):
            await at.authenticator.authenticate(asks(bearer=bad))


async def test_a_token_expires_while_it_is_used(
    issuer: Issuer, door: Callable[..., Door], asks: Callable[..., Call]
) -> None:
    at = door(**RS, jwks_url=issuer.url, jwt_leeway_s=0)
    token = issuer.sign(exp=NOW + 10)
    await at.authenticator.authenticate(asks(bearer=token))
    at.clock.advance(seconds=10)
    with pytest.raises(UnauthorizedError):
        await at.authenticator.authenticate(asks(bearer=token))


async def test_a_server_that_knows_no_issuer_believes_no_token(
    issuer: Issuer, door: Callable[..., Door], asks: Callable[..., Call]
) -> None:
    with pytest.raises(UnauthorizedError):
        await door().authenticator.authenticate(asks(bearer=issuer.sign()))


async def test_a_token_is_no_key(
    issuer: Issuer, door: Callable[..., Door], asks: Callable[..., Call]
) -> None:
    at = door(**RS, jwks_url=issuer.url)
    with pytest.raises(UnauthorizedError):
        await at.authenticator.authenticate(asks(key=issuer.sign()))


async def test_without_any_key_of_the_issuer_nobody_is_called_a_forger(
    issuer: Issuer, door: Callable[..., Door], asks: Callable[..., Call]
) -> None:
    issuer.status = 500
    at = door(**RS, jwks_url=issuer.url)
    with pytest.raises(UnavailableError):
        await at.authenticator.authenticate(asks(bearer=issuer.sign()))


async def test_a_token_of_another_algorithm_has_no_keys_fetched(
    issuer: Issuer, door: Callable[..., Door], asks: Callable[..., Call]
) -> None:
    at = door(**RS, jwks_url=issuer.url)
    with pytest.raises(UnauthorizedError):
        await at.authenticator.authenticate(asks(bearer=FORGED["alg none"](issuer)))
    assert issuer.requests == 0


def test_a_public_key_is_no_secret(door: Callable[..., Door]) -> None:
    with pytest.raises(ConfigError, match="public key"):
        door(jwt_secret=rsa(1).as_pem(private=False).decode())


@given(at=st.integers(0, 10_000), letter=st.sampled_from("AQgwBC-_.=019z"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_one_letter_changed_anywhere_makes_a_token_worthless(
    at: int, letter: str, door: Callable[..., Door], asks: Callable[..., Call]
) -> None:
    good = jwt.encode({"alg": "HS256"}, claims(aud=None), OctKey.import_key(SECRET))
    at %= len(good)
    authenticate = door(jwt_secret=SECRET).authenticator.authenticate
    assert asyncio.run(authenticate(asks(bearer=good))).id == "ann"
    for changed in (
        good[:at] + letter + good[at + 1 :],
        good[:at] + letter + good[at:],
        good[:at] + good[at + 1 :],
        good + letter,
    ):
        if changed != good:
            with pytest.raises(UnauthorizedError):
                asyncio.run(authenticate(asks(bearer=changed)))


async def test_what_keeps_the_issuers_keys_away_can_be_asked(
    issuer: Issuer, door: Callable[..., Door], asks: Callable[..., Call]
) -> None:
    at = door(**RS, jwks_url=issuer.url)
    assert at.authenticator.problem is None
    issuer.status = 500
    with pytest.raises(UnavailableError):
        await at.authenticator.authenticate(asks(bearer=issuer.sign()))
    assert at.authenticator.problem == "it answers with status 500"
    assert door().authenticator.problem is None
