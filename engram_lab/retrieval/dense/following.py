"""The dense index of a store: it follows the change log, and is kept beside the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.progress import task
from engram_lab.retrieval.arrays import BadIndexFileError
from engram_lab.retrieval.dense.layered import Layered
from engram_lab.retrieval.dense.neighbours import nearest_of
from engram_lab.retrieval.dense.protocol import VectorIndexOptions
from engram_lab.retrieval.dense.registry import AUTO, check_kind, kind_for
from engram_lab.retrieval.dense.saved import Files, restored
from engram_lab.retrieval.dense.sharing import SharedLock
from engram_lab.retrieval.dense.table import VectorTable
from engram_lab.retrieval.purges import purged_since

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.core.protocols import Corpus, VectorChanges
    from engram_lab.retrieval.ranking import Ranking

__all__ = ["DenseIndex"]

_MOST_BESIDE: Final = 512
"""So many rows are kept beside a base; for more it is written anew."""

_BESIDE_SHARE: Final = 1 / 8
"""The same, as a share of a large base."""


class DenseIndex:
    """The vectors of one embedder, nearest first.

    Scores are inner products of float32 vectors: for unit vectors, cosines. Of one memory and one
    query it is the same number whichever kind of index, and however many threads, there are.

    Guarantees: after `catch_up`, all that was committed before is found. With `exact` and `flat`
    the ranking is the true one; with `hnsw` and `ivf` nearly so, and what is found depends on the
    vectors, on the options and on the order in which changes came, not on time nor on threads.
    Searching changes nothing. Threads may search at once; who changes the index waits for them.

    Args:
        corpus: The memories, as the owner of the store sees them.
        embedder: The fingerprint of the embedder whose vectors are searched.
        dim: How many numbers a vector has.
        kind: `exact`, a name of `VECTOR_INDEXES`, or `auto`: what suits the number of vectors.
        folder: Where it is kept; None for nowhere.
        hnsw_links: See `VectorIndexOptions`, as of all that follow.
        ef_construction: HNSW: candidates while building.
        ef_search: HNSW: least candidates while searching.
        ivf_probes: IVF: least cells looked into.
        seed: Where an index draws by chance.

    Raises:
        InvalidInputError: An unknown kind, or a dimension below 1.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        embedder: str,
        dim: int,
        kind: str = AUTO,
        folder: Path | None = None,
        hnsw_links: int = 32,
        ef_construction: int = 64,
        ef_search: int = 128,
        ivf_probes: int = 32,
        seed: int = 0,
    ) -> None:
        if dim < 1:
            raise InvalidInputError(f"dim is {dim}: a vector has at least 1 number")
        self._corpus = corpus
        self._embedder = embedder
        self._dim = dim
        self._wanted = check_kind(kind)
        self._spare = "ivf" if kind == AUTO else None  # cells have no trouble with what is alike
        self._options = VectorIndexOptions(
            dim=dim,
            hnsw_links=hnsw_links,
            ef_construction=ef_construction,
            ef_search=ef_search,
            ivf_probes=ivf_probes,
            seed=seed,
        )
        self._files = None if folder is None else Files(Path(folder), embedder=embedder, dim=dim)
        self._lock = SharedLock()
        self._forget_all()
        self._load()

    def _forget_all(self) -> None:
        self._held = Layered(VectorTable.empty(self._dim), self._options)
        self._number, self._stamp = 0, ""
        self._base: tuple[str, int] | None = None  # the name of its file, the shape it was made of
        self._kept: tuple[int, int] | None = None  # number and shape of what is in the files
        self._settled = False
        self._purged = False  # whether vectors lie in dead slots that no file may hold

    @property
    def size(self) -> int:
        """How many memories have a vector here."""
        return self._held.table.size

    @property
    def number(self) -> int:
        """The change of the store up to which it follows."""
        return self._number

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        return self._dim

    @property
    def kind_in_use(self) -> str:
        """The kind of index that is searched now: `exact` while there are few vectors."""
        return self._held.kind

    def catch_up(self) -> int:
        """Take in what was committed since, and return the number of the newest change.

        Raises:
            InvalidInputError: The store's vectors of this embedder have another dimension.
            StoreError: The store cannot be read.
        """
        if not (self._settled and self._is_current()):
            with self._lock.alone():
                if not (self._settled and self._is_current()):  # nobody was quicker
                    self._follow_and_settle()
        return self._number

    def _follow_and_settle(self) -> None:
        self._follow()
        self._held.settle(self._kind(), spare=self._spare)
        self._settled = True

    def _is_current(self) -> bool:
        """Tell whether it is of the newest change, and that change the same as it was.

        A transaction that was undone gives its numbers to others.
        """
        return self._corpus.head() == (self._number, self._stamp)

    def _kind(self) -> str:
        return kind_for(self._wanted, self._held.table.size, present=self._held.chosen)

    def _follow(self) -> None:
        if self._number and self._corpus.stamp(self._number) != self._stamp:
            self._forget_all()
        if not self._number:
            self._take_all()
        while self._number < self._corpus.last():
            changes = self._corpus.vector_changes(self._embedder, self._number)
            self._take(changes)
            self._number = changes.number
        self._stamp = self._corpus.stamp(self._number) or ""

    def _take_all(self) -> None:
        self._forget_all()  # what an earlier attempt took before it failed may be gone by now
        number = self._corpus.last()
        with task("indexing meaning", unit="vectors") as counting:
            for changes in self._corpus.all_vectors(self._embedder):
                number = min(number, changes.number)
                self._take(changes)
                counting.advance(len(changes.keys))
        self._number = number

    def _take(self, changes: VectorChanges) -> None:
        table = self._held.table
        table.remove(changes.gone)
        if len(changes.keys):
            if changes.values.shape[1] != self._dim:
                raise InvalidInputError(
                    f"the store's vectors of {shown(self._embedder)} have {changes.values.shape[1]}"
                    f" numbers and {self._dim} are expected: open it with the embedder they are of"
                )
            table.put(changes.keys, changes.values)
        if changes.purged:
            self._base = self._kept = None  # who purged removed the files
            table.keep(self._corpus.alive())
            if table.dead:
                self._purged = True

    def search(
        self, query: NDArray[np.float32], k: int, *, allowed: NDArray[np.int64] | None = None
    ) -> Ranking:
        """Return the memories whose vectors have the largest inner product with the query.

        Args:
            query: float32 [dim], finite.
            k: How many, from 1.
            allowed: int64 [n], rising: the keys that may be returned; all unless given.

        Returns:
            `k` memories, or as many as are allowed and have a vector.

        Raises:
            InvalidInputError: A query of another shape or with numbers that are not finite, a `k`
                below 1, or products too large for float32.
        """
        vector = self._checked(query)
        wanted: Any = k
        if not isinstance(wanted, int | np.integer) or isinstance(wanted, bool) or wanted < 1:
            raise InvalidInputError(f"k is {shown(k)}: give a whole number from 1")
        with self._lock.shared():
            return self._held.search(vector, int(wanted), allowed)

    def nearest_of(
        self, keys: NDArray[np.int64], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return for each memory the `k` others nearest to it; see `neighbours.nearest_of`."""
        with self._lock.shared():
            return nearest_of(self._held, np.asarray(keys, np.int64), k)

    def _checked(self, query: Any) -> NDArray[np.float32]:
        try:
            with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
                vector = np.ascontiguousarray(query, np.float32)
        except (TypeError, ValueError):
            raise InvalidInputError("the query is no row of numbers: give float32 [dim]") from None
        if vector.shape != (self._dim,):
            raise InvalidInputError(
                f"the query has the shape {list(np.shape(query))}: give [{self._dim}]"
            )
        if not np.isfinite(vector).all():
            raise InvalidInputError("the query holds NaN or infinity: give finite numbers")
        return vector

    def vectors(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors of memories in order, float32 [n, dim], and whether each has one.

        A row is of zeros where there is none.
        """
        with self._lock.shared():
            table = self._held.table
            slots = table.find(np.asarray(keys, np.int64))
            known = slots >= 0
            rows = np.zeros((len(slots), self._dim), np.float32)
            rows[known] = table.rows.take(slots[known])
        return rows, known

    def rebuild(self) -> None:
        """Make it anew from what is stored. Raises what `catch_up` does."""
        with self._lock.alone():
            self._forget_all()
            self._follow_and_settle()

    def _load(self) -> None:
        """Take what is kept where it fits the store and the options; else start from nothing."""
        if self._files is None:
            return
        try:
            state = self._files.read()
        except (BadIndexFileError, OSError):
            return
        if state.number > self._corpus.last() or self._corpus.stamp(state.number) != state.stamp:
            return
        held = restored(state, self._wanted, self._options)
        if held is not None:
            self._held, self._number, self._stamp = held, state.number, state.stamp
            self._base, self._kept = (state.name, held.shape), (state.number, held.shape)

    def save(self) -> None:
        """Keep it in its folder, if it has one and anything changed since it was kept.

        What changed since it was last written is small and written alone, unless it has become
        much, or the index took in rows.

        Raises:
            OSError: It cannot be written; what was kept before still is.
        """
        if self._files is None or not self._settled:
            return
        if self._kept == (self._number, self._held.shape):
            return
        with self._lock.alone():
            stamp = self._corpus.stamp(self._number)
            if stamp != self._stamp:  # it follows a transaction that was undone
                return
            if self._purged:
                self._held.blot()
                self._purged = False
            table = self._held.table
            beside = table.slots - table.rows.sealed
            most = max(_MOST_BESIDE, int(table.rows.sealed * _BESIDE_SHARE))
            if self._base is None or self._base[1] != self._held.shape or beside > most:
                self._base = (self._files.write_base(self._held), self._held.shape)
            self._files.write_state(self._base[0], table, number=self._number, stamp=stamp)
            self._kept = (self._number, self._held.shape)
            if purged_since(self._corpus, self._number):
                self._files.remove()
                self._base = self._kept = None

    def erase(self) -> None:
        """Let go of what was purged: remove the files, and forget vectors that are held no more.

        The slots stay, and what they held is overwritten: nothing is built anew.
        """
        with self._lock.alone():
            try:
                self._forget_purged()
            finally:
                if self._files is not None:
                    self._files.remove()

    def _forget_purged(self) -> None:
        if not self._settled:
            self._forget_all()
            return
        self._follow_and_settle()
        self._base = self._kept = None
        self._held.blot()
        self._purged = False

    def close(self) -> None:
        """Let go of memory and files; a second call does nothing. It does not save."""
        with self._lock.alone():
            self._forget_all()
