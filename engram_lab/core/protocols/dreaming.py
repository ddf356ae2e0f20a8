"""What a dream reads of a store in bulk, and the one way by which it writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.core.dreams import Change, DreamLock, DreamRun, Injection, UndoReport

__all__ = ["Changed", "Details", "Dreams", "Injections", "LinkColumns", "MemoryColumns"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MemoryColumns:
    """Memories as columns, one row each, by rising key: all but their words.

    Those of one workspace that are neither forgotten nor expired, archived ones included. Times are
    seconds since 1970 in UTC, float64 [n], nan where there is none.

    Attributes:
        keys: int64 [n], rising; see `Corpus`.
        ids: [n].
        scopes: [n].
        types: [n].
        content_hashes: Of the public text, [n].
        session_ids: [n], None where there is none.
        sources: [n], None where there is none: those that a dream made have `dream:` and the step.
        importance: float64 [n], 0 to 1.
        access_count: int64 [n].
        version: int64 [n].
        chars: Characters of the public text, int64 [n].
        pinned: bool [n].
        archived: Whether its lifecycle is `archived`, bool [n].
        stale: Whether its lifecycle is `stale`, bool [n].
        private: Whether it has private sections, bool [n].
        turns: Whether it is a turn of a conversation, bool [n].
        created_at, updated_at, accessed_at, event_at: float64 [n].
        valid_from, valid_to, expires_at: float64 [n].
    """

    keys: NDArray[np.int64]
    ids: list[str]
    scopes: list[str]
    types: list[str]
    content_hashes: list[str]
    session_ids: list[str | None]
    sources: list[str | None]
    importance: NDArray[np.float64]
    access_count: NDArray[np.int64]
    version: NDArray[np.int64]
    chars: NDArray[np.int64]
    pinned: NDArray[np.bool_]
    archived: NDArray[np.bool_]
    stale: NDArray[np.bool_]
    private: NDArray[np.bool_]
    turns: NDArray[np.bool_]
    created_at: NDArray[np.float64]
    updated_at: NDArray[np.float64]
    accessed_at: NDArray[np.float64]
    event_at: NDArray[np.float64]
    valid_from: NDArray[np.float64]
    valid_to: NDArray[np.float64]
    expires_at: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LinkColumns:
    """Links as columns, in the order of `ids`. Times as in `MemoryColumns`.

    Attributes:
        ids: [m], rising.
        from_keys, to_keys: int64 [m].
        types: [m].
        sources: [m].
        weights: float64 [m], 0 to 1.
        pinned: bool [m].
        created_at, updated_at: As datetimes, [m], exact: a change names `updated_at` as seen.
        valid_from, valid_to: float64 [m].
    """

    ids: list[str]
    from_keys: NDArray[np.int64]
    to_keys: NDArray[np.int64]
    types: list[str]
    sources: list[str]
    weights: NDArray[np.float64]
    pinned: NDArray[np.bool_]
    created_at: list[datetime]
    updated_at: list[datetime]
    valid_from: NDArray[np.float64]
    valid_to: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)


class Changed(NamedTuple):
    """Which memories changed, and up to which change that was looked at.

    Attributes:
        number: All changes up to this one are taken into account.
        keys: int64 [n], rising: memories of the workspace, or their vectors, that others than
            dreams changed, and that are neither forgotten nor expired.
    """

    number: int
    keys: NDArray[np.int64]


class Details(NamedTuple):
    """What a memory is labelled with."""

    tags: tuple[str, ...]
    metadata: Mapping[str, Any]


class Dreams(Protocol):
    """The dreams of a store: what they read, what they did, and the way back. For the owner alone.

    Guarantees: of one workspace at most one dreams at a time, be it another process. A dream is
    applied whole or not at all, together with its journal. An undo puts memories, their versions
    and links back to the last bit; what counts accesses goes on counting. What a dream does and
    undoes is in the change log, under the author of the run, so that indexes follow.
    """

    def columns(self, workspace: str, keys: NDArray[np.int64] | None = None) -> MemoryColumns:
        """Return the memories of a workspace as columns, all or those of some keys."""
        ...

    def texts(self, keys: NDArray[np.int64]) -> list[str]:
        """Return the public texts of memories in the order of keys; `""` for one that is gone."""
        ...

    def details(self, keys: NDArray[np.int64]) -> list[Details]:
        """Return tags and metadata of memories in the order of keys; none for one that is gone."""
        ...

    def links(
        self,
        workspace: str,
        keys: NDArray[np.int64] | None = None,
        *,
        types: Sequence[str] | None = None,
    ) -> LinkColumns:
        """Return the links that are not closed, with both ends among `columns(workspace)`.

        Args:
            workspace: Of both ends.
            keys: Only links from or to one of these; all unless given.
            types: Only of these types; all unless given.
        """
        ...

    def changed(self, workspace: str, after: int, *, limit: int = 100_000) -> Changed:
        """Return which memories changes after a number concern, by others than dreams.

        Takes at most `limit` changes into account; there are more while `number` is below
        `Corpus.last()`. A change of a dream is one that `apply` made, whoever its author is; one
        that an undo made counts as anybody's.
        """
        ...

    def take_lock(self, workspace: str, *, owner: str, ttl_s: float) -> DreamLock:
        """Take the lock of a workspace, or lengthen one's own; one that has expired is nobody's.

        Raises:
            DreamLockedError: Somebody else has it.
        """
        ...

    def release_lock(self, workspace: str, *, owner: str) -> None:
        """Let go of a lock, if it is still one's own."""
        ...

    def locks(self) -> list[DreamLock]:
        """Return the locks that have not expired, by workspace."""
        ...

    def apply(
        self,
        run: DreamRun,
        changes: Sequence[Change],
        *,
        owner: str,
        progress: Callable[[int], None] | None = None,
    ) -> DreamRun:
        """Carry out changes in order, in one transaction with the journal and the record of it.

        A change whose memory or link is not as it was `seen`, or not there, is skipped and counted.

        Args:
            run: What is recorded, as planned; its counts are filled in here.
            changes: All of the run's workspace.
            owner: Who must hold the lock.
            progress: Told how many changes are done, from time to time.

        Returns:
            The run as recorded: `applied`, with what became of each step.

        Raises:
            DreamLockedError: The lock is no longer the owner's; nothing was written.
            InvalidInputError: A change breaks a law of memory, or leaves the workspace.
        """
        ...

    def undo(
        self, run_id: str, *, keep_later: bool = False, author: str | None = None
    ) -> UndoReport:
        """Put everything back as it was before a dream, to the last bit, in one transaction.

        Args:
            run_id: Which dream.
            keep_later: Leave what a later write touched as it is, and undo the rest.
            author: Who is recorded.

        Raises:
            NotFoundError: There is no such run.
            ConflictError: It was undone before.
            UndoConflictError: A later write touched something, and `keep_later` is not set.
        """
        ...

    def get(self, run_id: str) -> DreamRun:
        """Return a run.

        Raises:
            NotFoundError: There is none.
        """
        ...

    def all(self, *, workspace: str | None = None, limit: int = 100) -> list[DreamRun]:
        """Return the runs, latest first."""
        ...

    def changes_of(self, run_id: str) -> list[Change]:
        """Return what a run carried out, in order. What was purged since is left out.

        Raises:
            NotFoundError: There is no such run.
        """
        ...


class Injections(Protocol):
    """Texts that wait to be put before an agent: a queue of each workspace, first in, first out."""

    def put(
        self,
        content: str,
        *,
        workspace: str = "default",
        source: str | None = None,
        ttl_s: float | None = None,
    ) -> Injection:
        """Add a text at the end of the queue.

        Raises:
            InvalidInputError: No text, a malformed workspace, or a life of 0 seconds or less.
        """
        ...

    def take(self, *, workspace: str = "default", limit: int = 100) -> list[Injection]:
        """Return the oldest that have not expired and remove them, in one transaction.

        Two that take at once get different ones. Those that have expired are removed too.
        """
        ...

    def waiting(self, *, workspace: str = "default") -> list[Injection]:
        """Return what waits, oldest first, and leave it there."""
        ...
