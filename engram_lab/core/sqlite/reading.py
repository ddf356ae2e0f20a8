"""Reading memories: by id, by selection, by words, and as they once were."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.clock import from_us, parse_time
from engram_lab.core.errors import InvalidInputError, NotFoundError, shown
from engram_lab.core.filters import matches
from engram_lab.core.reports import AggregateRow, Page
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite.conditions import Where, of_past, of_selection, readable
from engram_lab.core.sqlite.matching import match_text
from engram_lab.core.sqlite.paging import ORDERS, check_page, read_cursor, write_cursor
from engram_lab.core.sqlite.rows import (
    MEMORY_COLUMNS,
    STATE_COLUMNS,
    fetch,
    memory_of,
    optional_time,
    select_columns,
)
from engram_lab.core.types import Memory, Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import apsw

    from engram_lab.core.reports import TextMatch
    from engram_lab.core.selection import Order
    from engram_lab.core.sqlite.context import Context
    from engram_lab.core.terms import Term

__all__ = ["AGGREGATE_KEYS", "STATES", "MemoryReader"]

_STATE: Final = ", ".join(("pk", *STATE_COLUMNS))
STATES: Final = (
    f"(SELECT {_STATE}, NULL AS superseded_at FROM memories "
    f"UNION ALL SELECT {_STATE}, superseded_at FROM versions)"
)
"""Every state that any memory ever had."""

_SECONDS: Final = "(m.created_at - (m.created_at < 0) * 999999) / 1000000"  # rounded down
AGGREGATE_KEYS: Final[dict[str, str]] = {
    "type": "m.type",
    "tag": "t.tag",
    "workspace": "m.workspace",
    "scope": "m.scope",
    "tier": "m.tier",
    "lifecycle": "m.lifecycle",
    "source": "m.source",
    "agent": "m.agent_id",
    "session": "m.session_id",
    "day": f"strftime('%Y-%m-%d', {_SECONDS}, 'unixepoch')",
    "week": f"strftime('%G-W%V', {_SECONDS}, 'unixepoch')",
    "month": f"strftime('%Y-%m', {_SECONDS}, 'unixepoch')",
}


class MemoryReader:
    """The reading half of the memories."""

    def __init__(self, context: Context) -> None:
        self._context = context
        where = Where()
        readable(where, context.access)
        self._reach = tuple(where.values)
        self._get = {
            private: f"SELECT {select_columns('m', private=private)} FROM memories AS m "
            f"WHERE m.id = ? AND {where.sql}"
            for private in (False, True)
        }

    def get(
        self,
        id: str,  # noqa: A002 - the word users know
        *,
        as_of: datetime | None = None,
        forgotten: bool = False,
        private: bool = False,
    ) -> Memory:
        """Return a memory, as it is or as it was at `as_of`.

        Raises:
            NotFoundError: There is none that may be seen, or it was forgotten or has expired.
        """
        if as_of is not None:
            moment = parse_time(as_of, field="as_of")
            memory = self._at(id, moment, forgotten=forgotten, private=private)
        else:
            memory = self._head(id, private=private)
            if memory is not None and self._is_gone(memory, forgotten=forgotten):
                memory = None
        if memory is None:
            raise NotFoundError(f"there is no memory {id!r} that you may see")
        return memory

    def _head(self, id_: str, *, private: bool) -> Memory | None:
        self._check_private(private=private)
        with self._context.database.read() as connection:
            row = connection.execute(self._get[private], (id_, *self._reach)).fetchone()
        return None if row is None else memory_of(row)

    def _at(self, id_: str, as_of: datetime, *, forgotten: bool, private: bool) -> Memory | None:
        selection = Selection(as_of=as_of, archived=True, forgotten=forgotten, private=private)
        with self._stream(selection, "id", extra=("m.id = ?", id_)) as states:
            return next((memory for memory, _ in states), None)

    def _is_gone(self, memory: Memory, *, forgotten: bool) -> bool:
        if memory.forgotten_at is not None and not forgotten:
            return True
        return memory.expires_at is not None and memory.expires_at <= self._context.now()

    def _check_private(self, *, private: bool) -> None:
        if private:
            self._context.access.check_owner("read private sections")

    def get_many(self, ids: Sequence[str], *, private: bool = False) -> list[Memory | None]:
        """Return the memories in the order of `ids`; None where there is none to be seen."""
        self._check_private(private=private)
        asked: Sequence[Any] = ids
        wanted = dict.fromkeys(each for each in asked if isinstance(each, str))
        found: dict[str, Memory] = {}
        with self._context.database.snapshot() as connection:
            for id_ in wanted:
                row = connection.execute(self._get[private], (id_, *self._reach)).fetchone()
                if row is not None and not self._is_gone(memory := memory_of(row), forgotten=False):
                    found[id_] = memory
        return [found.get(each) if isinstance(each, str) else None for each in asked]

    def select(
        self,
        selection: Selection,
        *,
        order: Order = "id",
        descending: bool = False,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Return one page of a selection; `cursor` is the `next_cursor` of the page before.

        Raises:
            InvalidInputError: An unknown order, a limit outside 1 to 10000, or a cursor of another
                listing.
        """
        check_page(order, limit)
        after = None if cursor is None else read_cursor(cursor, order, descending=descending)
        with self._stream(selection, order, descending=descending, after=after) as stream:
            found = list(islice(stream, limit + 1))
        page = found[:limit]
        following = None
        if len(found) > limit:
            last, key = page[-1]
            following = write_cursor(order, key, last.id, descending=descending)
        return Page(memories=tuple(memory for memory, _ in page), next_cursor=following)

    @contextmanager
    def _stream(
        self,
        selection: Selection,
        order: Order,
        *,
        descending: bool = False,
        after: tuple[Any, str] | None = None,
        extra: tuple[str, Any] | None = None,
    ) -> Iterator[Iterator[tuple[Memory, Any]]]:
        """Lend the memories of a selection, each with its key of the order.

        A past state has no tag and metadata indexes, so its filter is judged in Python.
        """
        self._check_private(private=selection.private)
        now = self._context.now()
        if selection.as_of is None:
            source, where = "memories", of_selection(selection, self._context.access, now)
        else:
            source, where = STATES, of_past(selection, self._context.access, now)
        key = ORDERS[order]
        if extra is not None:
            where.add(*extra)
        if after is not None:
            where.add(f"({key}, m.id) {'<' if descending else '>'} (?, ?)", *after)
        way = "DESC" if descending else "ASC"
        columns = select_columns("m", private=False)
        if selection.private:
            columns += ", " + select_columns("m", private=True)
        sql = (
            f"SELECT {columns}, {key} FROM {source} AS m "
            f"WHERE {where.sql} ORDER BY {key} {way}, m.id {way}"
        )
        with self._context.database.read() as connection:
            rows = connection.execute(sql, where.values)
            try:
                yield self._judged(rows, selection)
            finally:
                rows.close(force=True)  # rows left unread would hold the connection in the past

    def _judged(
        self, rows: Iterator[tuple[Any, ...]], selection: Selection
    ) -> Iterator[tuple[Memory, Any]]:
        for row in rows:
            memory = memory_of(row)
            if selection.as_of is None or matches(selection.filter, memory):
                if selection.private:
                    memory = memory_of(row[len(MEMORY_COLUMNS) :])
                yield memory, row[-1]

    def count(self, selection: Selection) -> int:
        """Return how many memories a selection holds."""
        if selection.as_of is not None:
            with self._stream(selection, "id") as stream:
                return sum(1 for _ in stream)
        where = of_selection(selection, self._context.access, self._context.now())
        with self._context.database.read() as connection:
            found: int = connection.execute(
                f"SELECT count(*) FROM memories AS m WHERE {where.sql}", where.values
            ).get
        return found

    def aggregate(self, selection: Selection, by: str) -> list[AggregateRow]:
        """Return one row for each value of `by`, the largest group first.

        A memory counts once under each of its tags.

        Raises:
            InvalidInputError: An unknown `by`, or `as_of` in the selection.
        """
        if by not in tuple(AGGREGATE_KEYS):
            raise InvalidInputError(f"by is {shown(by)}: allowed are {', '.join(AGGREGATE_KEYS)}")
        if selection.as_of is not None:
            raise InvalidInputError("an aggregate is of the present: leave out as_of")
        where = of_selection(selection, self._context.access, self._context.now())
        join = "JOIN memory_tags AS t ON t.pk = m.pk" if by == "tag" else ""
        with self._context.database.read() as connection:
            rows = fetch(
                connection,
                f"SELECT {AGGREGATE_KEYS[by]} AS key, count(*) AS n, avg(m.importance), "
                "sum(m.access_count), min(m.created_at), max(m.created_at) "
                f"FROM memories AS m {join} WHERE {where.sql} GROUP BY key ORDER BY n DESC, key",
                where.values,
            )
        return [
            AggregateRow(
                key=row[0],
                count=row[1],
                mean_importance=row[2],
                total_accesses=row[3],
                first_created_at=from_us(row[4]),
                last_created_at=from_us(row[5]),
            )
            for row in rows
        ]

    def history(self, id: str, *, private: bool = False) -> list[Version]:  # noqa: A002
        """Return every version of a memory, oldest first, also of a forgotten one.

        Versions in scopes out of reach are left out.

        Raises:
            NotFoundError: There is none that may be seen.
        """
        self._check_private(private=private)
        where = Where()
        where.add("m.id = ?", id)
        readable(where, self._context.access)
        with self._context.database.read() as connection:
            rows = fetch(
                connection,
                f"SELECT {select_columns('m', private=private)}, "
                "c.action, c.author, c.reason, c.at, m.superseded_at "
                f"FROM {STATES} AS m JOIN changes AS c ON c.seq = m.seq "
                f"WHERE {where.sql} ORDER BY m.version",
                where.values,
            )
        head_is_seen = bool(rows) and rows[-1][-1] is None
        if not head_is_seen or self._is_gone(memory_of(rows[-1]), forgotten=True):
            raise NotFoundError(f"there is no memory {id!r} that you may see")
        return [
            Version(
                memory=memory_of(row),
                action=row[-5],
                author=row[-4],
                reason=row[-3],
                recorded_at=from_us(row[-2]),
                superseded_at=optional_time(row[-1]),
            )
            for row in rows
        ]

    def match_text(
        self,
        terms: Sequence[str | Term],
        selection: Selection,
        limit: int,
        *,
        highlight: bool = False,
    ) -> list[TextMatch]:
        """Return the memories that hold any of the terms, best BM25 first, ties by id.

        Raises:
            InvalidInputError: `as_of` in the selection, terms that are none, or a limit below 1.
        """
        return match_text(self._context, terms, selection, limit, highlight=highlight)

    def find(
        self, connection: apsw.Connection, id_: str, *, forgotten: bool = False
    ) -> tuple[int, Memory]:
        """Return a memory to be written, private sections included, and its row."""
        row = connection.execute(
            f"SELECT {select_columns('m', private=True)}, m.pk FROM memories AS m WHERE m.id = ?",
            (id_,),
        ).fetchone()
        context = self._context
        if row is not None:
            memory = memory_of(row)
            seen = context.access.allows(memory.scope, "read", context.grants(connection))
            if seen and not self._is_gone(memory, forgotten=forgotten):
                return row[-1], memory
        raise NotFoundError(f"there is no memory {id_!r} that you may see")
