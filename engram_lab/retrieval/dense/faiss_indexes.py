"""The indexes of FAISS: flat, a graph (HNSW), and cells (IVF), the latter two with 8-bit codes.

All is computed on one thread: a graph that several threads build comes out differently each time,
and a single query gains nothing from a second thread that it does not lose where both cores are
busy. OpenMP keeps the number for each calling thread, so setting it around a call concerns
nobody else.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from engram_lab.retrieval.dense.protocol import VectorIndexOptions

__all__ = ["FlatIndex", "HnswIndex", "IvfIndex"]

_LOOKED_AT_FOR_EACH: Final = 2
"""Rows looked at for each that is asked for, at least: with fewer the last ones are often wrong."""

_TELLING_ROWS: Final = 10_000
"""The ranges of so many rows hold for those that come later."""

_BLOTTED_AT_ONCE: Final = 4096
"""Nodes whose links are looked at together: few enough to take a few megabytes."""

_POINTS_PER_CELL: Final = 64
"""Rows that k-means looks at for each cell: more cost time and gain nothing that was measured."""


@contextmanager
def _one_thread() -> Iterator[Any]:
    """Yield the module `faiss`, which computes on one thread for a while."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield faiss
    finally:
        faiss.omp_set_num_threads(before)


class _FaissIndex(ABC):
    """What the kinds have in common."""

    exact = False

    def __init__(self, options: VectorIndexOptions) -> None:
        self._options = options
        self._index: Any = None
        self._mapped: NDArray[np.uint8] | None = None

    @property
    def parameters(self) -> Mapping[str, int]:
        """What shapes it when it is built."""
        return {}

    @property
    def size(self) -> int:
        """How many rows it holds."""
        return 0 if self._index is None else int(self._index.ntotal)

    def outgrown(self, built: int) -> bool:  # noqa: ARG002 - it grows as well as it is built
        """Tell whether it is worth building anew; see `VectorIndex`."""
        return False

    @abstractmethod
    def _made(self, faiss: Any, rows: int) -> Any:
        """Return an empty index for so many rows."""

    @abstractmethod
    def _search_parameters(
        self, faiss: Any, k: int, effort: int, share: float, selector: Any
    ) -> Any:
        """Return how to search where a share of the rows may be returned."""

    def build(self, vectors: NDArray[np.float32]) -> None:
        """Take float32 [n, dim] in place of all that it held."""
        with _one_thread() as faiss:
            index = self._made(faiss, len(vectors))
            index.train(vectors)
            self._index, self._mapped = index, None
            self._prepare_to_add(faiss)
            index.add(vectors)

    def _prepare_to_add(self, faiss: Any) -> None:  # noqa: B027 - most have nothing to prepare
        """Do what makes the same rows come out the same, whatever happened before."""

    def add(self, vectors: NDArray[np.float32]) -> None:
        """Take more rows, float32 [m, dim]."""
        with _one_thread() as faiss:
            if self._mapped is not None:  # what is mapped cannot grow, and FAISS would abort
                self._index, self._mapped = faiss.deserialize_index(self._mapped), None
            self._prepare_to_add(faiss)
            self._index.add(vectors)

    def blot(self, slots: NDArray[np.int64]) -> None:
        """Overwrite what these slots hold; see `VectorIndex.blot`."""
        if not len(slots):
            return
        with _one_thread() as faiss:
            if self._mapped is not None:  # what is mapped cannot be written to
                self._index, self._mapped = faiss.deserialize_index(self._mapped), None
            gone = np.zeros(self.size, np.bool_)
            gone[slots] = True
            self._overwrite(faiss, gone)

    @abstractmethod
    def _overwrite(self, faiss: Any, gone: NDArray[np.bool_]) -> None:
        """Overwrite the slots that are marked, bool [size], at least one."""

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        allowed: NDArray[np.bool_] | None = None,
        effort: int = 1,
    ) -> NDArray[np.int64]:
        """Return the slots of up to `k` near rows; see `VectorIndex.search`."""
        with _one_thread() as faiss:
            share, selector = 1.0, None
            if allowed is not None:
                count = np.count_nonzero(allowed)
                if not count:
                    return np.empty(0, np.int64)
                share = count / len(allowed)
                bits = np.packbits(allowed, bitorder="little")
                selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
            parameters = self._search_parameters(faiss, k, effort, share, selector)
            _, slots = self._index.search(query[np.newaxis], k, params=parameters)
        found: NDArray[np.int64] = slots[0]
        return found if found[-1] >= 0 else found[found >= 0]

    def dump(self) -> NDArray[np.uint8]:
        """Return all of it as bytes."""
        import faiss

        data: NDArray[np.uint8] = faiss.serialize_index(self._index)
        return data

    def restore(self, data: NDArray[np.uint8]) -> None:
        """Take what `dump` returned, and go on reading from it."""
        import faiss

        reader = faiss.ZeroCopyIOReader(  # type: ignore[attr-defined] # missing from its stubs
            faiss.swig_ptr(data), data.nbytes
        )
        self._index = faiss.read_index(reader, faiss.IO_FLAG_MMAP_IFC)
        self._mapped = data


def _codes_of(faiss: Any, index: Any) -> NDArray[np.uint8]:
    """Return what a flat index or storage holds, uint8 [n, bytes of each], as it lies in memory."""
    codes = faiss.rev_swig_ptr(index.codes.data(), index.codes.size())
    table: NDArray[np.uint8] = codes.reshape(index.ntotal, index.code_size)
    return table


