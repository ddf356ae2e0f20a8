"""Memories that a dream makes, changes and forgets: in bulk, by the laws of every other write."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import apsw
import numpy as np
import orjson

from engram_lab.core.clock import from_us, to_us
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.sqlite.indexing import (
    Part,
    PathRow,
    index_parts,
    index_rows,
    path_rows,
    unindex,
)
from engram_lab.core.sqlite.rows import (
    INSERT_MEMORY,
    STATE_COLUMNS,
    fetch,
    memory_of,
    to_row,
)
from engram_lab.core.sqlite.workspaces import inherited_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from engram_lab.core.dreams import Change
    from engram_lab.core.sqlite.context import Context
    from engram_lab.core.types import Memory

__all__ = ["DREAMT", "INSERT_VERSION", "RESTORED", "SET_STATE", "DreamtMemories", "End"]

DREAMT: Final = "dream:"
"""How the source of what a dream made begins; the name of its step follows."""

RESTORED: Final = (
    "tags", "metadata", "importance", "valid_from", "valid_to", "updated_at", "lifecycle",
    "version", "forgotten_at", "seq",
)  # fmt: skip
"""The columns of a memory that a dream may write."""

_PLACES: Final = {name: place for place, name in enumerate(STATE_COLUMNS)}
_WRITTEN: Final = tuple(_PLACES[name] for name in RESTORED)
_SELECT: Final = (
    f"SELECT {', '.join(f'm.{name}' for name in STATE_COLUMNS)}, m.pk "
    "FROM carray(?) AS c CROSS JOIN memories AS m ON m.id = c.value"
)
_ENDS: Final = (
    "SELECT m.id, m.pk, m.workspace, m.scope, "
    "m.forgotten_at IS NOT NULL OR coalesce(m.expires_at <= ?, 0) "
    "FROM carray(?) AS c CROSS JOIN memories AS m ON m.{key} = c.value"
)
SET_STATE: Final = f"UPDATE memories SET {', '.join(f'{n} = ?' for n in RESTORED)} WHERE pk = ?"
INSERT_VERSION: Final = (
    f"INSERT INTO versions (pk, {', '.join(STATE_COLUMNS)}, superseded_at) "
    f"VALUES ({', '.join('?' * (2 + len(STATE_COLUMNS)))})"
)


@dataclass(slots=True)
class End:
    """A memory as the end of a link."""

    id: str
    pk: int
    workspace: str
    scope: str
    gone: int | bool


@dataclass(slots=True)
class _Held:
    """A memory under change: what is stored of it, and what will be."""

    pk: int
    stored: tuple[Any, ...]
    memory: Memory
    row: list[Any]
    parts: set[Part] = field(default_factory=set)


@dataclass(slots=True)
class _Seen:
    """The version before this dream, and how many changes of it were planned since."""

    version: int
    planned: int = 0


@dataclass(slots=True)
class _Written:
    """What waits to be written."""

    new: list[tuple[Any, ...]] = field(default_factory=list)
    paths: list[PathRow] = field(default_factory=list)
    versions: list[tuple[Any, ...]] = field(default_factory=list)
    changed: dict[str, _Held] = field(default_factory=dict)


class DreamtMemories:
    """The memories of one dream under way, a batch of changes at a time.

    A plan counts its own changes of a memory: the second is planned for one version later than the
    first, whether or not the first differed in anything.
    """

    def __init__(
        self, context: Context, connection: apsw.Connection, workspace: str, *, at: datetime
    ) -> None:
        self._context = context
        self._connection = connection
        self._workspace = workspace
        self._at = at
        self._seen: dict[str, _Seen] = {}
        self._ends: dict[str, End] = {}
        self._by_pk: dict[int, End] = {}
        self._held: dict[str, _Held] = {}
        self._written = _Written()
        self._scope: str | None = None

    def load(self, changed: tuple[str, ...], ends: tuple[str, ...], keys: Iterable[int]) -> None:
        """Read what the next changes concern: memories to be changed, and ends of links."""
        now = to_us(self._at)
        self._held, self._ends, self._by_pk, self._written = {}, {}, {}, _Written()
        for row in fetch(self._connection, _SELECT, (apsw.carray(changed),)) if changed else ():
            self._held[row[0]] = _Held(row[-1], row[:-1], memory_of(row), list(row[:-1]))
        for key, values in (("id", (*changed, *ends)), ("pk", tuple(keys))):
            distinct = tuple(dict.fromkeys(values))
            if distinct:
                sql = _ENDS.format(key=key)
                bound = np.array(distinct, np.int64) if key == "pk" else distinct
                for row in fetch(self._connection, sql, (now, apsw.carray(bound))):
                    self._meet(End(*row))

    def _meet(self, end: End) -> None:
        self._ends[end.id] = self._by_pk[end.pk] = end

    def end(self, id_or_key: str | int) -> End | None:
        """Return a memory that was loaded or made, by id or by key."""
        if isinstance(id_or_key, str):
            return self._ends.get(id_or_key)
        return self._by_pk.get(id_or_key)

    def remember(self, change: Change, number: int) -> int | None:
        """Make a memory and return its key; None where its id is taken.

        Raises:
            InvalidInputError: The draft breaks a law, or names another workspace.
        """
        if change.id in self._ends:
            return None
        given = {"source": f"{DREAMT}{change.step}", **change.fields}
        if given.get("workspace") != self._workspace:
            raise InvalidInputError(
                f"a dream of workspace {self._workspace!r} would remember in "
                f"{given.get('workspace')!r}: it may write in its own alone"
            )
        if self._scope is None:
            self._scope = self._own_scope()
        fields = self._context.drafter.draft(
            {**given, "id": change.id}, id=change.id, scope=self._scope, at=self._at
        )
        prepared = self._context.drafter.prepare(fields)
        self._written.new.append(to_row(number, prepared, number))
        self._written.paths += path_rows(number, prepared.leaves)
        end = End(change.id, number, self._workspace, fields["scope"], gone=False)
        self._meet(end)
        return number

    def _own_scope(self) -> str:
        found = "SELECT 1 FROM workspaces WHERE name = ?"
        if not self._connection.execute(found, (self._workspace,)).get:
            raise InvalidInputError(
                f"there is no workspace {self._workspace!r}: a dream makes none"
            )
        return inherited_scope(self._context, self._connection, self._workspace)

    def find(self, change: Change) -> _Held | None:
        """Return the memory of a change, None where it is gone or not as it was seen.

        Raises:
            InvalidInputError: It is of another workspace.
        """
        held, end = self._held.get(change.id), self._ends.get(change.id)
        if held is None or end is None:
            return None
        seen = self._seen.setdefault(change.id, _Seen(held.memory.version))
        expected = seen.version + seen.planned
        seen.planned += 1
        if end.gone or (change.seen is not None and change.seen != expected):
            return None
        if end.workspace != self._workspace:
            raise InvalidInputError(
                f"memory {change.id} is of workspace {end.workspace!r}: a dream of "
                f"{self._workspace!r} may write in its own alone"
            )
        return held

    def update(self, held: _Held, fields: Mapping[str, Any], number: int) -> bool:
        """Change fields of a memory; False where nothing differs.

        Raises:
            InvalidInputError: A field breaks a law.
        """
        drafter = self._context.drafter
        revised = drafter.revise(held.memory, fields, at=self._at)
        row = held.row.copy()
        for name in fields:
            value = getattr(revised, name)
            if name == "tags":
                value = orjson.dumps(value).decode() if value else "[]"
            elif name == "metadata":
                prepared = drafter.prepare({"content": "", "metadata": dict(value)})
                value = prepared.metadata_json
            elif name.startswith("valid_"):
                value = None if value is None else to_us(value)
            row[_PLACES[name]] = value
        if row == held.row:
            return False
        if row[_PLACES["tags"]] != held.row[_PLACES["tags"]]:
            held.parts |= {"text", "tags"}
        if row[_PLACES["metadata"]] != held.row[_PLACES["metadata"]]:
            held.parts.add("metadata")
        self._write(held, revised, row, number)
        return True

    def forget(self, held: _Held, number: int) -> None:
        """Hide a memory."""
        gone = max(self._at, held.memory.updated_at)
        row = held.row.copy()
        row[_PLACES["forgotten_at"]] = to_us(gone)
        held.parts.add("text")
        self._ends[held.memory.id].gone = True
        self._write(held, replace(held.memory, forgotten_at=gone), row, number)

    def _write(self, held: _Held, memory: Memory, row: list[Any], number: int) -> None:
        # A clock that was set back must not make a version older than the one before it.
        at = max(to_us(self._at), held.row[_PLACES["updated_at"]])
        row[_PLACES["updated_at"]] = at
        row[_PLACES["version"]] += 1
        row[_PLACES["seq"]] = number
        self._written.versions.append((held.pk, *held.row, at))
        held.row = row
        held.memory = replace(memory, version=memory.version + 1, updated_at=from_us(at))
        self._written.changed[memory.id] = held

    def flush(self) -> None:
        """Write what waits."""
        connection, written = self._connection, self._written
        if written.new:
            connection.executemany(INSERT_MEMORY, written.new)
            index_rows(connection, written.new[0][0], written.new[-1][0], written.paths)
        reindexed = [held for held in written.changed.values() if held.parts]
        for held in reindexed:
            unindex(connection, held.pk, memory_of(held.stored).metadata, held.parts)
        connection.executemany(INSERT_VERSION, written.versions)
        connection.executemany(
            SET_STATE,
            (
                (*(held.row[place] for place in _WRITTEN), held.pk)
                for held in written.changed.values()
            ),
        )
        for held in reindexed:
            index_parts(connection, held.pk, held.memory.metadata, held.parts)
