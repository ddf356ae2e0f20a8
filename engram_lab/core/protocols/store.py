"""A store of memories, put together from its rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from engram_lab.core.protocols.corpus import Corpus
    from engram_lab.core.protocols.dreaming import Dreams, Injections
    from engram_lab.core.protocols.graph import Entities, Identities, Links
    from engram_lab.core.protocols.memories import Memories
    from engram_lab.core.protocols.reach import Grants, Workspaces
    from engram_lab.core.protocols.records import Events, Sessions, Vectors
    from engram_lab.core.protocols.waiting import EmbeddingQueue
    from engram_lab.core.protocols.whole import Backups, ChangeLog, Doctor, Loader, Tables

__all__ = ["HasBackups", "Store"]


class Store(Protocol):
    """Memories and all that belongs to them, as whoever asks may reach them.

    Guarantees: it may be shared between threads, whose transactions follow one another. A new store
    holds no memory, and its owner asks.

    Not guaranteed: that it survives a fork; a child process opens its own.
    """

    @property
    def memories(self) -> Memories:
        """What is remembered."""
        ...

    @property
    def links(self) -> Links:
        """What joins memories."""
        ...

    @property
    def events(self) -> Events:
        """What was recalled."""
        ...

    @property
    def vectors(self) -> Vectors:
        """What embedders made of memories."""
        ...

    @property
    def entities(self) -> Entities:
        """What memories mention."""
        ...

    @property
    def identities(self) -> Identities:
        """Who is meant by which name."""
        ...

    @property
    def sessions(self) -> Sessions:
        """The conversations that memories come from."""
        ...

    @property
    def workspaces(self) -> Workspaces:
        """The named parts of the store."""
        ...

    @property
    def grants(self) -> Grants:
        """What agents may reach beyond their own."""
        ...

    @property
    def corpus(self) -> Corpus:
        """The memories as derived indexes see them."""
        ...

    @property
    def embedding_queue(self) -> EmbeddingQueue:
        """What waits to be embedded."""
        ...

    @property
    def dreams(self) -> Dreams:
        """What dreams read, did, and can put back."""
        ...

    @property
    def injections(self) -> Injections:
        """What waits to be put before an agent."""
        ...

    @property
    def changes(self) -> ChangeLog:
        """What changed, in order."""
        ...

    @property
    def tables(self) -> Tables:
        """All of it, as Arrow."""
        ...

    @property
    def loader(self) -> Loader:
        """The way back in for exported tables."""
        ...

    @property
    def doctor(self) -> Doctor:
        """Check-ups and repairs."""
        ...

    def as_agent(self, agent_id: str, scope: str) -> Store:
        """Return this store as an agent may reach it: its own scope, those above, and its grants.

        What either writes the other sees at once, and closing either closes both.

        Raises:
            InvalidInputError: A malformed agent or scope.
            AccessDeniedError: This already is the view of an agent.
        """
        ...

    def transaction(self, *, durable: bool = True) -> AbstractContextManager[None]:
        """Make all writes of the block one: kept together, or, if it raises, undone together.

        Reads within the block, on the same thread, see what it wrote; nobody else does before it
        ends. Blocks may nest: an inner one that raises undoes its own writes alone.

        Args:
            durable: Wait until the disk has it, as the store is set to. Otherwise it may be lost
                with the power of the machine until something else is written: whole, never half.

        Raises:
            StoreBusyError: Another writer holds the store for too long.
        """
        ...

    def new_id(self) -> str:
        """Return a new id, a UUIDv7 of the present moment, which sorts after those before it."""
        ...

    def revision(self) -> tuple[int, int]:
        """Return a value that differs after any commit, by this process or another.

        Not guaranteed: an order, or that it differs only then.
        """
        ...

    def close(self) -> None:
        """Close the store and its views; a second call does nothing.

        After it every read and write raises `StoreClosedError`.
        """
        ...


@runtime_checkable
class HasBackups(Protocol):
    """A store that lives in a file and so can be copied: ask with `isinstance`."""

    @property
    def backups(self) -> Backups:
        """Copies of the store."""
        ...