class FlatIndex(_FaissIndex):
    """All rows, one after the other."""

    exact = True

    def _made(self, faiss: Any, rows: int) -> Any:  # noqa: ARG002 - the same for any number
        return faiss.IndexFlatIP(self._options.dim)

    def _overwrite(self, faiss: Any, gone: NDArray[np.bool_]) -> None:
        _codes_of(faiss, self._index)[gone] = 0

    def _search_parameters(
        self,
        faiss: Any,
        k: int,  # noqa: ARG002 - it looks at all rows anyway
        effort: int,  # noqa: ARG002
        share: float,  # noqa: ARG002
        selector: Any,
    ) -> Any:
        return None if selector is None else faiss.SearchParameters(sel=selector)


class HnswIndex(_FaissIndex):
    """A layered graph of near neighbours, walked from far to near.

    Rows are held as 8 bits a number, in ranges learned when it is built.

    Source: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using
    Hierarchical Navigable Small World graphs" (2020), algorithms 1 to 5.
    """

    @property
    def parameters(self) -> Mapping[str, int]:
        """What shapes it when it is built."""
        options = self._options
        return {
            "links": options.hnsw_links,
            "ef_construction": options.ef_construction,
            "seed": options.seed,
        }

    def outgrown(self, built: int) -> bool:
        """Tell whether the ranges of its codes were learned from too few rows."""
        return built < _TELLING_ROWS and self.size > 4 * built

    def _made(self, faiss: Any, rows: int) -> Any:  # noqa: ARG002 - the same for any number
        codes, measure = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        index = faiss.IndexHNSWSQ(self._options.dim, codes, self._options.hnsw_links, measure)
        index.hnsw.efConstruction = self._options.ef_construction
        return index

    def _prepare_to_add(self, faiss: Any) -> None:
        # A node draws its height by chance; the state of that chance is not in the file.
        self._index.hnsw.rng = faiss.RandomGenerator(self._options.seed + self.size)

    def _overwrite(self, faiss: Any, gone: NDArray[np.bool_]) -> None:
        # A walk still passes through these nodes, so each looks like one that it is linked to.
        codes = _codes_of(faiss, faiss.downcast_index(self._index.storage))
        others = np.flatnonzero(~gone)
        if not len(others):
            codes[:] = 0
            return
        hnsw = self._index.hnsw
        links, width = hnsw.neighbors, hnsw.nb_neighbors(0)  # those on the lowest layer come first
        starts = faiss.rev_swig_ptr(hnsw.offsets.data(), self.size).astype(np.int64)
        linked = faiss.rev_swig_ptr(links.data(), links.size())
        slots = np.flatnonzero(gone)
        for at in range(0, len(slots), _BLOTTED_AT_ONCE):
            some = slots[at : at + _BLOTTED_AT_ONCE]
            near = linked[starts[some, np.newaxis] + np.arange(width)]
            sound = (near >= 0) & ~gone[near]
            place = sound.argmax(axis=1)
            each = np.arange(len(some))
            codes[some] = codes[np.where(sound[each, place], near[each, place], others[0])]

    def _search_parameters(
        self, faiss: Any, k: int, effort: int, share: float, selector: Any
    ) -> Any:
        # Of what is looked at only a share may be returned, so the more is looked at.
        looked_at = math.ceil(
            max(self._options.ef_search * effort, _LOOKED_AT_FOR_EACH * k) / share
        )
        return faiss.SearchParametersHNSW(efSearch=min(looked_at, self.size), sel=selector)


class IvfIndex(_FaissIndex):
    """Cells around the centres of clusters, of which those nearest to the query are searched.

    Rows are held as 8 bits a number, in ranges learned when it is built.

    Source: Jegou, Douze and Schmid, "Product quantization for nearest neighbor search" (2011),
    section IV, with the scalar quantiser of FAISS in place of the product quantiser.
    """

    @property
    def parameters(self) -> Mapping[str, int]:
        """What shapes it when it is built."""
        return {"seed": self._options.seed}

    def outgrown(self, built: int) -> bool:
        """Tell whether its cells have grown so large that there should be twice as many."""
        return self.size > 4 * built

    def _made(self, faiss: Any, rows: int) -> Any:
        cells = min(max(1, round(2 * math.sqrt(rows))), max(1, rows // 8))
        measure = faiss.METRIC_INNER_PRODUCT
        index = faiss.index_factory(self._options.dim, f"IVF{cells},SQ8", measure)
        index.by_residual = False  # half the time of a search, and scores are computed anew anyway
        index.cp.seed = self._options.seed
        index.cp.min_points_per_centroid = 1  # fewer rows than it likes make it print a warning
        index.cp.max_points_per_centroid = _POINTS_PER_CELL
        return index

    def _overwrite(self, faiss: Any, gone: NDArray[np.bool_]) -> None:
        # What is in a cell is gone through one by one, so what stands there leads nowhere.
        lists, width = self._index.invlists, self._index.code_size
        for cell in range(self._index.nlist):
            count = lists.list_size(cell)
            if count:
                hit = gone[faiss.rev_swig_ptr(lists.get_ids(cell), count)]
                codes = faiss.rev_swig_ptr(lists.get_codes(cell), count * width)
                codes.reshape(count, width)[hit] = 0

    def _search_parameters(
        self, faiss: Any, k: int, effort: int, share: float, selector: Any
    ) -> Any:
        # Cells hold `size / nlist` rows on average.
        cells = self._index.nlist
        enough = math.ceil(_LOOKED_AT_FOR_EACH * k * cells / self.size)
        probes = math.ceil(max(self._options.ivf_probes * effort, enough) / share)
        return faiss.SearchParametersIVF(nprobe=min(probes, cells), sel=selector)
