"""How large a body may be, and how long a request may take."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from engram_lab.serve.errors import InvalidRequestError, TimedOutError, TooLargeError

if TYPE_CHECKING:
    from starlette.types import Message, Receive

    from engram_lab.config import ServeSettings
    from engram_lab.serve.call import Call

__all__ = ["Bounds"]

_LARGE: Final = frozenset({"/v1/import"})
_LONG: Final = re.compile(
    "/v1/import|/v1(?:/admin/tenants/[^/]+)?/export|/v1/dream(?:/[^/]+/undo)?|/v1/backups(?:/[^/]+/verify)?"
    "|/v1/mcp|/v1/mcp/batch|/mcp"
)
"""What may take as long as it takes: files go in and out in pieces, a session stays open, and what
is done to a whole database, or to a copy of it, is done all the same when nobody listens."""


class Bounds:
    """Holds a request to what `serve.*` allows."""

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings

    def seconds(self, call: Call) -> float | None:
        """Return how long the whole request may take."""
        return None if _is_long(call) else self._settings.timeout_s

    def bounded(self, call: Call, receive: Receive) -> Receive:
        """Return what gives the body in pieces, up to what is allowed of it.

        Where the whole request may take as long as it takes, each piece must come within
        `serve.timeout_s`: who sends slower is not waited for.

        Raises:
            TooLargeError: It says itself that it is larger.
            InvalidRequestError: It says two sizes.
        """
        most = self._most(call)
        said = call.headers.get("content-length", [])
        if len(said) > 1 or not all(each.isascii() and each.isdigit() for each in said):
            raise InvalidRequestError("Content-Length is malformed: give one number of bytes")
        if said and int(said[0]) > most:
            raise _too_large(most)
        within = 0
        patient = _is_long(call)

        async def piece() -> Message:
            nonlocal within
            message = await (self._in_time(receive) if patient else receive())
            within += len(message.get("body", b""))
            if within > most:
                raise _too_large(most)
            return message

        return piece if _has_body(call) else receive

    def _most(self, call: Call) -> int:
        settings = self._settings
        return settings.import_limit_bytes if call.path in _LARGE else settings.body_limit_bytes

    async def _in_time(self, receive: Receive) -> Message:
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await receive()
        except TimeoutError:
            raise TimedOutError(
                f"no piece of the body came within {self._settings.timeout_s:g} s: send it faster"
            ) from None


def _is_long(call: Call) -> bool:
    return _LONG.fullmatch(call.path) is not None


def _has_body(call: Call) -> bool:
    return call.method not in {"GET", "HEAD", "OPTIONS"}


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(
        f"the body is larger than {most:,} bytes, which is the most here: send less at a time",
        headers={"Connection": "close"},
    )
