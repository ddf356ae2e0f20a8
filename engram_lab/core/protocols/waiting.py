"""What waits to be embedded: a queue that no slow or failing provider can hold up."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["EmbeddingCache", "EmbeddingQueue", "QueueCounts", "Waiting"]


class Waiting(NamedTuple):
    """A memory that somebody claimed to embed.

    Attributes:
        memory_id: Which.
        content: What is to be embedded, without private sections.
        attempts: How many claims before this one were not given back, of the same content.
        ticket: By which the claim is known.
    """

    memory_id: str
    content: str
    attempts: int
    ticket: str


class QueueCounts(NamedTuple):
    """How many memories are in which state, for one embedder."""

    pending: int
    processing: int
    complete: int
    failed: int


class EmbeddingQueue(Protocol):
    """The memories that lack a vector, for each embedder by its fingerprint; for the owner alone.

    A memory is *pending* from the moment it is remembered or its content changes, without anything
    being written for it: the queue follows the change log. Claimed, it is *processing* until its
    vector is stored (*complete*), it fails, or the lease of the claim ends; after as many failures
    as are allowed it is *failed*, and left alone until `retry_failed`.

    Guarantees: two that claim at once, threads or processes, get different memories. A vector is
    stored only while the content is still what was claimed.
    """

    def claim(self, embedder: str, *, limit: int, lease_s: float = 600.0) -> list[Waiting]:
        """Take up to `limit` pending memories whose time has come, longest waiting first.

        Expired and forgotten memories are left out. Content is without private sections.

        Raises:
            StoreReadOnlyError, AccessDeniedError: Only the owner may, in a store that is written.
        """
        ...

    def complete(
        self, embedder: str, claimed: Sequence[Waiting], values: NDArray[np.float32]
    ) -> int:
        """Store the vectors of claimed memories, float32 [n, dim], in one transaction.

        Those that changed, were forgotten or purged since, or whose claim ran out and was taken by
        another, are passed over; they stay pending where they still lack a vector.

        Returns:
            How many were stored.

        Raises:
            InvalidInputError: See `Vectors.put`.
        """
        ...

    def fail(
        self,
        embedder: str,
        claimed: Sequence[Waiting],
        error: str,
        *,
        retry_at: datetime | None,
    ) -> None:
        """Record that claimed memories could not be embedded: tried again at a moment, or never."""
        ...

    def release(self, embedder: str, claimed: Sequence[Waiting]) -> None:
        """Give claimed memories back untried."""
        ...

    def retry_failed(self, embedder: str) -> int:
        """Make all failed memories pending again and return how many they were."""
        ...

    def counts(self, embedder: str) -> QueueCounts:
        """Return how many memories are in which state."""
        ...

    def last_error(self, embedder: str) -> str | None:
        """Return what the newest failure that still stands said, None where there is none.

        A purge blanks what was said of a memory, and of those that failed together with it.
        """
        ...


class EmbeddingCache(Protocol):
    """Vectors that outlive the process, by embedder and by the SHA-256 of the exact text."""

    def get(self, fingerprint: str, hashes: Sequence[bytes]) -> list[NDArray[np.float32] | None]:
        """Return the vectors in order, None where one is not known."""
        ...

    def put(self, fingerprint: str, hashes: Sequence[bytes], values: NDArray[np.float32]) -> None:
        """Keep vectors, float32 [n, dim], in one transaction."""
        ...

    def remove(self, hashes: Sequence[bytes]) -> None:
        """Forget the vectors of these texts, of every embedder."""
        ...

    def close(self) -> None:
        """Close it; a second call does nothing."""
        ...
