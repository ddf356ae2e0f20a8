"""What a request shows to say who asks: one key or one token, in one of two headers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from engram_lab.serve.errors import InvalidRequestError, UnauthorizedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["MAX_CREDENTIAL_CHARS", "Credential", "credential_of", "fits_bearer", "not_believed"]

MAX_CREDENTIAL_CHARS: Final = 8_192
"""Longer ones are refused unread; tokens of some hundred to two thousand are usual."""

_TEXT: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
_BEARER: Final = re.compile(rf"bearer +(?P<text>{_TEXT.pattern}) *", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    """A key or a token as it was given; `bearer` where it came in `Authorization`."""

    text: str
    bearer: bool

    def __repr__(self) -> str:
        return f"Credential(bearer={self.bearer})"


def fits_bearer(text: str) -> bool:
    """Tell whether a text could be given as a credential at all."""
    return len(text) <= MAX_CREDENTIAL_CHARS and _TEXT.fullmatch(text) is not None


def not_believed() -> UnauthorizedError:
    """Return the one answer to all credentials that are not believed, whatever is wrong with them.

    Source: RFC 6750, section 3.1.
    """
    return UnauthorizedError(
        "the key or token is not valid: give one that is, as in Authorization: Bearer ek_live_…",
        headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
    )


def credential_of(headers: Mapping[str, Sequence[str]]) -> Credential:
    """Return the credential of a request.

    Args:
        headers: By lower-case name; of a repeated one, all values.

    Raises:
        InvalidRequestError: More than one: both headers, or one of them twice. A comma is what
            becomes of a repeated header on its way, and stands in no credential.
        UnauthorizedError: None, or a malformed one.

    Source: RFC 6750, sections 2.1 and 3; RFC 9110, sections 5.3 and 11.1.
    """
    bearers, bare = headers.get("authorization", ()), headers.get("x-api-key", ())
    given = [*bearers, *bare]
    if not given:
        raise UnauthorizedError(
            "this takes a key or a token: give it as Authorization: Bearer … or as X-API-Key: …",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if len(given) > 1 or "," in given[0]:
        raise InvalidRequestError(
            "more than one credential is given: give either Authorization or X-API-Key, once"
        )
    text = given[0]
    if len(text) <= MAX_CREDENTIAL_CHARS:
        found = _BEARER.fullmatch(text) if bearers else _TEXT.fullmatch(text)
        if found is not None:
            return Credential(text=found["text"] if bearers else text, bearer=bool(bearers))
    raise not_believed()
