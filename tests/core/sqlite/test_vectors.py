from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError, NotFoundError
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def ids(store: SqliteStore) -> tuple[str, ...]:
    return store.memories.remember_many([{"content": each} for each in "abc"]).ids


def table(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, dtype=np.float32)


def values_of(store: SqliteStore, *ids: str, embedder: str = "e") -> list[list[float] | None]:
    found = store.vectors.get(embedder, ids)
    return [None if vector is None else vector.values.tolist() for vector in found]


def test_vectors_come_back_in_the_order_asked_for(store: SqliteStore, ids: tuple[str, ...]) -> None:
    store.vectors.put("e", ids[:2], table([1, 2], [3, 4]))
    assert values_of(store, ids[1], ids[2], ids[0], ids[1]) == [[3, 4], None, [1, 2], [3, 4]]
    assert values_of(store, ids[0], embedder="other") == [None]
    assert values_of(store, UNKNOWN) == [None]
    (vector,) = store.vectors.get("e", ids[:1])
    assert vector is not None
    assert (ids[0], "e", NOON) == (vector.memory_id, vector.embedder, vector.created_at)
    assert vector.values.dtype == np.float32


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=9))
def test_every_bit_is_kept(values: list[float]) -> None:
    store = SqliteStore.open(":memory:")
    memory = store.memories.remember({"content": "x"})
    given_values = np.array([values], dtype=np.float32)
    store.vectors.put("e", [memory.id], given_values)
    (vector,) = store.vectors.get("e", [memory.id])
    assert vector is not None
    assert given_values.tobytes() == vector.values.tobytes()
    store.close()


def test_a_memory_has_one_vector_of_each_embedder(store: SqliteStore, ids: tuple[str, ...]) -> None:
    store.vectors.put("e", ids[:1], table([1, 2]))
    store.vectors.put("f", ids[:1], table([1, 2, 3]))
    store.vectors.put("e", ids[:1], table([5, 6]))
    assert values_of(store, ids[0]) == [[5, 6]]
    assert values_of(store, ids[0], embedder="f") == [[1, 2, 3]]
    assert store.vectors.embedders() == {"e": 2, "f": 3}


@pytest.mark.parametrize(
    "values",
    [
        np.ones((2, 2)),
        np.ones((3, 0)),
        np.ones(3),
        np.ones((3, 2, 1)),
        [[1, 2], [3, 4]],
        [[1, np.nan], [1, 2], [1, 2]],
        [[1, np.inf], [1, 2], [1, 2]],
        [[1, 1e300], [1, 2], [1, 2]],
        [[1, 2], [1], [1, 2]],
        [["a", "b"]] * 3,
        [[1j, 2]] * 3,
        "abc",
        None,
    ],
    ids=str,
)
def test_other_shapes_and_values_are_refused(
    store: SqliteStore, ids: tuple[str, ...], values: Any
) -> None:
    with pytest.raises(InvalidInputError, match="values"):
        store.vectors.put("e", ids, values)
    assert values_of(store, *ids) == [None, None, None]
    assert store.vectors.embedders() == {}


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int64, ">f4"])
def test_numbers_of_another_kind_become_float32(
    store: SqliteStore, ids: tuple[str, ...], dtype: Any
) -> None:
    store.vectors.put("e", ids[:1], np.array([[1, 2]], dtype=dtype))
    assert values_of(store, ids[0]) == [[1, 2]]


def test_another_dimension_needs_another_fingerprint(
    store: SqliteStore, ids: tuple[str, ...]
) -> None:
    store.vectors.put("e", ids[:1], table([1, 2]))
    with pytest.raises(InvalidInputError, match="has vectors of 2 dimensions, and these have 3"):
        store.vectors.put("e", ids[1:2], table([1, 2, 3]))
    assert values_of(store, *ids[:2]) == [[1, 2], None]


@pytest.mark.parametrize("embedder", ["", "a\x00", "x" * 257, None, 7])
def test_a_fingerprint_is_a_label(store: SqliteStore, ids: tuple[str, ...], embedder: Any) -> None:
    with pytest.raises(InvalidInputError):
        store.vectors.put(embedder, ids[:1], table([1, 2]))


def test_all_or_none_are_stored(store: SqliteStore, ids: tuple[str, ...]) -> None:
    last = store.changes.last()
    with pytest.raises(NotFoundError):
        store.vectors.put("e", [ids[0], UNKNOWN], table([1, 2], [3, 4]))
    assert values_of(store, ids[0]) == [None]
    assert last == store.changes.last()
    assert store.vectors.embedders() == {}


def test_no_ids_are_fine(store: SqliteStore) -> None:
    store.vectors.put("e", [], np.ones((0, 2), dtype=np.float32))
    assert store.changes.last() == 0


def test_the_missing_are_told_in_the_order_they_were_stored(
    store: SqliteStore, ids: tuple[str, ...]
) -> None:
    assert list(ids) == store.vectors.missing("e")
    assert [ids[0]] == store.vectors.missing("e", limit=1)
    store.vectors.put("e", [ids[1]], table([1, 2]))
    assert [ids[0], ids[2]] == store.vectors.missing("e")
    assert list(ids) == store.vectors.missing("f")


def test_each_vector_is_in_the_log(store: SqliteStore, ids: tuple[str, ...]) -> None:
    last = store.changes.last()
    store.vectors.put("e", ids[:2], table([1, 2], [3, 4]))
    entries = store.changes.since(last)
    assert [("embed", "vector", ids[0]), ("embed", "vector", ids[1])] == [
        (entry.action, entry.target, entry.id) for entry in entries
    ]


def test_what_is_returned_is_no_longer_the_stores(store: SqliteStore, ids: tuple[str, ...]) -> None:
    mine = table([1, 2])
    store.vectors.put("e", ids[:1], mine)
    mine[0, 0] = 9
    assert values_of(store, ids[0]) == [[1, 2]]
