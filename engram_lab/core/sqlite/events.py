"""Recall events: what was asked and what came back, the ground of all learning from use."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import apsw
import orjson

from engram_lab.core.checks import check_label, check_limit
from engram_lab.core.clock import from_us, parse_time, to_us
from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.ids import check_id
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite.conditions import Where, of_state
from engram_lab.core.sqlite.rows import fetch
from engram_lab.core.text import clean_text
from engram_lab.core.types import RecalledMemory, RecallEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.core.sqlite.context import Context

__all__ = ["RecallEvents", "check_hit"]

_COLUMNS: Final = "id, at, query, workspace, agent_id, session_id, strategy, config_hash"
_INSERT_EVENT: Final = "INSERT INTO recall_events VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_HITS: Final = """
INSERT INTO recall_hits
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)
"""
_ACCESSED: Final = """
UPDATE memories SET access_count = access_count + a.times,
    last_accessed_at = max(coalesce(last_accessed_at, a.last), a.last)
FROM (SELECT value ->> 0 AS pk, value ->> 1 AS times, value ->> 2 AS last FROM json_each(?)) AS a
WHERE memories.pk = a.pk
"""
# One statement for many rows: others get on meanwhile, as rows one by one take turns with them.

_PRESENT: Final = Selection(archived=True)


def check_hit(rank: object, score: object) -> tuple[int, float]:
    """Return the rank and the score of a hit.

    Raises:
        InvalidInputError: The rank is no whole number, or the score not finite.
    """
    if type(rank) is not int:
        raise InvalidInputError(f"rank is {shown(rank)}: give a whole number")
    if not isinstance(score, int | float) or not math.isfinite(score):
        raise InvalidInputError(f"score is {shown(score)}: give a finite number")
    return rank, float(score)


class RecallEvents:
    """The recall events of the store. An agent sees its own alone."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def record(self, events: Sequence[RecallEvent]) -> None:
        """Store events in one transaction and count each hit as an access of its memory.

        Hits on memories that are gone meanwhile, or out of reach, are left out.

        Raises:
            InvalidInputError: A malformed id, time, query, label or hit.
            ConflictError: An event is already stored.
        """
        rows = [self._row(event) for event in events]
        hits = [
            (event.id, *check_hit(hit.rank, hit.score), hit.memory_id, row[1])
            for event, row in zip(events, rows, strict=True)
            for hit in event.hits
        ]
        with self._context.database.write() as connection:
            connection.executemany(_INSERT_EVENT, rows)
            keys = self._present(connection, {hit[3] for hit in hits})
            found: list[tuple[str, int, int, float]] = []
            accesses: dict[int, list[int]] = {}
            for event_id, rank, score, memory_id, at in hits:
                if (key := keys.get(memory_id)) is not None:
                    found.append((event_id, rank, key, score))
                    accesses.setdefault(key, []).append(at)
            connection.execute(_INSERT_HITS, (_as_json(found),))
            counted = [(key, len(times), max(times)) for key, times in sorted(accesses.items())]
            connection.execute(_ACCESSED, (_as_json(counted),))

    def _present(self, connection: apsw.Connection, ids: set[Any]) -> dict[str, int]:
        """Return the keys of those memories that are there and in reach, by id."""
        # An id is ASCII: what else is given is none, and some of it no database could look for.
        asked = [each for each in ids if isinstance(each, str) and each.isascii()]
        if not asked:
            return {}
        where = Where()
        of_state(where, _PRESENT, self._context.access, self._context.now())
        return dict(
            connection.execute(
                "SELECT m.id, m.pk FROM carray(?) AS c CROSS JOIN memories AS m ON m.id = c.value "
                f"WHERE {where.sql}",
                (apsw.carray(tuple(sorted(asked))), *where.values),
            )
        )

    def _row(self, event: RecallEvent) -> tuple[Any, ...]:
        principal = self._context.access.principal
        agent = event.agent_id if principal is None else principal.agent_id
        labels = {
            "workspace": event.workspace,
            "agent_id": agent,
            "session_id": event.session_id,
            "strategy": event.strategy,
            "config_hash": event.config_hash,
        }
        return (
            check_id(event.id),
            to_us(parse_time(event.at, field="at")),
            clean_text(event.query, field="query"),
            *(None if v is None else check_label(v, field=k) for k, v in labels.items()),
        )

    def since(self, event_id: str = "", *, limit: int = 1000) -> list[RecallEvent]:
        """Return the events with ids after `event_id`, in the order of ids, at most `limit`.

        Raises:
            InvalidInputError: A limit below 1.
        """
        check_limit(limit)
        principal = self._context.access.principal
        agent = None if principal is None else principal.agent_id
        with self._context.database.snapshot() as connection:
            rows = fetch(
                connection,
                f"SELECT {_COLUMNS} FROM recall_events WHERE id > ?1 "
                "AND (?2 IS NULL OR agent_id = ?2) ORDER BY id LIMIT ?3",
                (event_id, agent, limit),
            )
            return [_event_of(row, self._hits(connection, row[0])) for row in rows]

    def _hits(self, connection: apsw.Connection, event_id: str) -> tuple[RecalledMemory, ...]:
        where = Where()
        where.add("h.event_id = ?", event_id)
        of_state(where, _PRESENT, self._context.access, self._context.now())
        rows = fetch(
            connection,
            "SELECT m.id, h.rank, h.score FROM recall_hits AS h JOIN memories AS m ON m.pk = h.pk "
            f"WHERE {where.sql} ORDER BY h.rank",
            where.values,
        )
        return tuple(RecalledMemory(memory_id=r[0], rank=r[1], score=r[2]) for r in rows)


def _as_json(rows: Sequence[tuple[Any, ...]]) -> str:
    """Return rows for `json_each`, which gives each number back to the bit."""
    return orjson.dumps(rows).decode()


def _event_of(row: tuple[Any, ...], hits: tuple[RecalledMemory, ...]) -> RecallEvent:
    return RecallEvent(
        id=row[0],
        at=from_us(row[1]),
        query=row[2],
        hits=hits,
        workspace=row[3],
        agent_id=row[4],
        session_id=row[5],
        strategy=row[6],
        config_hash=row[7],
    )
