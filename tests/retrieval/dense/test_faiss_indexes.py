from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.dense import VECTOR_INDEXES, VectorIndexOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ["flat", "hnsw", "ivf"]
every_kind = pytest.mark.parametrize("kind", KINDS)


def clustered(n: int, *, dim: int = 32, seed: int = 0) -> NDArray[np.float32]:
    """Return unit vectors around centres, some of which have many."""
    chance = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((100, dim))
    nearest = np.minimum(chance.zipf(1.3, n), 100) - 1
    rows = centres[nearest] + 0.7 * chance.standard_normal((n, dim))
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("f4")
    return unit


def built(kind: str, rows: NDArray[np.float32], **options: Any) -> Any:
    index = VECTOR_INDEXES.get(kind)(VectorIndexOptions(dim=rows.shape[1], **options))
    index.build(rows)
    return index


def share_found(
    index: Any, rows: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None = None
) -> float:
    """Return how much of the true top `k` is among the best `k` of what the index proposes."""
    found = 0
    for query in clustered(50, dim=rows.shape[1], seed=5):
        scores = rows @ query
        if allowed is not None:
            scores[~allowed] = -np.inf
        near = index.search(query, k + k // 4 + 16, allowed=allowed)
        best = near[np.argsort(-scores[near])[:k]]
        found += len(np.intersect1d(best, np.argsort(-scores)[:k]))
    return found / (50 * k)


@every_kind
@pytest.mark.parametrize("k", [10, 100])
def test_nearly_all_that_is_nearest_is_found(kind: str, k: int) -> None:
    rows = clustered(6000)
    index = built(kind, rows)
    assert share_found(index, rows, k) >= (1.0 if index.exact else 0.98)


@every_kind
@pytest.mark.parametrize("share", [0.5, 0.1])
def test_only_what_is_allowed_is_found_and_nearly_all_of_it(kind: str, share: float) -> None:
    rows = clustered(6000)
    allowed = np.random.default_rng(3).random(len(rows)) < share
    index = built(kind, rows)
    assert share_found(index, rows, 10, allowed) >= (1.0 if index.exact else 0.98)
    near = index.search(rows[0], 6000, allowed=allowed)
    assert allowed[near].all()
    assert len(np.unique(near)) == len(near)
    assert index.search(rows[0], 5, allowed=np.zeros(len(rows), np.bool_)).tolist() == []


@every_kind
def test_rows_that_are_added_are_found_as_well(kind: str) -> None:
    rows = clustered(6000)
    index = built(kind, rows[:3000])
    index.add(rows[3000:5999])
    index.add(rows[5999:])
    assert index.size == 6000
    assert share_found(index, rows, 10) >= (1.0 if index.exact else 0.98)


@every_kind
def test_what_is_dumped_is_restored_and_grows_on(kind: str) -> None:
    rows = clustered(2000)
    index = built(kind, rows[:1500])
    data = index.dump()
    data.flags.writeable = False
    twin = VECTOR_INDEXES.get(kind)(VectorIndexOptions(dim=rows.shape[1]))
    twin.restore(data)
    before = data.tobytes()
    for _ in range(2):
        for query in rows[:20]:
            assert twin.search(query, 30).tolist() == index.search(query, 30).tolist()
        for each in (index, twin):
            each.add(rows[1500:])
    assert data.tobytes() == before
    assert twin.dump().tobytes() == index.dump().tobytes()


@every_kind
@given(n=st.integers(1, 40), k=st.integers(1, 60), seed=st.integers(0, 999))
def test_few_rows_repeated_rows_and_rows_of_zeros_are_no_trouble(
    kind: str, n: int, k: int, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    rows = chance.integers(-1, 2, (n, 4)).astype(np.float32)
    near = built(kind, rows).search(rows[0], k)
    assert len(np.unique(near)) == len(near)
    assert set(near.tolist()) <= set(range(n))
    assert len(near) == min(n, k)


def test_thousands_of_copies_of_one_row_hide_nothing_from_cells() -> None:
    rows = clustered(8000)
    rows[::2] = rows[0]
    index = built("ivf", rows)
    assert all(row in index.search(rows[row], 30) for row in range(1, 8000, 40))


def test_an_index_says_when_it_should_be_built_anew() -> None:
    rows = clustered(2001)
    for kind, when in (("flat", False), ("hnsw", True), ("ivf", True)):
        index = built(kind, rows[:500])
        index.add(rows[500:2000])
        assert not index.outgrown(500)
        index.add(rows[2000:])
        assert index.outgrown(500) is when


def test_what_shapes_a_build_is_told() -> None:
    rows = clustered(50)
    assert built("flat", rows).parameters == {}
    told = built("hnsw", rows, hnsw_links=8, ef_construction=33, ef_search=9).parameters
    assert told == {"links": 8, "ef_construction": 33, "seed": 0}
    assert built("ivf", rows, seed=4, ivf_probes=2).parameters == {"seed": 4}


@every_kind
def test_the_number_of_threads_is_left_as_it_was(kind: str) -> None:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(3)
    try:
        index = built(kind, clustered(500))
        index.add(clustered(10, seed=1))
        index.search(clustered(1)[0], 5)
        assert faiss.omp_get_max_threads() == 3
    finally:
        faiss.omp_set_num_threads(before)


SCRIPT = """
import sys
from hashlib import sha256
import numpy as np
from engram_lab.retrieval.dense import VECTOR_INDEXES, VectorIndexOptions
rows = np.random.default_rng(0).standard_normal((4000, 24)).astype(np.float32)
for kind in ("flat", "hnsw", "ivf"):
    index = VECTOR_INDEXES.get(kind)(VectorIndexOptions(dim=24, seed=5))
    index.build(rows[:3000])
    index.add(rows[3000:])
    found = b"".join(index.search(query, 20).tobytes() for query in rows[:50])
    print(kind, sha256(index.dump().tobytes()).hexdigest(), sha256(found).hexdigest())
"""


def test_one_thread_or_many_build_the_same_to_the_byte() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "PYTHONPATH": path},
            check=True,
            capture_output=True,
        ).stdout
        for path in [":".join(sys.path)]
        for threads in ("1", "2", "4")
    }
    assert len(said) == 1
    assert len(said.pop().splitlines()) == 3


