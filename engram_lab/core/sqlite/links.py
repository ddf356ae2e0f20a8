"""Links: typed, weighted edges between memories, each with the time for which it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import apsw

from engram_lab.core.checks import check_flag, check_label, check_number
from engram_lab.core.clock import from_us, parse_time, to_us
from engram_lab.core.errors import InvalidInputError, NotFoundError
from engram_lab.core.sqlite.changes import log
from engram_lab.core.sqlite.conditions import Where, readable
from engram_lab.core.sqlite.rows import fetch, optional_time, optional_us
from engram_lab.core.types import Link

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from engram_lab.core.sqlite.context import Context
    from engram_lab.core.sqlite.erasing import ErasableMemories
    from engram_lab.core.types import Direction

__all__ = ["Links", "link_of"]

_SELECT: Final = (
    "SELECT l.id, a.id, b.id, l.type, l.weight, l.confidence, l.source, l.context, l.valid_from, "
    "l.valid_to, l.pinned, l.created_at, l.updated_at FROM links AS l "
    "JOIN memories AS a ON a.pk = l.from_pk JOIN memories AS b ON b.pk = l.to_pk"
)
_OPEN: Final = (
    "SELECT id, created_at FROM links "
    "WHERE from_pk = ? AND to_pk = ? AND type = ? AND valid_to IS NULL"
)

_OF_ENDS: Final = (
    "SELECT k.id FROM carray(?) AS c CROSS JOIN memories AS m ON m.id = c.value "
    "CROSS JOIN links AS k ON k.{end} = m.pk"
)


def link_of(row: tuple[Any, ...]) -> Link:
    """Return the link of a row of `_SELECT`."""
    return Link(
        id=row[0],
        from_id=row[1],
        to_id=row[2],
        type=row[3],
        weight=row[4],
        confidence=row[5],
        source=row[6],
        context=row[7],
        valid_from=optional_time(row[8]),
        valid_to=optional_time(row[9]),
        pinned=row[10] == 1,
        created_at=from_us(row[11]),
        updated_at=from_us(row[12]),
    )


class Links:
    """The links of the store. Between two memories at most one of each type is open at a time."""

    def __init__(self, context: Context, memories: ErasableMemories) -> None:
        self._context = context
        self._memories = memories

    def put(
        self,
        from_id: str,
        to_id: str,
        *,
        type: str = "related_to",  # noqa: A002 - the word users know
        weight: float = 1.0,
        confidence: float = 1.0,
        source: str = "manual",
        context: str | None = None,
        valid_from: datetime | str | None = None,
        valid_to: datetime | str | None = None,
        pinned: bool = False,
    ) -> Link:
        """Link two memories. An open link of the same type is changed, not doubled.

        Raises:
            InvalidInputError: A memory linked to itself, a weight or confidence outside 0 to 1,
                or a validity that ends before it begins.
            NotFoundError: One of the memories is not to be seen.
            AccessDeniedError: The memory it starts from may not be written.
        """
        starts = None if valid_from is None else parse_time(valid_from, field="valid_from")
        ends = None if valid_to is None else parse_time(valid_to, field="valid_to")
        if starts is not None and ends is not None and ends < starts:
            raise InvalidInputError(f"valid_to ({ends}) is before valid_from ({starts}): swap them")
        checked = (
            check_label(type, field="type", limit=64),
            check_number(weight, field="weight"),
            check_number(confidence, field="confidence"),
            check_label(source, field="source"),
            None if context is None else check_label(context, field="context", limit=4096),
            optional_us(starts),
            optional_us(ends),
            int(check_flag(pinned, field="pinned")),
        )
        with self._context.database.write() as connection:
            pks = self._ends(connection, from_id, to_id)
            if pks[0] == pks[1]:
                raise InvalidInputError("a memory is not linked to itself: give two ids")
            id_ = self._write(connection, pks, checked)
        return self._get(id_)

    def _ends(self, connection: apsw.Connection, from_id: str, to_id: str) -> tuple[int, int]:
        from_pk, start = self._memories.find(connection, from_id)
        to_pk, _ = self._memories.find(connection, to_id)
        self._context.check_scope(connection, start.scope, "write")
        return from_pk, to_pk

    def _write(
        self, connection: apsw.Connection, pks: tuple[int, int], checked: tuple[Any, ...]
    ) -> str:
        at = self._context.now()
        found = connection.execute(_OPEN, (*pks, checked[0])).fetchone()
        id_, created = self._context.ids.new(at), to_us(at)
        if (
            found is not None and checked[6] is None
        ):  # a closed link is history, beside the open one
            id_, created = found
            connection.execute("DELETE FROM links WHERE id = ?", (id_,))
        connection.execute(
            "INSERT INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (id_, *pks, *checked, created, to_us(at)),
        )
        self._log(connection, "link", id_, at)
        return str(id_)

    def _log(self, connection: apsw.Connection, action: str, id_: str, at: datetime) -> None:
        log(
            connection,
            at=at,
            action=action,
            target="link",
            id=id_,
            author=self._context.access.name,
            reason=None,
        )

    def close(self, link_id: str, *, at: datetime | None = None) -> Link:
        """End a link's validity, now or at a moment, and return it. It stays as history.

        Raises:
            NotFoundError: There is none that may be seen.
            InvalidInputError: It would end before it begins.
            AccessDeniedError: The memory it starts from may not be written.
        """
        now = self._context.now()
        ends = now if at is None else parse_time(at, field="at")
        with self._context.database.write() as connection:
            link = self._get(link_id)
            self._ends(connection, link.from_id, link.to_id)
            if link.valid_from is not None and ends < link.valid_from:
                raise InvalidInputError(f"the link begins at {link.valid_from}, after {ends}")
            connection.execute(
                "UPDATE links SET valid_to = ?, updated_at = ? WHERE id = ?",
                (to_us(ends), to_us(now), link_id),
            )
            self._log(connection, "unlink", link_id, now)
            return self._get(link_id)

    def _get(self, link_id: str) -> Link:
        found = self._select("l.id = ?", (link_id,), order="l.id")
        if not found:
            raise NotFoundError(f"there is no link {link_id!r} that you may see")
        return found[0]

    def of(
        self,
        memory_id: str,
        *,
        direction: Direction = "both",
        types: Sequence[str] | None = None,
        valid_at: datetime | None = None,
        closed: bool = False,
    ) -> list[Link]:
        """Return the links of a memory, the heaviest first.

        Those alone that hold at `valid_at` (now unless given), unless `closed` asks for all.
        Links to what may not be seen or is forgotten are left out.

        Raises:
            InvalidInputError: An unknown direction.
            NotFoundError: There is no such memory that may be seen.
        """
        self._memories.get(memory_id)
        return self.around(
            [memory_id], direction=direction, types=types, valid_at=valid_at, closed=closed
        )

    def around(
        self,
        ids: Sequence[str],
        *,
        direction: Direction = "both",
        types: Sequence[str] | None = None,
        valid_at: datetime | None = None,
        closed: bool = False,
    ) -> list[Link]:
        """Return the links of any of some memories, each once; see `of`.

        Memories that may not be seen have none.

        Raises:
            InvalidInputError: An unknown direction.
        """
        ways = {"out": ("from_pk",), "in": ("to_pk",), "both": ("from_pk", "to_pk")}
        if direction not in ways:
            raise InvalidInputError(f"direction is {direction!r}: allowed are {', '.join(ways)}")
        at = self._context.now() if valid_at is None else parse_time(valid_at, field="valid_at")
        asked = tuple(dict.fromkeys(ids))
        if not asked:
            return []
        ends = ways[direction]
        joined = " UNION ".join(_OF_ENDS.format(end=end) for end in ends)
        values = tuple(apsw.carray(asked) for _ in ends)
        links = self._select(f"l.id IN ({joined})", values, order="l.weight DESC, l.id")
        return [
            link
            for link in links
            if (types is None or link.type in types) and (closed or _holds(link, at))
        ]

    def _select(self, sql: str, values: tuple[Any, ...], *, order: str) -> list[Link]:
        where = Where()
        where.add(sql, *values)
        now = to_us(self._context.now())
        for end in ("a", "b"):
            where.add(f"{end}.forgotten_at IS NULL")
            where.add(f"({end}.expires_at IS NULL OR {end}.expires_at > ?)", now)
            readable(where, self._context.access, end)
        with self._context.database.read() as connection:
            rows = fetch(connection, f"{_SELECT} WHERE {where.sql} ORDER BY {order}", where.values)
        return [link_of(row) for row in rows]


def _holds(link: Link, at: datetime) -> bool:
    begun = link.valid_from is None or link.valid_from <= at
    return begun and (link.valid_to is None or link.valid_to > at)
