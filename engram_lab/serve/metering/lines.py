"""Usage events as lines of a spool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from engram_lab.core.clock import from_us, to_us
from engram_lab.serve.control.records import UsageEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["events_of", "line_of"]

_FIELDS = 9
_TEXTS = (0, 1, 3, 5)
_NUMBERS = (2, 4, 6, 7, 8)


def line_of(event: UsageEvent) -> bytes:
    """Return an event as one line."""
    return orjson.dumps(
        (
            event.request_id,
            event.tenant_id,
            to_us(event.at),
            event.route,
            event.status,
            event.workspace,
            event.api_calls,
            event.searches,
            event.memories_created,
        )
    )


def events_of(lines: Iterable[bytes]) -> tuple[list[UsageEvent], int]:
    """Return the events of lines, and how many lines were none: a power cut may leave such."""
    events = []
    unreadable = 0
    for line in lines:
        event = _event_of(line)
        if event is None:
            unreadable += 1
        else:
            events.append(event)
    return events, unreadable


def _event_of(line: bytes) -> UsageEvent | None:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if (
        not isinstance(row, list)
        or len(row) != _FIELDS
        or not all(isinstance(row[place], str) for place in _TEXTS)
        or not all(type(row[place]) is int for place in _NUMBERS)
    ):
        return None
    request_id, tenant_id, at, route, status, workspace, calls, searches, created = row
    try:
        moment = from_us(at)
    except OverflowError:
        return None
    return UsageEvent(
        request_id=request_id,
        tenant_id=tenant_id,
        at=moment,
        route=route,
        status=status,
        workspace=workspace,
        api_calls=calls,
        searches=searches,
        memories_created=created,
    )
