"""The vector indexes by name, and which of them suits how many vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.registry import Registry
from engram_lab.retrieval.dense.protocol import VectorIndex, VectorIndexOptions

if TYPE_CHECKING:
    from engram_lab.retrieval.dense.faiss_indexes import FlatIndex, HnswIndex, IvfIndex

__all__ = ["AUTO", "EXACT", "VECTOR_INDEXES", "VectorIndexFactory", "check_kind", "kind_for"]

AUTO: Final = "auto"
"""The kind that stands for the one that suits the number of vectors."""

EXACT: Final = "exact"
"""The kind that needs no index: NumPy goes over all vectors."""

_MOST_EXACT: Final = 20_000
"""Going over so many vectors of 384 dimensions takes a millisecond; a graph of them, seconds."""

_MOST_HNSW: Final = 300_000
"""A graph of so many takes a minute or two to build on one thread; cells take seconds."""

_SHRUNK: Final = 0.5
"""A kind is left only below this share of where it was taken, or a few deletions would rebuild."""

VectorIndexFactory = Callable[[VectorIndexOptions], VectorIndex]

VECTOR_INDEXES: Registry[VectorIndexFactory] = Registry(
    "vector index", group="engram_lab.vector_indexes"
)
"""What `index.kind` may name beside `auto` and `exact`."""


@VECTOR_INDEXES.register("flat")
def _flat(options: VectorIndexOptions) -> FlatIndex:
    from engram_lab.retrieval.dense.faiss_indexes import FlatIndex

    return FlatIndex(options)


@VECTOR_INDEXES.register("hnsw")
def _hnsw(options: VectorIndexOptions) -> HnswIndex:
    from engram_lab.retrieval.dense.faiss_indexes import HnswIndex

    return HnswIndex(options)


@VECTOR_INDEXES.register("ivf")
def _ivf(options: VectorIndexOptions) -> IvfIndex:
    from engram_lab.retrieval.dense.faiss_indexes import IvfIndex

    return IvfIndex(options)


def check_kind(kind: str) -> str:
    """Return the kind.

    Raises:
        InvalidInputError: There is none of that name.
    """
    known = (AUTO, EXACT, *VECTOR_INDEXES.names())
    if kind not in known:
        raise InvalidInputError(
            f"the kind of index is {shown(kind)}: allowed are {', '.join(known)}"
        )
    return kind


def kind_for(wanted: str, size: int, *, present: str = EXACT) -> str:
    """Return which kind to hold so many vectors in.

    Args:
        wanted: A kind, or `auto`.
        size: How many vectors there are.
        present: The kind that holds them now, which is kept where they are hardly too few for it.
    """
    if wanted != AUTO:
        return wanted
    steps = ((EXACT, 0), ("hnsw", _MOST_EXACT), ("ivf", _MOST_HNSW))
    reached = [kind for kind, above in steps if size > above * (_SHRUNK if kind == present else 1)]
    return reached[-1] if reached else EXACT
