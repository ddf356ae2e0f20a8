"""Entities: the things that memories mention, and which memory mentions which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.checks import check_label, check_number, check_workspace
from engram_lab.core.clock import from_us, to_us
from engram_lab.core.errors import NotFoundError
from engram_lab.core.metadata import check_metadata
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite.conditions import Where, of_state, readable
from engram_lab.core.sqlite.rows import fetch
from engram_lab.core.text import normalise
from engram_lab.core.types import Entity, Mention

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engram_lab.core.sqlite.context import Context
    from engram_lab.core.sqlite.erasing import ErasableMemories

__all__ = ["Entities"]

_COLUMNS: Final = "e.id, e.name, e.kind, e.workspace, e.identity_id, e.metadata, e.created_at"


class Entities:
    """The entities of the store: one for each workspace, kind and normalised name.

    An agent sees those alone that a memory in its reach mentions.
    """

    def __init__(self, context: Context, memories: ErasableMemories) -> None:
        self._context = context
        self._memories = memories

    def mention(
        self,
        memory_id: str,
        name: str,
        *,
        kind: str = "other",
        confidence: float = 1.0,
        source: str = "manual",
        identity_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Entity:
        """Record that a memory mentions an entity, which is made where it is new.

        A second mention replaces the confidence and source of the first; `identity_id` and
        `metadata` are set where they are given.

        Raises:
            NotFoundError: There is no such memory or identity that may be seen.
            AccessDeniedError: The memory may not be written.
            InvalidInputError: A malformed name, kind, source, confidence or metadata.
        """
        context = self._context
        at = context.now()
        key = normalise(check_label(name, field="name"))
        check_label(kind, field="kind", limit=64)
        mention = (
            check_number(confidence, field="confidence"),
            check_label(source, field="source"),
        )
        limit = context.settings.max_metadata_bytes
        given = None if metadata is None else check_metadata(metadata, limit=limit)
        with context.database.write() as connection:
            pk, memory = self._memories.find(connection, memory_id)
            context.check_scope(connection, memory.scope, "write")
            if (
                identity_id is not None
                and not connection.execute(
                    "SELECT EXISTS (SELECT 1 FROM identities WHERE id = ?)", (identity_id,)
                ).get
            ):
                raise NotFoundError(f"there is no identity {identity_id!r}")
            connection.execute(
                "INSERT INTO entities VALUES (?1, ?2, ?3, ?4, ?5, ?6, coalesce(?7, '{}'), ?8) "
                "ON CONFLICT (workspace, kind, normalised) DO UPDATE SET "
                "identity_id = coalesce(?6, identity_id), metadata = coalesce(?7, metadata)",
                (
                    context.ids.new(at),
                    name,
                    key,
                    kind,
                    check_workspace(memory.workspace),
                    identity_id,
                    given,
                    to_us(at),
                ),
            )
            row = fetch(
                connection,
                f"SELECT {_COLUMNS} FROM entities AS e "
                "WHERE workspace = ? AND kind = ? AND normalised = ?",
                (memory.workspace, kind, key),
            )[0]
            connection.execute(
                "INSERT OR REPLACE INTO mentions VALUES (?, ?, ?, ?)", (pk, row[0], *mention)
            )
        return _entity_of(row)

    def of(self, memory_id: str) -> list[tuple[Entity, Mention]]:
        """Return what a memory mentions, the surest first.

        Raises:
            NotFoundError: There is no such memory that may be seen.
        """
        self._memories.get(memory_id)
        with self._context.database.read() as connection:
            rows = fetch(
                connection,
                f"SELECT {_COLUMNS}, n.confidence, n.source FROM mentions AS n "
                "JOIN entities AS e ON e.id = n.entity_id "
                "WHERE n.pk = (SELECT pk FROM memories WHERE id = ?) "
                "ORDER BY n.confidence DESC, e.id",
                (memory_id,),
            )
        return [
            (
                _entity_of(row),
                Mention(memory_id=memory_id, entity_id=row[0], confidence=row[7], source=row[8]),
            )
            for row in rows
        ]

    def memories(self, entity_id: str) -> list[str]:
        """Return the ids of the present memories that mention an entity."""
        where = Where()
        where.add("n.entity_id = ? AND m.forgotten_at IS NULL", entity_id)
        where.add("(m.expires_at IS NULL OR m.expires_at > ?)", to_us(self._context.now()))
        readable(where, self._context.access)
        with self._context.database.read() as connection:
            rows = fetch(
                connection,
                "SELECT m.id FROM mentions AS n JOIN memories AS m ON m.pk = n.pk "
                f"WHERE {where.sql} ORDER BY m.id",
                where.values,
            )
        return [row[0] for row in rows]

    def find(self, name: str, *, kind: str | None = None) -> list[Entity]:
        """Return the entities of a name, whatever the case and spacing, in all workspaces."""
        return self._select(
            "e.normalised = ?1 AND (?2 IS NULL OR e.kind = ?2)", normalise(name), kind
        )

    def all(self) -> list[Entity]:
        """Return all entities, oldest first."""
        return self._select("1")

    def _select(self, sql: str, *values: Any) -> list[Entity]:
        where = Where()
        where.add(sql, *values)
        if self._context.access.principal is not None:
            seen = Where()
            of_state(seen, Selection(archived=True), self._context.access, self._context.now())
            where.add(
                "EXISTS (SELECT 1 FROM mentions AS n JOIN memories AS m ON m.pk = n.pk "
                f"WHERE n.entity_id = e.id AND {seen.sql})",
                *seen.values,
            )
        with self._context.database.read() as connection:
            rows: Sequence[Any] = fetch(
                connection,
                f"SELECT {_COLUMNS} FROM entities AS e WHERE {where.sql} ORDER BY e.id",
                where.values,
            )
        return [_entity_of(row) for row in rows]


def _entity_of(row: tuple[Any, ...]) -> Entity:
    return Entity(
        id=row[0],
        name=row[1],
        kind=row[2],
        workspace=row[3],
        identity_id=row[4],
        metadata=orjson.loads(row[5]),
        created_at=from_us(row[6]),
    )
