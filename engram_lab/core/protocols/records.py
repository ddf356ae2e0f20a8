"""What is recorded beside memories: their vectors, the sessions they come from, the recalls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.core.types import RecallEvent, Session, Turn, Vector

__all__ = ["Events", "Sessions", "Vectors"]


class Vectors(Protocol):
    """The vectors of a store: of each memory at most one by each embedder, kept to the last bit.

    Guarantees: a memory whose content changes loses its vectors, so that none is of another text.
    """

    def put(self, embedder: str, ids: Sequence[str], values: NDArray[np.float32]) -> None:
        """Store one vector for each id, in place of any former one, in one transaction.

        Args:
            embedder: Its fingerprint: another model has another one.
            ids: The memories, n of them.
            values: float32 [n, dim], finite.

        Raises:
            InvalidInputError: Another shape, a value that is not finite, or another dimension than
                this embedder's.
            NotFoundError: A memory is not to be seen.
            AccessDeniedError: A memory may not be written.
        """
        ...

    def get(self, embedder: str, ids: Sequence[str]) -> list[Vector | None]:
        """Return the vectors in the order of `ids`; None where there is none to be seen."""
        ...

    def missing(self, embedder: str, *, limit: int = 1000) -> list[str]:
        """Return ids of memories without a vector of this embedder, longest stored first.

        Forgotten ones are left out.
        """
        ...

    def embedders(self) -> dict[str, int]:
        """Return the dimension of each embedder that vectors were ever stored of."""
        ...


class Sessions(Protocol):
    """The sessions of a store and their turns. The words of a turn are a memory like any other.

    A session is seen where its scope may be read.
    """

    def start(
        self,
        session_id: str | None = None,
        *,
        workspace: str = "default",
        scope: str | None = None,
        title: str | None = None,
        started_at: datetime | str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Session:
        """Begin a session, now unless told; its id may be one of your own.

        Without a scope it gets the one that a memory of its workspace would.

        Raises:
            ConflictError: There already is a session of this id.
            InvalidInputError: A malformed id, workspace, scope, title, time or metadata.
            AccessDeniedError: The scope may not be written.
        """
        ...

    def add_turns(self, session_id: str, turns: Iterable[Mapping[str, Any]]) -> list[Turn]:
        """Add turns at the end of a session, in one transaction, and return them.

        Each turn has a `speaker` and a `content`, perhaps `spoken_at`, and any further field of a
        memory. It becomes a memory (of type `transcript_chunk` unless told) in the workspace and
        scope of the session; the same words said twice are two memories.

        Raises:
            NotFoundError: There is no such session that may be seen.
            InvalidInputError: A turn without a speaker, or see `Memories.remember`; `row` says
                which.
            AccessDeniedError: The scope may not be written.
        """
        ...

    def end(self, session_id: str, *, at: datetime | None = None) -> Session:
        """End a session, now unless told.

        Not guaranteed: that an ended session takes no more turns.

        Raises:
            NotFoundError: There is no such session that may be seen.
            InvalidInputError: It would end before it began.
            AccessDeniedError: Its scope may not be written.
        """
        ...

    def get(self, session_id: str) -> Session:
        """Return a session.

        Raises:
            NotFoundError: There is none that may be seen.
        """
        ...

    def all(self, *, workspace: str | None = None) -> list[Session]:
        """Return the sessions, of one workspace where named, in the order in which they began."""
        ...

    def turns(self, session_id: str) -> list[Turn]:
        """Return the turns of a session in order; those of forgotten memories are left out.

        Raises:
            NotFoundError: There is no such session that may be seen.
        """
        ...


class Events(Protocol):
    """The recall events of a store. An agent sees its own alone, and records under its own name."""

    def record(self, events: Sequence[RecallEvent]) -> None:
        """Store events in one transaction and count each hit as an access of its memory.

        Hits on memories that are gone meanwhile, or out of reach, are left out. An access changes
        the memory's `access_count` and `last_accessed_at`; it is no version and not in the log.

        Raises:
            InvalidInputError: A malformed id, query or label.
            ConflictError: An event is already stored.
        """
        ...

    def since(self, event_id: str = "", *, limit: int = 1000) -> list[RecallEvent]:
        """Return the events with ids after `event_id`, in the order of ids, at most `limit`.

        Hits on memories that may not be read, or were purged, are left out.
        """
        ...
