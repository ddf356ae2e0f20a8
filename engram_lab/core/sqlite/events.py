"""Recall events: what was asked and what came back, the ground of all learning from use."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

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

    import apsw

    from engram_lab.core.sqlite.context import Context

__all__ = ["RecallEvents", "check_hit"]

_COLUMNS: Final = "id, at, query, workspace, agent_id, session_id, strategy, config_hash"
_ACCESSED: Final = """
UPDATE memories SET access_count = access_count + 1,
    last_accessed_at = max(coalesce(last_accessed_at, ?1), ?1)
WHERE pk = ?2
"""


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
        with self._context.database.write() as connection:
            for event in events:
                self._record(connection, event)

    def _record(self, connection: apsw.Connection, event: RecallEvent) -> None:
        principal = self._context.access.principal
        agent = event.agent_id if principal is None else principal.agent_id
        labels = {
            "workspace": event.workspace,
            "agent_id": agent,
            "session_id": event.session_id,
            "strategy": event.strategy,
            "config_hash": event.config_hash,
        }
        at = to_us(parse_time(event.at, field="at"))
        row = (
            check_id(event.id),
            at,
            clean_text(event.query, field="query"),
            *(None if v is None else check_label(v, field=k) for k, v in labels.items()),
        )
        connection.execute("INSERT INTO recall_events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        where = Where()
        where.add("m.id = ?")
        of_state(where, _PRESENT, self._context.access, self._context.now())
        for hit in event.hits:
            rank, score = check_hit(hit.rank, hit.score)
            pk = connection.execute(
                f"SELECT m.pk FROM memories AS m WHERE {where.sql}", (hit.memory_id, *where.values)
            ).get
            if pk is not None:
                connection.execute(
                    "INSERT INTO recall_hits VALUES (?, ?, ?, ?)",
                    (event.id, rank, pk, score),
                )
                connection.execute(_ACCESSED, (at, pk))

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
