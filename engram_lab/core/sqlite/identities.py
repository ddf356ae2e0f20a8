"""Identities: who is meant, under every name that texts use. An alias belongs to one identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from engram_lab.core.checks import check_label
from engram_lab.core.clock import from_us, to_us
from engram_lab.core.errors import ConflictError, InvalidInputError, NotFoundError, shown
from engram_lab.core.metadata import check_metadata
from engram_lab.core.sqlite.rows import fetch
from engram_lab.core.text import normalise
from engram_lab.core.types import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import apsw

    from engram_lab.core.sqlite.context import Context

__all__ = ["Identities"]


class Identities:
    """The identities of the store. All may read; to write, an agent needs admin on `global`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def add(
        self,
        name: str,
        *,
        kind: str = "person",
        aliases: Sequence[str] = (),
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Identity:
        """Make an identity; its name is its first alias.

        Raises:
            ConflictError: The name or an alias belongs to another identity.
            InvalidInputError: An empty or malformed name, alias, kind or metadata.
        """
        if isinstance(aliases, str):
            raise InvalidInputError(f"aliases is {shown(aliases)}: give a list of texts")
        context = self._context
        at = context.now()
        id_ = context.ids.new(at)
        row = (
            id_,
            check_label(name, field="name"),
            check_label(kind, field="kind", limit=64),
            None
            if description is None
            else check_label(description, field="description", limit=4096),
            check_metadata(metadata or {}, limit=context.settings.max_metadata_bytes),
            to_us(at),
        )
        with context.database.write() as connection:
            context.check_scope(connection, "global", "admin")
            connection.execute("INSERT INTO identities VALUES (?, ?, ?, ?, ?, ?)", row)
            for alias in (name, *aliases):
                self._add_alias(connection, id_, alias)
        return self.get(id_)

    def add_alias(self, identity_id: str, alias: str) -> Identity:
        """Give an identity one more name; one it already has changes nothing.

        Raises:
            ConflictError: The alias belongs to another identity.
            NotFoundError: There is no such identity.
        """
        with self._context.database.write() as connection:
            self._context.check_scope(connection, "global", "admin")
            self.get(identity_id)
            self._add_alias(connection, identity_id, alias)
            return self.get(identity_id)

    def _add_alias(self, connection: apsw.Connection, identity_id: str, alias: str) -> None:
        key = normalise(check_label(alias, field="alias"))
        holder = connection.execute(
            "SELECT identity_id FROM identity_aliases WHERE normalised = ?", (key,)
        ).get
        if holder is None:
            connection.execute(
                "INSERT INTO identity_aliases VALUES (?, ?, ?)", (key, alias, identity_id)
            )
        elif holder != identity_id:
            raise ConflictError(
                f"the alias {alias!r} belongs to identity {holder}: remove it there"
            )

    def remove_alias(self, alias: str) -> None:
        """Take a name away from the identity that has it.

        Raises:
            NotFoundError: Nobody has it.
        """
        with self._context.database.write() as connection:
            self._context.check_scope(connection, "global", "admin")
            connection.execute(
                "DELETE FROM identity_aliases WHERE normalised = ?", (normalise(alias),)
            )
            if not connection.changes():
                raise NotFoundError(f"nobody is called {alias!r}")

    def resolve(self, alias: str) -> Identity | None:
        """Return who is called so, whatever the case and spacing; None for nobody."""
        with self._context.database.read() as connection:
            id_ = connection.execute(
                "SELECT identity_id FROM identity_aliases WHERE normalised = ?",
                (normalise(alias),),
            ).get
        return None if id_ is None else self.get(id_)

    def get(self, identity_id: str) -> Identity:
        """Return an identity.

        Raises:
            NotFoundError: There is none with this id.
        """
        found = self._select("WHERE id = ?", (identity_id,))
        if not found:
            raise NotFoundError(f"there is no identity {identity_id!r}")
        return found[0]

    def all(self) -> list[Identity]:
        """Return all identities, oldest first."""
        return self._select("", ())

    def _select(self, where: str, values: Sequence[Any]) -> list[Identity]:
        with self._context.database.snapshot() as connection:
            rows = fetch(
                connection,
                "SELECT id, name, kind, description, metadata, created_at, "
                "(SELECT json_group_array(alias ORDER BY normalised) FROM identity_aliases "
                f"WHERE identity_id = identities.id) FROM identities {where} ORDER BY id",
                values,
            )
        return [
            Identity(
                id=row[0],
                name=row[1],
                kind=row[2],
                description=row[3],
                metadata=orjson.loads(row[4]),
                created_at=from_us(row[5]),
                aliases=tuple(orjson.loads(row[6])),
            )
            for row in rows
        ]
