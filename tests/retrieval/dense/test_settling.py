"""How an index grows, is cleaned of what is dead, and gives way to one that serves better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engram_lab.retrieval.dense import layered, registry
from engram_lab.retrieval.dense.registry import VECTOR_INDEXES

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def unit(n: int, *, seed: int, dim: int = 16) -> Any:
    rows = np.random.default_rng(seed).standard_normal((n, dim))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_few_vectors_need_no_index(corpus: Any, open_index: Any) -> None:
    for key in range(256, 1001):
        corpus.purge(key)
    index = open_index(corpus, kind="hnsw")
    assert index.kind_in_use == "exact"
    corpus.put(2000, np.ones(16))
    index.catch_up()
    assert index.kind_in_use == "hnsw"
    for key in range(1, 128):
        corpus.forget(key)
    index.catch_up()
    assert index.kind_in_use == "hnsw"  # not for one less
    corpus.forget(128)
    corpus.forget(129)
    index.catch_up()
    assert index.kind_in_use == "exact"


def test_new_vectors_wait_outside_then_go_in_as_fast_as_they_come(
    corpus: Any, open_index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus.put_many(range(2001, 6001), unit(4000, seed=3))
    index = open_index(corpus, kind="hnsw")
    held = index._held
    assert held.covered == 5000
    for key, row in enumerate(unit(520, seed=4), start=7001):
        corpus.put(key, row)
        index.catch_up()
        assert index.search(row, 1).keys.tolist() == [key]
        assert held.covered == 5000 + max(0, key - 7000 - 256)
    corpus.put_many(range(8001, 8445), unit(444, seed=5))
    index.catch_up()
    assert held.covered == 5708
    assert index._held is held
    # Of many that come at once, a few go in at a time.
    monkeypatch.setattr(layered, "_MOST_ADDED", 100)
    corpus.put_many(range(9001, 9201), unit(200, seed=6))
    index.catch_up()
    assert held.covered == 5708 + 100
    # Of very many, all but those that may wait.
    corpus.put_many(range(11001, 16001), unit(5000, seed=7))
    index.catch_up()
    assert held.covered == held.table.slots - 256


def test_dead_slots_are_cleared_once_they_are_a_third(corpus: Any, open_index: Any) -> None:
    corpus.put_many(range(1001, 3001), unit(2000, seed=2))
    index = open_index(corpus, kind="flat")
    table = index._held.table
    for key in range(1, 1157):  # 256 + 0.3 · 3000
        corpus.forget(key)
    index.catch_up()
    assert index._held.table is table
    assert table.dead == 1156
    corpus.forget(1157)
    index.catch_up()
    assert index._held.table.dead == 0
    assert index._held.covered == index.size == 1843
    query = unit(1, seed=9)[0].astype(np.float32)
    assert index.search(query, 20).keys.tolist() == corpus.best(query, 20)


def test_dead_slots_count_neither_way_when_an_index_is_tried(corpus: Any, open_index: Any) -> None:
    index = open_index(corpus, kind="hnsw", ef_search=400)
    for key in range(1, 551):
        corpus.purge(key)
    index.erase()
    held = index._held
    assert (held.covered, held.table.dead) == (1000, 550)
    assert held._effort_for(held.index) == (1, 1.0)


def test_an_index_that_outgrew_itself_is_built_anew(corpus: Any, open_index: Any) -> None:
    index = open_index(corpus, kind="ivf")
    cells = index._held.index._index.nlist
    corpus.put_many(range(2001, 7001), unit(5000, seed=2))
    index.catch_up()
    corpus.put(8000, np.ones(16))
    index.catch_up()
    assert index._held.index._index.nlist > 2 * cells
    assert index._held.covered == index.size


def test_auto_changes_the_kind_as_vectors_come_and_go(
    corpus: Any, open_index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_MOST_EXACT", 1000)
    monkeypatch.setattr(registry, "_MOST_HNSW", 3000)
    index = open_index(corpus)
    kinds = [index.kind_in_use]
    for start, count in ((1001, 1), (1002, 1999), (3001, 1)):
        corpus.put_many(range(start, start + count), unit(count, seed=start))
        index.catch_up()
        kinds.append(index.kind_in_use)
    for key in range(1, 1502):
        corpus.forget(key)
    index.catch_up()
    kinds.append(index.kind_in_use)
    for key in range(1502, 2502):
        corpus.forget(key)
    index.catch_up()
    kinds.append(index.kind_in_use)
    assert kinds == ["exact", "hnsw", "hnsw", "ivf", "hnsw", "exact"]


def test_auto_takes_cells_where_a_graph_loses_itself_in_copies(
    corpus: Any, open_index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_MOST_EXACT", 900)
    assert open_index(corpus).kind_in_use == "hnsw"
    rows = unit(6000, seed=1, dim=16)
    rows[::2] = rows[0]
    rows[1::4] = rows[1]
    corpus.put_many(range(1001, 7001), rows)
    index = open_index(corpus)
    assert index.kind_in_use == "ivf"
    built = index._held.shape
    corpus.touch(5)
    index.catch_up()
    assert (index.kind_in_use, index._held.shape) == ("ivf", built)
    told = open_index(corpus, kind="hnsw")
    assert (told.kind_in_use, told._held.effort) == ("hnsw", 1)


WEAK = {"hnsw_links": 8, "ef_construction": 8, "ef_search": 56}
LAZY = {"hnsw_links": 4, "ef_construction": 8, "ef_search": 8, "ivf_probes": 1}


def share_found(index: Any, corpus: Any) -> float:
    queries = unit(50, seed=77).astype(np.float32)
    found = [np.isin(corpus.best(each, 10), index.search(each, 10).keys).mean() for each in queries]
    return float(np.mean(found))


def test_auto_looks_at_more_until_nearly_all_is_found(
    corpus: Any, open_index: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(registry, "_MOST_EXACT", 900)
    corpus.put_many(range(1001, 6001), unit(5000, seed=1))
    told = open_index(corpus, kind="hnsw", **WEAK)
    index = open_index(corpus, folder=tmp_path, **WEAK)
    assert (index.kind_in_use, index._held.effort) == ("hnsw", 4)
    assert share_found(told, corpus) < 0.9
    assert share_found(index, corpus) >= 0.95
    index.save()
    again = open_index(corpus, folder=tmp_path, **WEAK)
    assert (again._held.effort, again._held.shape) == (index._held.effort, 0)
    as_told = open_index(corpus, kind="hnsw", folder=tmp_path, **WEAK)
    assert (as_told._held.effort, as_told._held.shape) == (1, 0)


def test_auto_goes_through_all_where_no_index_finds_enough(
    corpus: Any, open_index: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(registry, "_MOST_EXACT", 900)
    monkeypatch.setattr(layered, "_EFFORTS", (1,))
    corpus.put_many(range(1001, 6001), unit(5000, seed=1))
    index = open_index(corpus, folder=tmp_path, **LAZY)
    assert index.kind_in_use == "exact"
    assert share_found(index, corpus) == 1.0
    corpus.touch(1)
    index.catch_up()
    assert index._held.shape == 1  # it is not tried again and again
    index.save()
    assert open_index(corpus, folder=tmp_path, **LAZY)._held.shape == 0


def test_auto_looks_anew_how_much_is_needed_once_there_are_twice_as_many(
    corpus: Any, open_index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_MOST_EXACT", 900)
    index = open_index(corpus, **WEAK)
    held = index._held
    assert (held.kind, held.effort, held.tried) == ("hnsw", 1, 1000)
    for start in range(1001, 5001, 1000):
        corpus.put_many(range(start, start + 1000), unit(1000, seed=start))
        index.catch_up()
    assert index._held is held
    assert held.tried > 2000
    assert held.effort > 1


def test_an_index_that_finds_too_few_is_not_trusted(
    corpus: Any, open_index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layered, "_ROWS_FOR_EACH", 0)
    index = open_index(corpus, kind="ivf", ivf_probes=1)
    query = unit(1, seed=3)[0].astype(np.float32)
    true = corpus.best(query, 25)
    assert index.search(query, 25).keys.tolist() != true
    monkeypatch.setattr(index._held.index, "search", lambda *_, **__: np.arange(20))
    assert index.search(query, 25).keys.tolist() == true


def test_an_index_of_ones_own_is_used(
    corpus: Any, open_index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layered, "_ROWS_FOR_EACH", 0)

    class Backwards:
        """Proposes the last rows; what they score is not its business."""

        exact = False

        def __init__(self, options: Any) -> None:
            self.parameters = {"dim": options.dim}
            self.size = 0

        def outgrown(self, built: int) -> bool:
            return False

        def build(self, vectors: Any) -> None:
            self.size = len(vectors)

        def search(self, query: Any, k: int, **_: Any) -> Any:
            return np.arange(self.size - k, self.size)

    VECTOR_INDEXES.add("backwards", Backwards)  # type: ignore[arg-type] # as much as is called
    try:
        index = open_index(corpus, kind="backwards")
        query = unit(1, seed=1)[0].astype(np.float32)
        found = index.search(query, 2)
        assert found.keys.tolist() == corpus.best(query, 2, np.arange(983, 1001))
    finally:
        del VECTOR_INDEXES._known["backwards"]
