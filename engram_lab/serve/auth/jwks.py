"""The public keys of whoever issues tokens, fetched from where they publish them.

Source: RFC 7517, sections 4 and 5; RFC 8725, section 3.10, on not fetching what a token names.
"""

from __future__ import annotations

import asyncio
import json
import math
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from engram_lab.serve.errors import UnavailableError
from engram_lab.serve.hosts import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engram_lab.serve.auth.verifying import Run

__all__ = ["JwksKeys", "fetch_jwks", "jwks_url_fault", "rsa_keys"]

MAX_BYTES: Final = 262_144
MAX_KEYS: Final = 100
MAX_REDIRECTS: Final = 2
FETCH_S: Final = 5.0
ASK_AGAIN_S: Final = 30.0
KEEP_STALE_S: Final = 86_400.0
RSA_BITS: Final = range(2048, 8193)


class FetchError(Exception):
    """The keys could not be fetched, or are none."""


def jwks_url_fault(url: str) -> str | None:
    """Return what is wrong with an address of keys; None: nothing."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "is no URL"
    if not host or parts.scheme not in {"http", "https"}:
        return "is no URL such as https://issuer.example/.well-known/jwks.json"
    if parts.username is not None or parts.password is not None:
        return "holds a name or a password: keys are public, leave both out"
    if parts.scheme == "http" and not is_loopback(host):
        return "is not https: whoever is on the way could put keys of their own in"
    return None


def fetch_jwks(url: str, *, timer: Callable[[], float] = perf_counter) -> Mapping[str, RSAKey]:
    """Fetch and read a set of keys. Blocks, for `FETCH_S` in all at most or a little more.

    A redirect is followed only where the address itself would have been allowed, and never from
    another machine to this one.

    Raises:
        FetchError: It cannot be reached, is too large, or holds no key that could be used.
    """
    until = timer() + FETCH_S
    try:
        with httpx2.Client(
            timeout=FETCH_S,
            trust_env=not _at_loopback(url),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        ) as client:
            for _ in range(MAX_REDIRECTS + 1):
                with client.stream("GET", url) as answer:
                    if answer.next_request is None:
                        return rsa_keys(_body(answer, until, timer))
                    target = str(answer.next_request.url)
                if jwks_url_fault(target) or (_at_loopback(target) and not _at_loopback(url)):
                    raise FetchError("it redirects to an address that is not allowed")
                _in_time(until, timer)
                url = target
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        raise FetchError(f"it cannot be reached ({type(error).__name__})") from error
    raise FetchError("it redirects too often")


def _at_loopback(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")


def _body(answer: httpx2.Response, until: float, timer: Callable[[], float]) -> bytes:
    if answer.status_code != httpx2.codes.OK:
        raise FetchError(f"it answers with status {answer.status_code}")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise FetchError("it is packed, which was not asked for: a little may unpack to a lot")
    body = bytearray()
    for piece in answer.iter_raw(16_384):
        body += piece
        if len(body) > MAX_BYTES:
            raise FetchError(f"it is larger than {MAX_BYTES} bytes")
        _in_time(until, timer)
    return bytes(body)


def _in_time(until: float, timer: Callable[[], float]) -> None:
    if timer() > until:
        raise FetchError(f"it takes longer than {FETCH_S:g} s")


def rsa_keys(body: bytes) -> Mapping[str, RSAKey]:
    """Return the keys of a set that RS256 may be checked with, by `kid`, "" for one without.

    Others are passed over: a set may hold keys of other kinds and uses. The first one of a `kid`
    counts.

    Raises:
        FetchError: It is no set of keys, or holds none that could be used.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise FetchError("it is no JSON") from None
    listed = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        raise FetchError("it is no set of keys")
    found: dict[str, RSAKey] = {}
    for each in listed[:MAX_KEYS]:
        if isinstance(each, dict) and (key := _rsa_key(each)) is not None:
            kid = each.get("kid", "")
            found.setdefault(kid if isinstance(kid, str) else "", key)
    if not found:
        raise FetchError("it holds no RSA key for signatures by RS256")
    return found


def _rsa_key(jwk: dict[str, Any]) -> RSAKey | None:
    """Return the public key, None for one of another kind or use, and for a malformed one."""
    operations = jwk.get("key_ops", ["verify"])
    modulus, exponent = jwk.get("n"), jwk.get("e")
    if (
        jwk.get("kty") != "RSA"
        or jwk.get("use", "sig") != "sig"
        or jwk.get("alg", "RS256") != "RS256"
        or not (isinstance(operations, list) and "verify" in operations)
        or not (isinstance(modulus, str) and isinstance(exponent, str))
        # Before it is read: 6 bits a character, and reading a huge one takes long.
        or not RSA_BITS.start - 8 <= len(modulus) * 6 <= RSA_BITS.stop + 16
    ):
        return None
    try:
        key = RSAKey.import_key({"kty": "RSA", "n": modulus, "e": exponent})
    except (JoseError, ValueError, TypeError):
        return None
    return key if key.public_key.key_size in RSA_BITS else None


class JwksKeys:
    """The keys of an issuer, kept for a while. For one event loop; its state has no lock.

    Keys older than `max_age_s` are fetched anew before one is believed. So they are where a token
    names one that is not among them, as after the issuer changed keys, yet at most once in
    `ASK_AGAIN_S`, however many such tokens come. All wait for the same fetch. Where the issuer
    cannot be reached, the keys stay as they are, for `KEEP_STALE_S` beyond their age at most.

    Args:
        fetch: Fetches them, blocking; raises `FetchError`.
        run: Carries that out in a thread.
        max_age_s: How old they may be.
        timer: Seconds, from wherever.
    """

    def __init__(
        self,
        fetch: Callable[[], Mapping[str, RSAKey]],
        run: Run,
        *,
        max_age_s: float,
        timer: Callable[[], float] = perf_counter,
    ) -> None:
        self._fetch = fetch
        self._run = run
        self._max_age_s = max_age_s
        self._timer = timer
        self._keys: Mapping[str, RSAKey] = {}
        self._fetched_at = self._tried_at = -math.inf
        self._fetching: asyncio.Task[None] | None = None
        self.problem: str | None = None
        """Why the last fetch failed, for whoever runs the server; None: it did not."""

    async def find(self, kid: str | None) -> RSAKey | None:
        """Return the key of this `kid`, None where the issuer has none.

        A token without a `kid` is checked with the only key, if there is only one.

        Raises:
            UnavailableError: Nothing is known of the issuer's keys now.
        """
        if self._age() > self._max_age_s or self._named(kid) is None:
            await self._refresh()
        if self._age() > self._max_age_s + KEEP_STALE_S:
            raise UnavailableError(
                "the keys that tokens are checked with cannot be reached: try again later",
                headers={"Retry-After": str(round(ASK_AGAIN_S))},
            )
        return self._named(kid)

    def _age(self) -> float:
        return self._timer() - self._fetched_at

    def _named(self, kid: str | None) -> RSAKey | None:
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)

    async def _refresh(self) -> None:
        if self._fetching is None:
            if self._timer() - self._tried_at < min(ASK_AGAIN_S, self._max_age_s):
                return
            self._tried_at = self._timer()
            self._fetching = asyncio.create_task(self._fetch_all())
        await asyncio.shield(self._fetching)

    async def _fetch_all(self) -> None:
        try:
            self._keys = await self._run(self._fetch)
            self._fetched_at = self._timer()
            self.problem = None
        except FetchError as error:
            self.problem = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, what is known stays known
            self.problem = f"they could not be fetched ({type(error).__name__})"
        finally:
            self._fetching = None
