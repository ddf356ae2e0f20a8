"""ETags: a sign of a memory's state, so that nobody overwrites what they have not seen.

A version alone is no such sign: to undo a dream puts the version back, and the next change has a
number that another state had before. So a tag is made of all that a memory says, and of when it was
changed; not of how often it was recalled, which changes with each question.

Source: RFC 9110, sections 8.8.3 (ETag), 13.1.1 (If-Match) and 13.1.2 (If-None-Match).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import shown
from engram_lab.core.types import Memory
from engram_lab.serve.answers import as_json
from engram_lab.serve.errors import InvalidRequestError, PreconditionError

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["Expected", "etag_of", "is_known"]

_TAG: Final = re.compile(r'"(?P<version>[1-9][0-9]{0,9})-[0-9a-f]{8,16}"\Z')
_COUNTED: Final = frozenset({"access_count", "last_accessed_at"})
_SAID: Final = tuple(each.name for each in fields(Memory) if each.name not in _COUNTED)


def etag_of(memory: Memory) -> str:
    """Return the ETag of a memory: its version, and a sign of its state."""
    state = as_json([getattr(memory, name) for name in _SAID])
    return f'"{memory.version}-{hashlib.sha256(state).hexdigest()[:16]}"'


def is_known(request: Request, memory: Memory) -> bool:
    """Tell whether the client has this state already."""
    known = _told(request, "if-none-match")
    return "*" in known or etag_of(memory) in [each.removeprefix("W/") for each in known]


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """Which state of a memory a client expects.

    Attributes:
        version: By the body.
        tags: By `If-Match`: one of these. None where any will do.
    """

    version: int | None = None
    tags: tuple[str, ...] | None = None

    @classmethod
    def of(cls, request: Request, version: int | None = None) -> Expected:
        """Return what a request expects.

        Raises:
            InvalidRequestError: The header is none of our ETags, or says another version.
        """
        given = _told(request, "if-match")
        if not given or given == ["*"]:
            return cls(version=version)
        for each in given:
            found = _TAG.match(each)
            if found is None:
                raise InvalidRequestError(
                    f"If-Match is {shown(each)}: give the ETag that came with the memory"
                )
            if version not in {None, int(found["version"])}:
                raise InvalidRequestError("If-Match and the body name different versions: name one")
        return cls(version=version, tags=tuple(given))

    def check(self, memory: Memory) -> None:
        """Refuse a memory that is in another state, for the transaction that would change it.

        Raises:
            PreconditionError: It is.
        """
        if self.tags is not None and etag_of(memory) not in self.tags:
            raise PreconditionError(
                f"memory {memory.id} is not in the state that If-Match names: somebody changed it "
                "since; get it again and retry"
            )


def _told(request: Request, name: str) -> list[str]:
    values = ",".join(request.headers.getlist(name)).split(",")
    return [each.strip() for each in values if each.strip()]
