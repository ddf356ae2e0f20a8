"""The nearest of many at once are those of single searches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram_lab.retrieval.dense.layered import Layered
from engram_lab.retrieval.dense.neighbours import nearest_of
from engram_lab.retrieval.dense.protocol import VectorIndexOptions
from engram_lab.retrieval.dense.table import VectorTable

DIM = 16


def held(rows: int, *, kind: str = "exact", seed: int = 0) -> Layered:
    chance = np.random.default_rng(seed)
    values = chance.standard_normal((rows, DIM)).astype(np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    table = VectorTable.empty(DIM)
    table.put(np.arange(1, rows + 1, dtype=np.int64), values)
    layered = Layered(table, VectorIndexOptions(dim=DIM))
    layered.settle(kind)
    return layered


@settings(deadline=None)
@given(rows=st.integers(2, 60), k=st.integers(1, 8), seed=st.integers(0, 5))
def test_they_are_those_of_single_searches_without_itself(rows: int, k: int, seed: int) -> None:
    layered = held(rows, seed=seed)
    keys = np.arange(1, rows + 1, dtype=np.int64)
    found, scores = nearest_of(layered, keys, k)
    for row, key in enumerate(keys.tolist()):
        alone = layered.search(layered.table.rows.take(np.array([row]))[0], rows, None)
        others = [
            (near, score)
            for near, score in zip(alone.keys.tolist(), alone.scores.tolist(), strict=True)
            if near != key
        ][:k]
        assert found[row, : len(others)].tolist() == [near for near, _ in others]
        assert scores[row, : len(others)].tolist() == [score for _, score in others]
        assert not found[row, len(others) :].any()


def test_what_went_is_nobodys_neighbour_and_has_none() -> None:
    layered = held(40)
    gone = np.array([3, 7], np.int64)
    layered.table.remove(gone)
    found, _ = nearest_of(layered, np.arange(1, 41, dtype=np.int64), 5)
    assert not np.isin(found, gone).any()
    assert not found[2].any()


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf"])
def test_an_index_finds_nearly_the_same(kind: str) -> None:
    pytest.importorskip("faiss")
    layered, plain = held(600, kind=kind), held(600)
    keys = np.arange(1, 601, dtype=np.int64)
    found, scores = nearest_of(layered, keys, 5)
    true, _ = nearest_of(plain, keys, 5)
    shared = np.mean([len(set(a) & set(b)) / 5 for a, b in zip(found, true, strict=True)])
    assert shared > 0.95
    assert (np.diff(scores, axis=1) <= 0).all()
    again, _ = nearest_of(layered, keys, 5)
    assert (again == found).all()
