"""Putting back what a dream changed: to the last bit, but for what was written since.

A memory is known again by the change that made its state, a link by a digest of its row. States
before are in `versions` and in the journal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import apsw
import numpy as np
import orjson

from engram_lab.core.clock import to_us
from engram_lab.core.dreams import UndoReport
from engram_lab.core.errors import UndoConflictError
from engram_lab.core.sqlite.changes import next_number
from engram_lab.core.sqlite.dream_links import INSERT_LINK, LINK_COLUMNS, digest_of
from engram_lab.core.sqlite.dream_memories import RESTORED, SET_STATE
from engram_lab.core.sqlite.indexing import Part, index_parts, unindex
from engram_lab.core.sqlite.rows import fetch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

__all__ = ["Undoing"]

_JOURNAL: Final = (
    "SELECT action, id, pk, to_pk, version, seq, image, digest, "
    "action = 'update' AND fields ->> 'lifecycle' = 'archived', "
    "action = 'update' AND fields ->> 'valid_to' IS NOT NULL FROM dream_journal "
    "WHERE run = ? ORDER BY number"
)
_LINKS: Final = (
    f"SELECT {', '.join(f'l.{name}' for name in LINK_COLUMNS)} "
    "FROM carray(?) AS c CROSS JOIN links AS l ON l.id = c.value"
)
_MEMORIES: Final = (
    "SELECT m.pk, m.seq FROM carray(?) AS c CROSS JOIN memories AS m ON m.pk = c.value"
)
_TOUCHING: Final = (
    "SELECT l.id, l.from_pk FROM carray(?1) AS c CROSS JOIN links AS l ON l.from_pk = c.value "
    "UNION ALL "
    "SELECT l.id, l.to_pk FROM carray(?2) AS c CROSS JOIN links AS l ON l.to_pk = c.value"
)
_MENTIONED: Final = (
    "SELECT n.pk FROM carray(?1) AS c CROSS JOIN mentions AS n ON n.pk = c.value UNION "
    "SELECT t.pk FROM carray(?2) AS c CROSS JOIN turns AS t ON t.pk = c.value"
)
_OPEN: Final = (
    "SELECT l.from_pk, l.to_pk, l.type, l.id FROM carray(?) AS c "
    "CROSS JOIN links AS l ON l.from_pk = c.value WHERE l.valid_to IS NULL"
)
_BEFORE: Final = (
    f"SELECT {', '.join(f'v.{name}' for name in RESTORED)}, v.pk FROM versions AS v "
    "WHERE v.id = ? AND v.version = ?"
)
_INDEXED: Final = "SELECT tags, metadata, forgotten_at FROM memories WHERE pk = ?"
_LOG: Final = "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_AT_ONCE: Final = 5_000
_TYPE, _VALID_TO = LINK_COLUMNS.index("type"), LINK_COLUMNS.index("valid_to")


@dataclass(slots=True)
class _Memory:
    """A memory that the dream wrote: its version before (None: it made it), its state after.

    `hidden` and `closed` tell whether it was archived, and whether its validity was ended.
    """

    id: str
    pk: int
    version: int | None
    seq: int
    hidden: bool = False
    closed: bool = False


@dataclass(slots=True)
class _Link:
    """A link that the dream wrote: its row before (None: it made it), the digest of that after."""

    id: str
    from_pk: int
    to_pk: int
    image: tuple[Any, ...] | None
    digest: bytes | None


@dataclass(slots=True)
class Undoing:
    """One dream that is undone, within its transaction."""

    connection: apsw.Connection
    number: int
    run_id: str
    _memories: dict[int, _Memory] = field(default_factory=dict, init=False)
    _links: dict[str, _Link] = field(default_factory=dict, init=False)
    _kept: dict[str, None] = field(default_factory=dict, init=False)

    def put_back(self, *, keep_later: bool, author: str, at: datetime) -> UndoReport:
        """Put back all that no later write touched.

        Raises:
            UndoConflictError: Something was touched, and `keep_later` is not set.
        """
        self._read()
        self._find_later()
        if self._kept and not keep_later:
            raise UndoConflictError(self.run_id, tuple(self._kept))
        memories = [each for each in self._memories.values() if each.id not in self._kept]
        links = [each for each in self._links.values() if each.id not in self._kept]
        entries = [*self._put_links(links), *self._put_memories(memories)]
        first, moment = next_number(self.connection), to_us(at)
        reason = f"undoes dream {self.run_id}"
        self.connection.executemany(
            _LOG,
            (
                (first + place, moment, action, target, id_, version, author, reason)
                for place, (action, target, id_, version) in enumerate(entries)
            ),
        )
        return UndoReport(
            run_id=self.run_id, memories=len(memories), links=len(links), kept=tuple(self._kept)
        )

    def _read(self) -> None:
        """Read the journal: of what was written several times, how it was first and is last."""
        rows = self.connection.execute(_JOURNAL, (self.number,))
        for action, id_, pk, to_pk, version, seq, image, digest, hidden, closed in rows:
            if action not in {"link", "unlink"}:
                known = self._memories.setdefault(pk, _Memory(id_, pk, version, seq))
                known.seq = seq
                known.hidden |= bool(hidden)
                known.closed |= bool(closed)
            elif id_ in self._links:
                self._links[id_].digest = digest
            else:
                before = None if image is None else tuple(orjson.loads(image))
                self._links[id_] = _Link(id_, pk, to_pk, before, digest)

    def _find_later(self) -> None:
        """Find what was touched since, and what must stay as it is with that."""
        present = dict(self._found(_MEMORIES, self._memories))
        self._keep(each.id for each in self._memories.values() if present.get(each.pk) != each.seq)
        digests = {row[0]: digest_of(row) for row in self._found(_LINKS, self._links)}
        self._keep(each.id for each in self._links.values() if digests.get(each.id) != each.digest)
        self._keep(self._leading_on())
        self._keep(self._not_to_be_restored())
        made = {each.pk: each.id for each in self._memories.values() if each.version is None}
        for (pk,) in self._found(_MENTIONED, made):
            self._keep([made[pk]])
        touching = [(link, pk) for link, pk in self._found(_TOUCHING, made) if pk in made]
        self._keep(made[pk] for link, pk in touching if link not in self._links)
        count = -1
        while count != len(self._kept):  # a memory keeps its links, and a link its two ends
            count = len(self._kept)
            for link, pk in touching:
                if link in self._kept or made[pk] in self._kept:
                    self._keep([made[pk]] if link not in self._links else [link, made[pk]])

    def _leading_on(self) -> Iterator[str]:
        """Yield links that lead from what stays archived to what stands for it, and their like."""
        kept = [each for each in self._memories.values() if each.id in self._kept]
        hidden = {each.pk for each in kept if each.hidden}
        closed = {each.pk for each in kept if each.closed}
        for each in self._links.values():
            if each.image is None and (each.from_pk in hidden or each.to_pk in closed):
                yield each.id

    def _not_to_be_restored(self) -> Iterator[str]:
        """Yield links whose place was taken since, or whose ends are there no more."""
        restored = [each for each in self._links.values() if each.image is not None]
        ends = {pk for each in restored for pk in (each.from_pk, each.to_pk)}
        there = {pk for pk, _ in self._found(_MEMORIES, ends)}
        taken = {row[:3]: row[3] for row in self._found(_OPEN, {each.from_pk for each in restored})}
        for each in restored:
            image: Any = each.image
            other = taken.get(image[1:4], each.id)
            if not {each.from_pk, each.to_pk} <= there or (
                image[_VALID_TO] is None
                and other != each.id
                and (other not in self._links or other in self._kept)
            ):
                yield each.id

    def _keep(self, ids: Iterable[str]) -> None:
        self._kept.update(dict.fromkeys(ids))

    def _found(self, sql: str, keys: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query for many keys, asked for in parts."""
        wanted = sorted(keys)
        times = 2 if "?2" in sql else 1
        for start in range(0, len(wanted), _AT_ONCE):
            part: Any = wanted[start : start + _AT_ONCE]
            part = tuple(part) if isinstance(part[0], str) else np.array(part, np.int64)
            yield from fetch(self.connection, sql, tuple(apsw.carray(part) for _ in range(times)))

    def _put_links(self, links: list[_Link]) -> Iterator[tuple[str, str, str, int | None]]:
        """Remove what was made, then put back what was there."""
        self.connection.executemany(
            "DELETE FROM links WHERE id = ?", ((each.id,) for each in links if each.digest)
        )
        self.connection.executemany(
            INSERT_LINK, (each.image for each in links if each.image is not None)
        )
        for each in links:
            if each.image is not None or each.digest is not None:
                yield ("unlink" if each.image is None else "undo", "link", each.id, None)

    def _put_memories(self, memories: list[_Memory]) -> Iterator[tuple[str, str, str, int | None]]:
        changed = [each for each in memories if each.version is not None]
        for each in changed:
            self._put_state(each)
        self.connection.executemany(
            "DELETE FROM versions WHERE id = ? AND version >= ?",
            ((each.id, each.version) for each in changed),
        )
        for each in memories:
            if each.version is None:
                metadata = fetch(self.connection, _INDEXED, (each.pk,))[0][1]
                unindex(self.connection, each.pk, orjson.loads(metadata))
                # Its vectors, links, hits and what waits go by their references.
                self.connection.execute("DELETE FROM memories WHERE pk = ?", (each.pk,))
            action = "purge" if each.version is None else "undo"
            yield action, "memory", each.id, each.version

    def _put_state(self, memory: _Memory) -> None:
        """Put back a state: all but how often and when it was accessed, which goes on."""
        before = fetch(self.connection, _BEFORE, (memory.id, memory.version))[0]
        told = dict(zip(RESTORED, before, strict=False))
        tags, metadata, forgotten = fetch(self.connection, _INDEXED, (memory.pk,))[0]
        parts: set[Part] = set()
        if tags != told["tags"]:
            parts |= {"text", "tags"}
        if metadata != told["metadata"]:
            parts.add("metadata")
        if forgotten != told["forgotten_at"]:
            parts.add("text")
        unindex(self.connection, memory.pk, orjson.loads(metadata), parts)
        self.connection.execute(SET_STATE, before)
        index_parts(self.connection, memory.pk, orjson.loads(told["metadata"]), parts)
