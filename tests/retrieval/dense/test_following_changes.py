"""Whatever happened to the store, the index gives what brute force gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.dense import DenseIndex, layered

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIM = 3
# Small whole numbers: their products are exact, and many are equal.
VALUES = st.lists(st.integers(-2, 2), min_size=DIM, max_size=DIM)
KEYS = st.integers(1, 12) | st.sampled_from([2**40, 2**62])
STEPS = st.lists(
    st.tuples(st.just("put"), KEYS, VALUES)
    | st.tuples(st.sampled_from(["touch", "forget", "restore", "purge"]), KEYS, st.none()),
    max_size=25,
)


def done(corpus: Any, step: tuple[str, int, Any]) -> None:
    """Do one thing to a corpus, if it can be done to that key now."""
    verb, key, value = step
    if verb == "put":
        corpus.forgotten.pop(key, None)
        corpus.put(key, value)
    elif verb == "purge":
        corpus.purge(key)
    elif key in (corpus.forgotten if verb == "restore" else corpus.values):
        getattr(corpus, verb)(key)


def assert_true_ranking(index: Any, corpus: Any, query: Any, k: int, allowed: Any) -> None:
    keys = None if allowed is None else np.array(sorted(allowed), np.int64)
    found = index.search(np.array(query, np.float32), k, allowed=keys)
    assert found.keys.tolist() == corpus.best(query, k, keys)
    scores = corpus.scores(query)
    assert found.scores.tolist() == [scores[key] for key in found.keys.tolist()]


@pytest.mark.parametrize("kind", ["exact", "auto", "flat", "hnsw", "ivf"])
@given(
    before=STEPS,
    steps=STEPS,
    query=VALUES,
    k=st.integers(1, 15),
    allowed=st.none() | st.sets(KEYS),
    batch=st.integers(1, 5),
)
def test_any_history_ends_in_the_true_ranking(
    kind: str,
    before: list[Any],
    steps: list[Any],
    query: list[int],
    k: int,
    allowed: set[int] | None,
    batch: int,
    fake_corpus: Any,
    open_index: Any,
) -> None:
    corpus = fake_corpus(DIM)
    corpus.limit = batch
    for step in before:
        done(corpus, step)
    index = open_index(corpus, kind=kind)
    assert_true_ranking(index, corpus, query, k, allowed)
    for step in steps:
        done(corpus, step)
        assert index.catch_up() == corpus.last() == index.number
        assert index.size == len(corpus.values)
        assert_true_ranking(index, corpus, query, k, allowed)


@given(
    steps=STEPS,
    first=st.integers(1, 40),
    query=VALUES,
    k=st.integers(1, 45),
    allowed=st.none() | st.sets(st.integers(1, 40)),
    tail=st.integers(0, 5),
    dead=st.sampled_from([0.0, 0.3, 9.0]),
)
def test_a_flat_index_under_a_tail_gives_the_true_ranking(
    steps: list[Any],
    first: int,
    query: list[int],
    k: int,
    allowed: set[int] | None,
    tail: int,
    dead: float,
    fake_corpus: Any,
    open_index: Any,
) -> None:
    chance = np.random.default_rng(first)
    corpus = fake_corpus(DIM)
    corpus.put_many(range(1, first + 1), chance.integers(-2, 3, (first, DIM)))
    with pytest.MonkeyPatch.context() as patch:
        # So few vectors that it would never be asked, unless all that spares it is switched off.
        for name, value in {
            "_LEAST_INDEXED": 1,
            "_LEAST_TAIL": tail,
            "_MOST_ADDED": 2,
            "_MOST_DEAD": dead,
            "_ROWS_FOR_EACH": 0,
            "_WIDER": 3,
        }.items():
            patch.setattr(layered, name, value)
        index = open_index(corpus, kind="flat")
        assert index.kind_in_use == "flat"
        assert_true_ranking(index, corpus, query, k, allowed)
        for step in steps:
            done(corpus, step)
            index.catch_up()
            assert_true_ranking(index, corpus, query, k, allowed)


def test_a_flat_index_that_cannot_tell_which_of_many_equals_come_first_is_not_trusted(
    fake_corpus: Any, open_index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layered, "_ROWS_FOR_EACH", 0)
    corpus = fake_corpus(DIM)
    rows = np.tile([[1, 2, 2]], (400, 1))
    rows[7] = [3, 3, 3]
    corpus.put_many(range(400, 0, -1), rows)
    index = open_index(corpus, kind="flat")
    assert index.kind_in_use == "flat"
    for k in (1, 2, 5, 300):
        assert_true_ranking(index, corpus, [1, 1, 1], k, None)
        assert_true_ranking(index, corpus, [1, 1, 1], k, range(1, 400, 2))


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf"])
def test_every_kind_scores_a_memory_the_same(
    kind: str, corpus: Any, queries: NDArray[np.float32], open_index: Any
) -> None:
    exact, other = open_index(corpus, kind="exact"), open_index(corpus, kind=kind)
    chance = np.random.default_rng(1)
    allowed = np.flatnonzero(chance.random(1000) < 0.6) + 1
    found = true = 0
    for query in queries:
        for keys in (None, allowed):
            whole = exact.search(query, 1000)
            scores = dict(zip(whole.keys.tolist(), whole.scores.tolist(), strict=True))
            ranking = other.search(query, 10, allowed=keys)
            assert len(ranking) == 10
            assert ranking.scores.tolist() == [scores[key] for key in ranking.keys.tolist()]
            assert keys is None or np.isin(ranking.keys, keys).all()
            best = exact.search(query, 10, allowed=keys)
            assert best.keys.tolist() == corpus.best(query, 10, keys)
            found += len(np.intersect1d(ranking.keys, best.keys))
            true += 10
    assert found >= (true if kind == "flat" else 0.98 * true)


@pytest.mark.parametrize("kind", ["exact", "flat", "hnsw", "ivf"])
@pytest.mark.parametrize("share", [0.001, 0.02, 0.3, 0.9])
def test_as_many_come_back_as_are_allowed_and_asked_for(
    kind: str, share: float, corpus: Any, queries: NDArray[np.float32], open_index: Any
) -> None:
    for key in range(3, 1000, 4):
        corpus.forget(key)
    index = open_index(corpus, kind=kind)
    for key in range(1, 200, 2):
        if key in corpus.values:
            corpus.put(key, -corpus.values[key])
    index.catch_up()
    allowed = np.flatnonzero(np.random.default_rng(2).random(1000) < share) + 1
    held = [key for key in allowed.tolist() if key in corpus.values]
    for query in queries:
        for k in (1, 10, 200):
            found = index.search(query, k, allowed=allowed)
            assert len(found) == min(k, len(held))
            assert set(found.keys.tolist()) <= set(held)
    everything = index.search(queries[0], 5000)
    assert sorted(everything.keys.tolist()) == sorted(corpus.values)


def test_searching_changes_nothing(
    corpus: Any, queries: NDArray[np.float32], open_index: Any
) -> None:
    for kind in ("exact", "hnsw"):
        index = open_index(corpus, kind=kind)
        first = [index.search(query, 20) for query in queries]
        index.catch_up()
        assert [index.search(query, 20) for query in queries] == first


def test_keys_that_are_not_held_are_allowed_to_no_effect(corpus: Any, open_index: Any) -> None:
    index = open_index(corpus, kind="exact")
    query = np.ones(16, np.float32)
    assert len(index.search(query, 5, allowed=np.array([0, 5000, 2**62]))) == 0
    assert index.search(query, 5, allowed=np.array([0, 7, 2**62])).keys.tolist() == [7]
    assert len(index.search(query, 5, allowed=np.empty(0, np.int64))) == 0


def test_a_change_that_leaves_the_vector_alone_moves_nothing(corpus: Any, open_index: Any) -> None:
    index = open_index(corpus, kind="hnsw")
    before = index._held.table.slots
    for key in range(1, 500):
        corpus.touch(key)
    index.catch_up()
    assert index._held.table.slots == before


def test_a_transaction_that_was_undone_leaves_no_ghost(corpus: Any, open_index: Any) -> None:
    index = open_index(corpus)
    query = np.eye(16, dtype=np.float32)[0]
    corpus.put(5000, 9 * query)
    index.catch_up()
    assert index.search(query, 1).keys.tolist() == [5000]
    corpus.undo(1)
    corpus.put(5001, 8 * query)  # takes the number of the change that never was
    index.catch_up()
    assert index.search(query, 1).keys.tolist() == [5001]
    assert index.size == len(corpus.values)
    corpus.undo(1)
    index.catch_up()
    assert index.size == index.search(query, 2000).keys.size == len(corpus.values) == 1000


def test_no_vectors_are_no_trouble(fake_corpus: Any, open_index: Any) -> None:
    for kind in ("auto", "exact", "flat", "hnsw", "ivf"):
        corpus = fake_corpus(4)
        index = open_index(corpus, kind=kind)
        assert (index.size, index.number, index.kind_in_use) == (0, 0, "exact")
        assert len(index.search(np.ones(4), 5)) == 0
        corpus.purge(3)
        assert index.catch_up() == 1
        index.rebuild()
        assert len(index.search(np.ones(4), 5, allowed=np.array([3]))) == 0


@pytest.mark.parametrize("kind", ["exact", "hnsw"])
def test_a_rebuilt_index_answers_as_before(kind: str, corpus: Any, open_index: Any) -> None:
    index = open_index(corpus, kind=kind)
    for key in range(1, 200):
        corpus.forget(key)
    index.catch_up()
    assert index._held.table.dead == 199
    reads = corpus.reads
    index.rebuild()
    assert (corpus.reads, index._held.table.dead, index.kind_in_use) == (reads + 1, 0, kind)
    query = corpus.values[500]
    assert index.search(query, 20).keys.tolist() == corpus.best(query, 20)


def test_vectors_of_zeros_are_taken_and_score_nothing(fake_corpus: Any, open_index: Any) -> None:
    corpus = fake_corpus(2)
    corpus.put_many([1, 2, 3], [[0, 0], [1, 0], [-1, 0]])
    found = open_index(corpus).search(np.array([1.0, 0.0]), 3)
    assert (found.keys.tolist(), found.scores.tolist()) == ([2, 1, 3], [1, 0, -1])
    assert open_index(corpus).search(np.zeros(2), 3).keys.tolist() == [1, 2, 3]


def test_vectors_of_memories_are_given_in_order(corpus: Any, open_index: Any) -> None:
    index = open_index(corpus)
    corpus.forget(7)
    corpus.put(8, np.ones(16))
    index.catch_up()
    rows, known = index.vectors(np.array([9, 7, 5000, 8, 9]))
    assert known.tolist() == [True, False, False, True, True]
    assert np.array_equal(rows[[0, 3, 4]], [corpus.values[key] for key in (9, 8, 9)])
    assert not rows[[1, 2]].any()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (np.ones(3), r"has the shape \[3\]: give \[16\]"),
        (np.ones((1, 16)), r"has the shape \[1, 16\]"),
        (np.float32(1), r"has the shape \[\]"),
        ([np.nan] + [0.0] * 15, "NaN or infinity"),
        ([np.inf] + [0.0] * 15, "NaN or infinity"),
        ([1e300] + [0.0] * 15, "NaN or infinity"),
        (["a"] * 16, "no row of numbers"),
        (None, "shape|no row of numbers"),
    ],
)
def test_a_bad_query_is_refused(query: Any, said: str, corpus: Any, open_index: Any) -> None:
    with pytest.raises(InvalidInputError, match=said):
        open_index(corpus).search(query, 5)


@pytest.mark.parametrize("k", [0, -1, 1.5, "3", None, True])
def test_a_bad_k_is_refused(k: Any, corpus: Any, open_index: Any) -> None:
    with pytest.raises(InvalidInputError, match="give a whole number from 1"):
        open_index(corpus).search(np.ones(16), k)


@pytest.mark.parametrize("kind", ["exact", "flat", "hnsw", "ivf"])
def test_products_too_large_for_a_score_are_refused(
    kind: str, fake_corpus: Any, open_index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layered, "_ROWS_FOR_EACH", 0)
    corpus = fake_corpus(2)
    corpus.put_many(range(1, 301), np.random.default_rng(1).random((300, 2)) * 1e30)
    index = open_index(corpus, kind=kind)
    assert len(index.search(np.array([1e-30, 1e-30]), 1)) == 1
    with pytest.raises(InvalidInputError, match="scale vectors to length 1"):
        index.search(np.array([1e30, 1e30]), 1)


def test_other_bad_options_are_refused(corpus: Any) -> None:
    with pytest.raises(InvalidInputError, match="allowed are auto, exact, flat"):
        DenseIndex(corpus, embedder="model", dim=16, kind="best")
    with pytest.raises(InvalidInputError, match="at least 1 number"):
        DenseIndex(corpus, embedder="model", dim=0)


def test_an_embedder_whose_vectors_have_another_length_is_refused(corpus: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"'model' have 16 numbers and 8 are expected"):
        DenseIndex(corpus, embedder="model", dim=8).catch_up()
