"""What a vector index is: rows by place in, the places of the rows nearest to a query out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["VectorIndex", "VectorIndexOptions"]


@dataclass(frozen=True, kw_only=True, slots=True)
class VectorIndexOptions:
    """What a factory is given; each takes what concerns it.

    Attributes:
        dim: How many numbers a vector has.
        hnsw_links: HNSW: links of a node on its upper layers, twice as many on the lowest.
        ef_construction: HNSW: candidates looked at while a node is linked.
        ef_search: HNSW: least candidates looked at in a search.
        ivf_probes: IVF: least cells looked into.
        seed: Where an index draws by chance.
    """

    dim: int
    hnsw_links: int = 32
    ef_construction: int = 64
    ef_search: int = 128
    ivf_probes: int = 32
    seed: int = 0


class VectorIndex(Protocol):
    """Rows of vectors by slot: the first is 0, and rows added later count on.

    An index proposes; whoever asked computes the scores of what it proposes from the vectors
    themselves, so an index may hold them as coarsely as it likes.

    Guarantees: the same rows in the same calls, with the same options, give the same answers, on
    one thread or many. Several threads may search at once; `build`, `add`, `blot` and `restore` are
    for one at a time, while nobody searches.

    Not guaranteed: that the very nearest are found, unless `exact`; that `k` are.
    """

    @property
    def exact(self) -> bool:
        """Whether all that is nearest is found, but for what float32 rounds."""
        ...

    @property
    def parameters(self) -> Mapping[str, int]:
        """What shapes the index when it is built: another value needs another build."""
        ...

    @property
    def size(self) -> int:
        """How many rows it holds."""
        ...

    def outgrown(self, built: int) -> bool:
        """Tell whether so much was added since `built` rows that it is worth building anew."""
        ...

    def build(self, vectors: NDArray[np.float32]) -> None:
        """Take float32 [n, dim], finite, in place of all that it held."""
        ...

    def add(self, vectors: NDArray[np.float32]) -> None:
        """Take more rows, float32 [m, dim], into the next slots."""
        ...

    def blot(self, slots: NDArray[np.int64]) -> None:
        """Make what these slots hold unreadable; they are never allowed again.

        The slots remain, so that all others keep their numbers, and are found as well as before.
        What is put in the place of a row may be that of another which is not among `slots`.
        What was learned of many rows at once (ranges, centres of cells, which rows are near each
        other) may stay until it is built anew.

        Args:
            slots: int64 [m], each once: all that are never allowed again, those of earlier calls
                among them, as what was put in their places may be what goes now.
        """
        ...

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        allowed: NDArray[np.bool_] | None = None,
        effort: int = 1,
    ) -> NDArray[np.int64]:
        """Return the slots of up to `k` rows with the largest inner product, in no order.

        Args:
            query: float32 [dim], finite.
            k: How many, from 1.
            allowed: bool [size], which slots may be returned; all unless given.
            effort: Look at so many times as many rows as the options say at least.

        Returns:
            int64 [m], each slot once.
        """
        ...

    def dump(self) -> NDArray[np.uint8]:
        """Return all of it as bytes."""
        ...

    def restore(self, data: NDArray[np.uint8]) -> None:
        """Take what `dump` returned in place of all that it held; may go on reading from `data`."""
        ...
