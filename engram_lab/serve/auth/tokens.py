"""Tokens of an issuer: signed JSON, believed only as far as our own settings say.

joserfc checks signatures and claims: it is typed throughout, keeps no algorithm that was not asked
for, leaves keys out of a token alone, and is told the time, which here comes from the injected
clock.

Source: RFC 7519 (tokens), RFC 7515 (signatures), RFC 8725 (how they are attacked).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.jws import JWSRegistry, extract_compact, validate_compact
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

from engram_lab.core.errors import ConfigError
from engram_lab.serve.auth.credentials import not_believed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from joserfc.jwk import RSAKey
    from joserfc.jws import CompactSignature

    from engram_lab.config.serving import AuthSettings
    from engram_lab.core.clock import Clock

__all__ = ["FindKey", "Person", "Tokens", "shared_secret"]

_MAX_SUBJECT_CHARS: Final = 255
_MAX_EMAIL_CHARS: Final = 254
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
_BROKEN: Final = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What reading forged input may raise, beside what it is meant to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Who a token is about: its `sub`, and the email that the issuer vouches for, if any."""

    id: str
    email: str | None


class FindKey(Protocol):
    """Finds the key that a token is checked with, by its `kid`."""

    async def __call__(self, kid: str | None, /) -> RSAKey | OctKey | None:
        """Return the key, None where there is none."""
        ...


def shared_secret(secret: str) -> FindKey:
    """Return what finds the one key of HS256, whatever `kid` a token has.

    Raises:
        ConfigError: It is a public key, which everybody has.
    """
    try:
        key = OctKey.import_key(secret.encode())
    except ValueError:
        raise ConfigError(["auth.jwt_secret is a public key: draw a secret at random"]) from None

    async def find(_: str | None) -> OctKey:
        return key

    return find


class Tokens:
    """Checks tokens.

    One algorithm is allowed, by our settings: HS256 where there is a secret, else RS256. What a
    token says of its own algorithm must be just that. `exp` and `sub` are always required; `iss`
    and `aud` where they are set. A token for some audience is refused where none is set.

    Args:
        settings: What is required.
        find_key: Finds the key.
        clock: Tells what has expired.
    """

    def __init__(self, settings: AuthSettings, find_key: FindKey, clock: Clock) -> None:
        self._algorithm = "RS256" if settings.jwt_secret is None else "HS256"
        self._registry = JWSRegistry(algorithms=[self._algorithm], strict_check_header=False)
        self._registry.max_header_length = 2_048
        self._find_key = find_key
        self._clock = clock
        self._leeway_s = int(settings.jwt_leeway_s)
        self._for_nobody = settings.jwt_audience is None
        required: dict[str, ClaimsOption] = {"exp": {"essential": True}, "sub": {"essential": True}}
        if settings.jwt_issuer is not None:
            required["iss"] = {"essential": True, "value": settings.jwt_issuer}
        if settings.jwt_audience is not None:
            required["aud"] = {"essential": True, "value": settings.jwt_audience}
        self._required = required

    async def verify(self, text: str) -> Person:
        """Return who a token is about.

        Raises:
            UnauthorizedError: It is not believed, for whatever reason.
            UnavailableError: There is no key to check it with now.
        """
        signed = self._read(text)
        key = await self._find_key(signed.headers().get("kid"))
        if key is None:
            raise not_believed()
        try:
            if not validate_compact(signed, key, registry=self._registry):
                raise not_believed()
            claims = json.loads(signed.payload)
            self._check_claims(claims)
            return _person(claims)
        except _BROKEN:
            raise not_believed() from None

    def _read(self, text: str) -> CompactSignature:
        """Return the parts of a token, whose header says nothing yet that we would not allow."""
        try:
            signed = extract_compact(text.encode("ascii"), registry=self._registry)
            if not self._allowed(signed.headers()):
                raise not_believed()
        except _BROKEN:
            raise not_believed() from None
        return signed

    def _allowed(self, header: Mapping[str, Any]) -> bool:
        kid, kind = header.get("kid"), header.get("typ", "JWT")
        return (
            header["alg"] == self._algorithm
            # Extensions, and a payload that is not encoded: nothing that we know how to read.
            and not {"crit", "b64"} & header.keys()
            and (kid is None or isinstance(kid, str))
            # No other kind of signed JSON, such as a notice that somebody logged out.
            and isinstance(kind, str)
            and kind.lower() in _TYPES
        )

    def _check_claims(self, claims: Any) -> None:
        if not isinstance(claims, dict) or (self._for_nobody and claims.get("aud")):
            raise not_believed()
        now = int(self._clock.now().timestamp())
        JWTClaimsRegistry(now=now, leeway=self._leeway_s, **self._required).validate(claims)


def _person(claims: Mapping[str, Any]) -> Person:
    subject, email = claims["sub"], claims.get("email")
    if not (0 < len(subject) <= _MAX_SUBJECT_CHARS and subject.isprintable()):
        raise not_believed()
    believed = (
        isinstance(email, str)
        and len(email) <= _MAX_EMAIL_CHARS
        and email.isprintable()
        and claims.get("email_verified", True) is True
    )
    return Person(id=subject, email=email if believed else None)
