"""The cache of vectors: what is kept is got back, and a file that is none is left alone."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engram_lab.core.errors import (
    InvalidInputError,
    NotAnEngramFileError,
    SchemaTooNewError,
    StoreClosedError,
    StoreCorruptError,
    StoreError,
)
from engram_lab.core.registry import open_embedding_cache
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.sqlite.embedding_cache import CACHE_APPLICATION_ID, EmbeddingCache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

DIM = 3
vectors = arrays(
    np.float32, DIM, elements=st.floats(width=32, allow_nan=False, allow_infinity=False)
)


def hash_of(text: str) -> bytes:
    return sha256(text.encode()).digest()


def hashes_of(*texts: str) -> list[bytes]:
    return [hash_of(text) for text in texts]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "cache.db"


@pytest.fixture
def cache(place: Path) -> Iterator[EmbeddingCache]:
    with open_embedding_cache(place) as opened:
        yield opened


def found(cache: EmbeddingCache, *texts: str, embedder: str = "m") -> list[Any]:
    return [
        None if each is None else each.tolist() for each in cache.get(embedder, hashes_of(*texts))
    ]


def put(cache: EmbeddingCache, *texts: str, value: float = 1, embedder: str = "m") -> None:
    cache.put(embedder, hashes_of(*texts), np.full((len(texts), DIM), value, np.float32))


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "remove"]), st.sampled_from("abc"), vectors), max_size=12
    )
)
def test_it_holds_what_a_dict_would_hold(steps: list[tuple[str, str, NDArray[np.float32]]]) -> None:
    model: dict[str, bytes] = {}
    with open_embedding_cache(":memory:") as cache:
        for deed, text, values in steps:
            if deed == "put":
                cache.put("m", [hash_of(text)], values[None])
                model[text] = values.tobytes()
            else:
                cache.remove([hash_of(text)])
                model.pop(text, None)
            held = cache.get("m", hashes_of(*"abc"))
            assert [None if each is None else each.tobytes() for each in held] == [
                model.get(text) for text in "abc"
            ]


def test_vectors_come_in_the_order_asked_for_as_often_as_asked_for(cache: EmbeddingCache) -> None:
    put(cache, "a", value=1)
    put(cache, "b", value=2)
    assert found(cache, "b", "x", "a", "b") == [[2] * DIM, None, [1] * DIM, [2] * DIM]
    assert found(cache) == []


def test_embedders_are_told_apart_and_a_text_is_forgotten_of_all(cache: EmbeddingCache) -> None:
    put(cache, "a", "b", value=1)
    put(cache, "a", value=2, embedder="other")
    assert found(cache, "a", embedder="other") == [[2] * DIM]
    assert found(cache, "a", embedder="unknown") == [None]
    cache.remove(hashes_of("a", "never kept"))
    assert found(cache, "a", "b") == [None, [1] * DIM]
    assert found(cache, "a", embedder="other") == [None]


def test_what_is_kept_outlives_the_process(place: Path) -> None:
    with open_embedding_cache(place) as cache:
        put(cache, "a")
    with open_embedding_cache(str(place)) as cache:
        assert found(cache, "a") == [[1] * DIM]


def test_no_byte_of_a_removed_vector_stays(place: Path) -> None:
    mark = np.frombuffer(b"find me here", np.float32)
    with open_embedding_cache(place) as cache:
        cache.put("m", hashes_of("a"), mark[None])
        files = [place, place.with_name(place.name + "-wal")]
        assert any(mark.tobytes() in each.read_bytes() for each in files)
        cache.remove(hashes_of("a"))
        assert not any(mark.tobytes() in each.read_bytes() for each in files)


@pytest.mark.parametrize(
    "values", [np.ones((1, 0)), np.ones((2, DIM)), np.ones(DIM), np.full((1, DIM), np.nan), "x"]
)
def test_what_is_no_vector_is_refused(cache: EmbeddingCache, values: Any) -> None:
    with pytest.raises(InvalidInputError, match="values"):
        cache.put("m", hashes_of("a"), values)
    assert found(cache, "a") == [None]


def test_another_dimension_is_refused_and_nothing_of_it_kept(cache: EmbeddingCache) -> None:
    put(cache, "a")
    with pytest.raises(InvalidInputError, match="dimensions"):
        cache.put("m", hashes_of("a", "b"), np.zeros((2, DIM + 1), np.float32))
    assert found(cache, "a", "b") == [[1] * DIM, None]


@pytest.mark.parametrize("hashes", [[b"short"], ["x" * 32], [7], [None]])
def test_a_hash_is_32_bytes(cache: EmbeddingCache, hashes: Any) -> None:
    for deed in (
        lambda: cache.get("m", hashes),
        lambda: cache.put("m", hashes, np.ones((1, DIM), np.float32)),
        lambda: cache.remove(hashes),
    ):
        with pytest.raises(InvalidInputError, match="32 bytes"):
            deed()


@pytest.mark.parametrize(
    "content", [b"hello, world\n", b"# notes\n" * 1000, b"\x00" * 4096, b"SQLite format 3"]
)
def test_a_file_that_is_no_database_is_left_alone(place: Path, content: bytes) -> None:
    place.write_bytes(content)
    with pytest.raises(NotAnEngramFileError, match="left as it is"):
        open_embedding_cache(place)
    assert {each.name: each.read_bytes() for each in place.parent.iterdir()} == {
        place.name: content
    }


def test_another_database_is_left_alone(place: Path) -> None:
    SqliteStore.open(str(place)).close()
    before = place.read_bytes()
    with pytest.raises(NotAnEngramFileError, match="no cache of embeddings"):
        open_embedding_cache(place)
    assert place.read_bytes() == before


def test_a_cache_is_no_store(place: Path) -> None:
    open_embedding_cache(place).close()
    assert place.read_bytes()[68:72] == CACHE_APPLICATION_ID.to_bytes(4, "big") == b"EnCa"
    with pytest.raises(NotAnEngramFileError):
        SqliteStore.open(str(place))


def test_a_newer_cache_is_left_alone(place: Path) -> None:
    open_embedding_cache(place).close()
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = place.read_bytes()
    with pytest.raises(SchemaTooNewError, match="schema 99"):
        open_embedding_cache(place)
    assert place.read_bytes() == before


def test_a_damaged_cache_says_so_and_may_be_deleted(place: Path) -> None:
    with open_embedding_cache(place) as cache:
        put(cache, *(str(n) for n in range(500)))
    content = bytearray(place.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096 : page * 4096 + 512] = b"\xa5" * 512
    place.write_bytes(content)

    def use() -> None:
        with open_embedding_cache(place) as cache:
            found(cache, *(str(n) for n in range(500)))

    with pytest.raises(StoreCorruptError, match="you may delete it"):
        use()


def test_a_vector_of_another_length_is_not_believed(place: Path) -> None:
    with open_embedding_cache(place) as cache:
        put(cache, "a", "b")
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("UPDATE vectors SET data = x'00' WHERE hash = ?", (hash_of("a"),))
        connection.commit()
    with open_embedding_cache(place) as cache:
        assert found(cache, "a", "b") == [None, [1] * DIM]


def test_a_place_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        open_embedding_cache(tmp_path)
    with pytest.raises(StoreError, match="create it first"):
        open_embedding_cache(tmp_path / "nowhere" / "cache.db")


def test_a_closed_cache_says_so(cache: EmbeddingCache) -> None:
    cache.close()
    cache.close()
    with pytest.raises(StoreClosedError, match="closed"):
        found(cache, "a")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_opens_its_own(cache: EmbeddingCache) -> None:
    put(cache, "a")
    child = os.fork()
    if child == 0:  # pragma: no cover - in a process of its own
        try:
            found(cache, "a")
        except StoreClosedError:
            cache.close()
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert found(cache, "a") == [[1] * DIM]


def test_threads_share_it(cache: EmbeddingCache) -> None:
    faults: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for n in range(30):
                put(cache, f"{number} {n}", value=n)
                assert found(cache, f"{number} {n}") == [[n] * DIM]
        except BaseException as fault:  # noqa: BLE001 - told by the test itself
            faults.append(fault)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert faults == []
