"""What memories are joined by: links, the entities they mention, and who is meant."""

# ruff: noqa: A002 - `type` is the word users know

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from engram_lab.core.types import Direction, Entity, Identity, Link, Mention

__all__ = ["Entities", "Identities", "Links"]


class Links(Protocol):
    """The links of a store.

    Guarantees: from one memory to another at most one link of each type is open (has no `valid_to`)
    at a time; one that was closed stays as history. A link is seen where both its memories are, and
    neither is forgotten. A purge of either removes it.
    """

    def put(
        self,
        from_id: str,
        to_id: str,
        *,
        type: str = "related_to",
        weight: float = 1.0,
        confidence: float = 1.0,
        source: str = "manual",
        context: str | None = None,
        valid_from: datetime | str | None = None,
        valid_to: datetime | str | None = None,
        pinned: bool = False,
    ) -> Link:
        """Link two memories.

        An open link of the same type is changed, keeping its id, not doubled. One with `valid_to`
        is history from the start, and stands beside the open one.

        Raises:
            InvalidInputError: A memory linked to itself, a weight or confidence outside 0 to 1,
                or a validity that ends before it begins.
            NotFoundError: One of the memories is not to be seen.
            AccessDeniedError: The memory it starts from may not be written.
        """
        ...

    def close(self, link_id: str, *, at: datetime | None = None) -> Link:
        """End a link's validity, now or at a moment, and return it.

        Raises:
            NotFoundError: There is none that may be seen.
            InvalidInputError: It would end before it begins.
            AccessDeniedError: The memory it starts from may not be written.
        """
        ...

    def of(
        self,
        memory_id: str,
        *,
        direction: Direction = "both",
        types: Sequence[str] | None = None,
        valid_at: datetime | None = None,
        closed: bool = False,
    ) -> list[Link]:
        """Return the links of a memory, the heaviest first, ties by id.

        Those alone that hold at `valid_at` (now unless given), unless `closed` asks for all. A link
        holds from `valid_from` on, up to and without `valid_to`.

        Raises:
            InvalidInputError: An unknown direction.
            NotFoundError: There is no such memory that may be seen.
        """
        ...

    def around(
        self,
        ids: Sequence[str],
        *,
        direction: Direction = "both",
        types: Sequence[str] | None = None,
        valid_at: datetime | None = None,
        closed: bool = False,
    ) -> list[Link]:
        """Return the links of any of some memories, each once, all of one state; see `of`.

        Memories that may not be seen have none.

        Raises:
            InvalidInputError: An unknown direction.
        """
        ...


class Entities(Protocol):
    """The entities of a store: one for each workspace, kind and normalised name.

    An agent sees those alone that a memory in its reach mentions.
    """

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
        """Record that a memory mentions an entity of its workspace, made where it is new.

        A second mention replaces the confidence and source of the first; `identity_id` and
        `metadata` are set where they are given. The name keeps its first spelling.

        Raises:
            NotFoundError: There is no such memory or identity that may be seen.
            AccessDeniedError: The memory may not be written.
            InvalidInputError: A malformed name, kind, source, confidence or metadata.
        """
        ...

    def of(self, memory_id: str) -> list[tuple[Entity, Mention]]:
        """Return what a memory mentions, the surest first, ties by the entity's id.

        Raises:
            NotFoundError: There is no such memory that may be seen.
        """
        ...

    def memories(self, entity_id: str) -> list[str]:
        """Return the ids of the memories that mention an entity, in order; none if it is unknown.

        Forgotten ones are left out.
        """
        ...

    def find(self, name: str, *, kind: str | None = None) -> list[Entity]:
        """Return the entities of a name, whatever the case and spacing, in all workspaces."""
        ...

    def all(self) -> list[Entity]:
        """Return all entities, oldest first."""
        ...


class Identities(Protocol):
    """The identities of a store. An alias, normalised, belongs to one of them at most.

    All may read them; to write, an agent needs admin access to `global`.
    """

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
            AccessDeniedError: An agent without admin access to `global`.
        """
        ...

    def add_alias(self, identity_id: str, alias: str) -> Identity:
        """Give an identity one more name; one it already has changes nothing.

        Raises:
            ConflictError: The alias belongs to another identity.
            NotFoundError: There is no such identity.
            InvalidInputError, AccessDeniedError: See `add`.
        """
        ...

    def remove_alias(self, alias: str) -> None:
        """Take a name away from the identity that has it.

        Raises:
            NotFoundError: Nobody has it.
            AccessDeniedError: See `add`.
        """
        ...

    def resolve(self, alias: str) -> Identity | None:
        """Return who is called so, whatever the case and spacing; None for nobody."""
        ...

    def get(self, identity_id: str) -> Identity:
        """Return an identity, its aliases in the order of their normalised forms.

        Raises:
            NotFoundError: There is none with this id.
        """
        ...

    def all(self) -> list[Identity]:
        """Return all identities, oldest first."""
        ...
