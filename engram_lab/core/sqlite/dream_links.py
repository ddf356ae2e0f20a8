"""Links that a dream makes, changes and removes, in bulk."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import apsw
import numpy as np
import orjson

from engram_lab.core.checks import check_label, check_number
from engram_lab.core.clock import parse_time, to_us
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.ids import check_id
from engram_lab.core.sqlite.dream_memories import DREAMT
from engram_lab.core.sqlite.rows import fetch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from engram_lab.core.dreams import Change
    from engram_lab.core.sqlite.dream_memories import DreamtMemories, End

__all__ = ["INSERT_LINK", "LINK_COLUMNS", "DreamtLinks", "LinkRow", "digest_of"]

LinkRow = tuple[Any, ...]

LINK_COLUMNS: Final = (
    "id", "from_pk", "to_pk", "type", "weight", "confidence", "source", "context", "valid_from",
    "valid_to", "pinned", "created_at", "updated_at",
)  # fmt: skip
_FIELDS: Final = frozenset(
    {"from_id", "to_id", "type", "weight", "confidence", "source", "context", "valid_from",
     "valid_to"}
)  # fmt: skip
_FROM, _TO, _TYPE, _ENDS, _UPDATED = (
    LINK_COLUMNS.index(name) for name in ("from_pk", "to_pk", "type", "valid_to", "updated_at")
)
_SELECT: Final = f"SELECT {', '.join(f'l.{name}' for name in LINK_COLUMNS)} FROM"
_OF_IDS: Final = f"{_SELECT} carray(?) AS c CROSS JOIN links AS l ON l.id = c.value"
_OPEN_OF: Final = (
    "SELECT l.from_pk, l.to_pk, l.type, l.id FROM carray(?) AS c "
    "CROSS JOIN links AS l ON l.from_pk = c.value WHERE l.valid_to IS NULL"
)
_MOVED: Final = "SELECT 1 FROM versions WHERE id = ? AND (workspace <> ? OR scope <> ?) LIMIT 1"
INSERT_LINK: Final = f"INSERT INTO links VALUES ({', '.join('?' * len(LINK_COLUMNS))})"
_UPDATE: Final = (
    f"UPDATE links SET {', '.join(f'{name} = ?' for name in LINK_COLUMNS[4:])} WHERE id = ?"
)
_DELETE: Final = "DELETE FROM links WHERE id = ?"


def digest_of(row: LinkRow) -> bytes:
    """Return 16 bytes by which a row of `links` is known again."""
    return hashlib.blake2b(orjson.dumps(row), digest_size=16).digest()


class DreamtLinks:
    """The links of one dream under way, a batch of changes at a time."""

    def __init__(
        self,
        connection: apsw.Connection,
        memories: DreamtMemories,
        workspace: str,
        *,
        at: datetime,
    ) -> None:
        self._connection = connection
        self._memories = memories
        self._workspace = workspace
        self._at = to_us(at)
        self._before: dict[str, int | None] = {}
        self._stored: dict[str, LinkRow] = {}
        self._present: dict[str, LinkRow] = {}
        self._open: dict[tuple[int, int, str], str] = {}
        self._labels: dict[tuple[str, str], str] = {}

    def load(self, ids: tuple[str, ...]) -> set[int]:
        """Read the links that the next changes concern; return the keys of their ends."""
        rows = fetch(self._connection, _OF_IDS, (apsw.carray(ids),)) if ids else []
        self._stored = {row[0]: row for row in rows}
        self._present = dict(self._stored)
        self._open = {}
        return {row[place] for row in rows for place in (_FROM, _TO)}

    def load_open(self, keys: Iterable[int]) -> None:
        """Read which links from some memories are open."""
        starts = np.array(sorted(set(keys)), np.int64)
        if len(starts):
            rows = fetch(self._connection, _OPEN_OF, (apsw.carray(starts),))
            self._open = {row[:3]: row[3] for row in rows}

    def find(self, change: Change) -> LinkRow | None:
        """Return the link of a change, None where it is gone or not as it was seen.

        A dream may change a link twice: it is known by how it was before the dream.
        """
        row = self._present.get(change.id)
        if row is None:
            return None
        before = self._before.setdefault(change.id, row[_UPDATED])
        seen: Any = change.seen
        return row if seen is None or to_us(seen) == before else None

    def is_there(self, id_: str) -> bool:
        """Tell whether there is a link of this id."""
        return id_ in self._present

    def link(self, change: Change) -> tuple[LinkRow | None, LinkRow] | None:
        """Make or change a link; return its row before and after, equal where nothing differs.

        None where it is not as it was seen, an end is gone, or another link is open in its place.

        Raises:
            InvalidInputError: A field breaks a law, or it leaves the workspace or joins scopes.
        """
        given = change.fields
        if others := sorted(given.keys() - _FIELDS):
            raise InvalidInputError(
                f"link {change.id} has {', '.join(others)}: "
                f"allowed are {', '.join(sorted(_FIELDS))}"
            )
        before: LinkRow | None = None
        if change.seen is None:
            if self.is_there(change.id):
                return None
        elif (before := self.find(change)) is None:
            return None
        if (ends := self._ends_of(change, before)) is None:
            return None
        after = self._row(change, before, ends)
        if after[_ENDS] is None and self._open.get(after[1:4], change.id) != change.id:
            return None
        if before is not None and after[:_UPDATED] == before[:_UPDATED]:
            return before, before
        self._put(change.id, before, after)
        return before, after

    def unlink(self, change: Change) -> LinkRow | None:
        """Remove a link and return its row, None where it is gone or not as it was seen.

        Raises:
            InvalidInputError: It is of another workspace.
        """
        before = self.find(change)
        if before is None or self._ends_of(change, before) is None:
            return None
        self._put(change.id, before, None)
        return before

    def _put(self, id_: str, before: LinkRow | None, after: LinkRow | None) -> None:
        if before is not None and before[_ENDS] is None:
            self._open.pop(before[1:4], None)
        if after is None:
            del self._present[id_]
            return
        self._present[id_] = after
        self._before.setdefault(id_, None)
        if after[_ENDS] is None:
            self._open[after[1:4]] = id_

    def _ends_of(self, change: Change, before: LinkRow | None) -> tuple[End, End] | None:
        """Return both ends, None where one is gone or has moved since."""
        given = change.fields
        if before is None:
            asked: tuple[Any, Any] = (given.get("from_id"), given.get("to_id"))
            for name, id_ in zip(("from_id", "to_id"), asked, strict=True):
                check_id(id_, field=name)
            if asked[0] == asked[1]:
                raise InvalidInputError(f"link {change.id} joins memory {asked[0]} to itself")
        else:
            asked = (before[_FROM], before[_TO])
        ends = [self._memories.end(each) for each in asked]
        start, end = ends
        if start is None or end is None or (change.action == "link" and (start.gone or end.gone)):
            return None
        stays = start.workspace == end.workspace == self._workspace
        if stays and (before is not None or start.scope == end.scope):
            self._check_same(change, before, start, end)
            return start, end
        if self._has_moved(start) or self._has_moved(end):
            return None
        raise InvalidInputError(
            f"link {change.id} would join {start.scope} of workspace {start.workspace!r} and "
            f"{end.scope} of {end.workspace!r}: a dream of {self._workspace!r} joins what is of "
            "one scope of its own workspace alone"
        )

    def _has_moved(self, end: End) -> bool:
        """Tell whether a memory was of another workspace or scope before, and so when planned."""
        values = (end.id, end.workspace, end.scope)
        return bool(self._connection.execute(_MOVED, values).get)

    def _check_same(self, change: Change, before: LinkRow | None, start: End, end: End) -> None:
        if before is None:
            return
        known = {"from_id": start.id, "to_id": end.id, "type": before[_TYPE]}
        for name, value in known.items():
            if change.fields.get(name, value) != value:
                raise InvalidInputError(
                    f"link {change.id} has the {name} {value}, which never changes: "
                    "plan another link instead"
                )

    def _row(self, change: Change, before: LinkRow | None, ends: tuple[End, End]) -> LinkRow:
        given: Mapping[str, Any] = change.fields
        if before is None:
            known = dict.fromkeys(LINK_COLUMNS)
            known |= {"confidence": 1.0, "source": f"{DREAMT}{change.step}", "pinned": 0}
        else:
            known = dict(zip(LINK_COLUMNS, before, strict=True))
        starts = _moment(given, "valid_from", known)
        until = _moment(given, "valid_to", known)
        if starts is not None and until is not None and until < starts:
            raise InvalidInputError(f"link {change.id}: valid_to is before valid_from: swap them")
        context = given.get("context", known["context"])
        return (
            check_id(change.id),
            ends[0].pk,
            ends[1].pk,
            self._label(given.get("type", known["type"]), "type", 64),
            check_number(given.get("weight", known["weight"]), field="weight"),
            check_number(given.get("confidence", known["confidence"]), field="confidence"),
            self._label(given.get("source", known["source"]), "source", 256),
            None if context is None else check_label(context, field="context", limit=4096),
            starts,
            until,
            known["pinned"],
            self._at if before is None else known["created_at"],
            self._at if before is None else max(self._at, known["updated_at"] or 0),
        )

    def _label(self, value: Any, name: str, limit: int) -> str:
        """Return a label, checked once for all the links that share it."""
        if not isinstance(value, str):
            return check_label(value, field=name, limit=limit)
        if (name, value) not in self._labels:
            self._labels[name, value] = check_label(value, field=name, limit=limit)
        return value

    def flush(self) -> None:
        """Write what waits. What ends comes first, as one link of a type alone may be open."""
        stored, present = self._stored, self._present
        kept = {id_ for id_, row in stored.items() if present.get(id_, ())[1:4] == row[1:4]}
        changed = [present[id_] for id_ in stored if id_ in kept and present[id_] != stored[id_]]
        changed.sort(key=lambda row: row[_ENDS] is None)
        gone = [(id_,) for id_ in stored if id_ not in kept]
        new = [row for id_, row in present.items() if id_ not in kept]
        self._connection.executemany(_DELETE, gone)
        self._connection.executemany(_UPDATE, ((*row[4:], row[0]) for row in changed))
        self._connection.executemany(INSERT_LINK, new)


def _moment(given: Mapping[str, Any], name: str, known: Mapping[str, Any]) -> int | None:
    if name not in given:
        found: int | None = known[name]
        return found
    return None if given[name] is None else to_us(parse_time(given[name], field=name))