# Blotting


def codes_in(index: Any) -> NDArray[np.uint8]:
    """Return what an index of ours holds of each slot, as its storage says it."""
    inner: Any = index._index
    if index.parameters.keys() == {"seed"}:  # cells
        table = np.zeros((inner.ntotal, inner.code_size), np.uint8)
        for cell in range(inner.nlist):
            count = inner.invlists.list_size(cell)
            if count:
                ids = faiss.rev_swig_ptr(inner.invlists.get_ids(cell), count)
                codes = faiss.rev_swig_ptr(inner.invlists.get_codes(cell), count * inner.code_size)
                table[ids] = codes.reshape(count, -1)
        return table
    storage: Any = faiss.downcast_index(getattr(inner, "storage", inner))
    flat = faiss.rev_swig_ptr(storage.codes.data(), storage.ntotal * storage.code_size)
    whole: NDArray[np.uint8] = flat.reshape(storage.ntotal, -1).copy()
    return whole


@every_kind
@pytest.mark.parametrize("mapped", [False, True])
def test_codes_that_were_blotted_are_nowhere_and_the_others_unchanged(
    kind: str, *, mapped: bool
) -> None:
    index = built(kind, clustered(3000))
    if mapped:
        data = index.dump()
        data.flags.writeable = False
        index.restore(data)
    codes = codes_in(index)
    chance = np.random.default_rng(1)
    gone = np.zeros(3000, np.bool_)
    for count in (1, 5, 300, 300):
        gone[chance.integers(0, 3000, count)] = True
        index.blot(np.flatnonzero(gone))
        assert np.array_equal(codes_in(index)[~gone], codes[~gone])
        known = {row.tobytes() for row in codes[~gone]}
        dump = index.dump().tobytes()
        secrets = {row.tobytes() for row in codes[gone]} - known
        assert len(secrets) >= 0.9 * np.count_nonzero(gone)
        assert all(secret not in dump for secret in secrets)
    again = VECTOR_INDEXES.get(kind)(VectorIndexOptions(dim=32))
    again.restore(index.dump())
    again.blot(np.empty(0, np.int64))
    assert np.array_equal(codes_in(again), codes_in(index))
    again.blot(np.arange(3000))
    assert not codes_in(again).any()
    again.add(clustered(10, seed=2))
    assert again.size == 3010


@every_kind
@pytest.mark.parametrize("share", [0.02, 0.3])
def test_blotting_costs_no_recall(kind: str, share: float) -> None:
    rows = clustered(6000)
    index = built(kind, rows)
    allowed = np.random.default_rng(2).random(6000) >= share
    before = share_found(index, rows, 10, allowed)
    index.blot(np.flatnonzero(~allowed))
    assert share_found(index, rows, 10, allowed) >= before - 0.005


def test_a_blotted_node_of_a_graph_looks_like_one_that_it_is_linked_to() -> None:
    rows = clustered(2000)
    index = built("hnsw", rows)
    codes = codes_in(index)
    index.blot(np.arange(0, 2000, 7))
    for slot in range(0, 2000, 7):
        same = np.flatnonzero((codes == codes_in(index)[slot]).all(axis=1))
        links: list[int] = faiss.rev_swig_ptr(
            index._index.hnsw.neighbors.data(), index._index.hnsw.neighbors.size()
        )[index._index.hnsw.offsets.at(slot) :][:64].tolist()
        assert set(same.tolist()) & set(links)
