"""ETags: a memory's version, so that nobody overwrites what they have not seen.

Source: RFC 9110, sections 8.8.3 (ETag), 13.1.1 (If-Match) and 13.1.2 (If-None-Match).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import shown
from engram_lab.serve.errors import InvalidRequestError

if TYPE_CHECKING:
    from starlette.requests import Request

    from engram_lab.core.types import Memory

__all__ = ["etag_of", "expected_version", "is_known"]

_TAG: Final = re.compile(r'"(?P<version>[1-9][0-9]{0,9})-[0-9a-f]{8}"\Z')


def etag_of(memory: Memory) -> str:
    """Return the ETag of a memory: its version, and a sign of its content."""
    return f'"{memory.version}-{memory.content_hash[:8]}"'


def is_known(request: Request, memory: Memory) -> bool:
    """Tell whether the client has this state already."""
    known = [each.strip() for each in request.headers.get("if-none-match", "").split(",")]
    return "*" in known or etag_of(memory) in [each.removeprefix("W/") for each in known]


def expected_version(request: Request, told: int | None) -> int | None:
    """Return which version the client expects, by the body or by `If-Match`.

    Raises:
        InvalidRequestError: The header is none of our ETags, or says another version.
    """
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return told
    found = _TAG.match(given.strip())
    if found is None:
        raise InvalidRequestError(
            f"If-Match is {shown(given)}: give the ETag that came with the memory"
        )
    version = int(found["version"])
    if told not in {None, version}:
        raise InvalidRequestError("If-Match and the body name different versions: name one")
    return version
