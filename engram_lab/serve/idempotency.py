"""`Idempotency-Key`: whoever asks again, not knowing whether they were heard, is not heard twice.

The answer to a key is kept in memory for a day, and sent again. What is made with a key also has an
id that follows from tenant and key, so that after a restart, too, nothing is made twice.

Source: draft-ietf-httpapi-idempotency-key-header-06, sections 2.2 to 2.7.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cachetools import TTLCache
from starlette.responses import Response

from engram_lab.serve.errors import InvalidRequestError, UnprocessedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import BaseModel

    from engram_lab.serve.call import Call

__all__ = ["REPLAYED", "Answered", "key_of", "made_id", "once"]

HEADER: Final = "idempotency-key"
REPLAYED: Final = {"Idempotency-Replayed": "true"}
"""Goes with an answer that was given before."""
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}\Z")
_DAY_S: Final = 86_400.0
_MOST_BYTES: Final = 67_108_864
"""Of all answers that are kept, of which each counts for some more than its body."""
_EACH: Final = 2_048
_LARGEST: Final = 262_144
"""Bytes of an answer: larger ones are not kept."""


@dataclass(frozen=True, slots=True)
class _Kept:
    request: str
    answer: asyncio.Future[Response | None]
    size: int = 0


class Answered:
    """What was answered to keys, by tenant, route and key; the oldest make room.

    Args:
        timer: Tells seconds.
        most_bytes: How much of it is kept in memory.
    """

    def __init__(self, timer: Callable[[], float], *, most_bytes: int = _MOST_BYTES) -> None:
        self.kept: TTLCache[tuple[str, str, str], _Kept] = TTLCache(
            most_bytes, _DAY_S, timer=timer, getsizeof=_size
        )

    def forget(self, tenant_id: str, memory_id: str) -> None:
        """Forget what was answered of a memory that was purged."""
        text = memory_id.encode()
        for place, kept in list(self.kept.items()):
            said = kept.answer.result() if kept.answer.done() else None
            if place[0] == tenant_id and said is not None and text in said.body:
                self.kept.pop(place, None)


def made_id(call: Call, place: int = 0) -> str | None:
    """Return the id of what is made by a request with a key, None for one without.

    Source: RFC 9562, section 5.8 (UUIDv8).
    """
    key = key_of(call)
    if key is None:
        return None
    route = call.needs.route if call.needs else ""
    text = f"{call.within.id}\n{route}\n{key}\n{place}".encode()
    found = hashlib.sha256(text).hexdigest()
    variant = "89ab"[int(found[16], 16) % 4]
    return f"{found[:8]}-{found[8:12]}-8{found[13:16]}-{variant}{found[17:20]}-{found[20:32]}"


async def once(
    answered: Answered,
    call: Call,
    body: BaseModel,
    work: Callable[[str | None], Awaitable[Response]],
) -> Response:
    """Return the answer to a request, from before where its key was answered before.

    Args:
        answered: What was answered.
        call: The request.
        body: What it asks for: another one under the same key is refused.
        work: Answers it; is given the id that follows from the key.

    Raises:
        InvalidRequestError: The key is malformed.
        UnprocessedError: The key came with another request before.
    """
    key = key_of(call)
    if key is None or call.needs is None:
        return await work(None)
    place = (call.within.id, call.needs.route, key)
    # By the slower way, which knows numbers of any size and halves of characters.
    asked = json.dumps(body.model_dump(mode="json"))
    request = hashlib.sha256(asked.encode()).hexdigest()
    before = answered.kept.get(place)
    if before is not None:
        if before.request != request:
            raise UnprocessedError(
                "this Idempotency-Key came with another request before: give each its own"
            )
        said = await asyncio.shield(before.answer)
        if said is not None:
            return _again(said)
    future: asyncio.Future[Response | None] = asyncio.get_running_loop().create_future()
    answered.kept[place] = _Kept(request, future)
    try:
        said = await work(made_id(call))
    except BaseException:
        answered.kept.pop(place, None)
        future.set_result(None)
        raise
    if len(said.body) > _LARGEST:
        answered.kept.pop(place, None)
    else:
        answered.kept[place] = _Kept(request, future, len(said.body))
    future.set_result(said)
    return said


def _size(kept: _Kept) -> int:
    return _EACH + kept.size


def _again(said: Response) -> Response:
    kept = {name: said.headers[name] for name in ("etag", "location") if name in said.headers}
    return Response(
        said.body, said.status_code, headers={**kept, **REPLAYED}, media_type=said.media_type
    )


def key_of(call: Call) -> str | None:
    """Return the key that came with a request, None where none did.

    Raises:
        InvalidRequestError: It is malformed.
    """
    values = call.headers.get(HEADER, ())
    if not values:
        return None
    if len(values) > 1 or not _KEY.match(values[0]):
        raise InvalidRequestError(
            "the Idempotency-Key is malformed: give one of 1 to 255 visible ASCII characters"
        )
    return values[0]
