from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.dense.exact import best_places, inner_products
from engram_lab.retrieval.dense.rows import Rows


@given(
    rows=st.integers(1, 300), dim=st.integers(1, 70) | st.just(384), seed=st.integers(0, 2**32 - 1)
)
def test_a_row_scores_the_same_bits_whatever_stands_beside_it(
    rows: int, dim: int, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    table = chance.standard_normal((rows, dim)).astype(np.float32)
    query = chance.standard_normal(dim).astype(np.float32)
    scores = inner_products(table, query)
    picked = chance.integers(0, rows, chance.integers(1, 2 * rows))
    assert inner_products(table[picked], query).tobytes() == scores[picked].tobytes()
    alone = [inner_products(table[row : row + 1].copy(), query)[0] for row in range(rows)]
    assert np.array(alone).tobytes() == scores.tobytes()
    # Nor does it matter where in memory the row lies.
    room = np.empty(rows * dim + 1, np.float32)[1:].reshape(rows, dim)
    room[:] = table
    assert inner_products(room, query).tobytes() == scores.tobytes()
    exact = table.astype(np.float64) @ query.astype(np.float64)
    bound = dim * 6e-8 * (np.abs(table) @ np.abs(query)) + 1e-30
    assert (np.abs(scores - exact) <= bound).all()


def random_scores(n: int, seed: int) -> list[float]:
    scores: list[float] = np.random.default_rng(seed).random(n).tolist()
    return scores


@given(
    scores=st.lists(st.integers(-20, 20), max_size=2000)
    | st.builds(random_scores, st.integers(0, 5000), st.integers(0, 99)),
    k=st.integers(1, 150),
)
def test_the_best_places_are_those_that_reach_the_kth_score(scores: list[float], k: int) -> None:
    values = np.array(scores, np.float32)
    least = np.sort(values)[::-1][min(k, len(values)) - 1] if scores else 0
    assert best_places(values, k).tolist() == np.flatnonzero(values >= least).tolist()


@given(
    sealed=st.integers(0, 40),
    parts=st.lists(st.integers(0, 30), max_size=4),
    seed=st.integers(0, 2**32 - 1),
)
def test_rows_read_the_same_wherever_they_lie(sealed: int, parts: list[int], seed: int) -> None:
    chance = np.random.default_rng(seed)
    whole = chance.standard_normal((sealed + sum(parts), 5)).astype(np.float32)
    query = chance.standard_normal(5).astype(np.float32)
    rows = Rows(whole[:sealed])
    end = sealed
    for part in parts:
        rows.append(whole[end : end + part])
        end += part
    n = len(whole)
    assert (len(rows), rows.sealed) == (n, sealed)
    start, stop = sorted(chance.integers(0, n + 1, 2).tolist())
    assert np.array_equal(rows.between(start, stop), whole[start:stop])
    scores = inner_products(whole, query)
    assert np.array_equal(rows.scores(query, start, stop), scores[start:stop])
    if n:
        slots = chance.integers(0, n, 2500)
        assert np.array_equal(rows.take(slots), whole[slots])
        assert np.array_equal(rows.scores_of(query, slots), scores[slots])
