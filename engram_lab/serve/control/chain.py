"""The chain of the audit: each entry seals the one before it.

The hash of an entry is SHA-256, in lower-case hexadecimal, over this object as JSON: keys in
order, no spaces, all that is not ASCII escaped, numbers as Python writes them.

    {"actor", "at", "details", "id", "kind", "number", "outcome", "previous", "request_id",
     "target", "tenant"}

`at` is in microseconds since 1970 UTC, `number` counts from 1 within a tenant, `previous` is the
hash of the entry before, 64 zeros for the first, and `tenant` is '' for the operator's own chain.
The hash and number of the last entry stand in a second table, `audit_heads`.

What is seen: an entry that was edited, taken out or put in anywhere, one moved to another tenant,
and a chain cut short. What is not: a chain whose end was cut, or which was made anew from some
point on, by somebody who may write the database past its triggers and wrote the head anew too.
Against that, note down a chain's last number and hash elsewhere from time to time; the entry of
that number must still have that hash.

Source: S. Haber, W. S. Stornetta, "How to time-stamp a digital document", J. Cryptology 3 (1991).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.clock import to_us
from engram_lab.core.errors import shown
from engram_lab.serve.control.rows import held

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engram_lab.serve.control.records import AuditEntry

__all__ = ["GENESIS", "Head", "canonical", "first_fault", "hash_of", "sealed", "storable"]

GENESIS: Final = "0" * 64
"""What stands before the first entry."""

Head = tuple[int, str]
"""Number and hash of the last entry; `(0, GENESIS)` of a chain without any."""

_DEEPEST: Final = 32
_LARGEST: Final = 2**63
_LONGEST: Final = 1_000


def canonical(value: Any) -> str:
    """Return the one way to write a value as JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def hash_of(entry: AuditEntry) -> str:
    """Return the hash that an entry must have, from all else in it."""
    told = {
        "tenant": entry.tenant_id or "",
        "number": entry.number,
        "previous": entry.previous,
        "id": entry.id,
        "at": to_us(entry.at),
        "kind": entry.kind,
        "actor": entry.actor,
        "target": entry.target,
        "outcome": entry.outcome,
        "request_id": entry.request_id,
        "details": entry.details,
    }
    return sha256(canonical(told).encode("ascii")).hexdigest()


def sealed(entry: AuditEntry, head: Head) -> AuditEntry:
    """Return an entry as the next one of a chain."""
    number, previous = head
    placed = replace(entry, number=number + 1, previous=previous)
    return replace(placed, hash=hash_of(placed))


def first_fault(entries: Iterable[AuditEntry], head: Head) -> int | None:
    """Return the number at which a chain stops to hold, None where it holds to its head.

    Args:
        entries: All of it, by number.
        head: What is told of its last entry.
    """
    last: Head = (0, GENESIS)
    for entry in entries:
        expected = last[0] + 1
        if (entry.number, entry.previous) != (expected, last[1]) or entry.hash != hash_of(entry):
            return min(expected, entry.number)
        last = (entry.number, entry.hash)
    if last == head:
        return None
    return min(last[0], head[0]) + 1 if last[0] != head[0] else last[0]


def storable(entry: AuditEntry) -> AuditEntry:
    """Return an entry as any database can hold it: nothing that was noted is refused.

    A character that no database takes becomes a question mark; of details, what JSON does not know
    becomes a text.
    """
    return replace(
        entry,
        id=held(entry.id),
        tenant_id=held(entry.tenant_id or "") or None,
        kind=held(entry.kind),
        actor=held(entry.actor),
        target=None if entry.target is None else held(entry.target),
        outcome=held(entry.outcome),
        request_id=None if entry.request_id is None else held(entry.request_id),
        details=_plain(entry.details, _DEEPEST),
    )


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        plain: Any = held(value)
    elif value is None or isinstance(value, bool):
        plain = value
    elif isinstance(value, int):
        plain = int(value) if abs(value) < _LARGEST else hex(value)
    elif isinstance(value, float):
        plain = float(value) if math.isfinite(value) else str(value)
    elif depth and isinstance(value, Mapping):
        plain = {
            held(key if isinstance(key, str) else shown(key)): _plain(each, depth - 1)
            for key, each in value.items()
        }
    elif depth and isinstance(value, list | tuple):
        plain = [_plain(each, depth - 1) for each in value]
    else:
        plain = held(shown(value, limit=_LONGEST))
    return plain
