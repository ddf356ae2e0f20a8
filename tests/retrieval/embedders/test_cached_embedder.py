from __future__ import annotations

import logging
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import EmbedderError, InvalidInputError, StoreBusyError
from engram_lab.core.sqlite.embedding_cache import open_embedding_cache
from engram_lab.retrieval.embedders.cached import (
    cache_key,
    cache_keys,
    with_cache,
)
from engram_lab.retrieval.embedders.hashing import HashingEmbedder
from engram_lab.retrieval.embedders.protocol import ImageEmbedder, TokenEmbedder, TokenVectors
from engram_lab.testing import check_embedder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from engram_lab.core.protocols import EmbeddingCache
    from engram_lab.retrieval.embedders.protocol import Kind


class Counting(HashingEmbedder):
    """Keeps what it was asked; refuses the text `bad`."""

    def __init__(self, dim: int = 32) -> None:
        super().__init__(dim)
        self.asked: list[list[str]] = []

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        self.asked.append(list(texts))
        if "bad" in texts:
            raise EmbedderError("the provider is down", retryable=True)
        return super().embed(texts, kind=kind)


class WithTokens(Counting):
    def embed_tokens(self, texts: Sequence[str], *, kind: Kind) -> list[TokenVectors]:
        return [TokenVectors((text,), self.embed([text], kind=kind)) for text in texts]


class WithImages(Counting):
    def embed_images(self, paths: Sequence[str | PathLike[str]]) -> NDArray[np.float32]:
        for row, path in enumerate(paths):
            if "missing" in str(path) or "no-such" in str(path):
                raise InvalidInputError("no such file", row=row)
        return super().embed([str(path) for path in paths], kind="document")


class WithBoth(WithTokens, WithImages):
    pass


@pytest.fixture
def cache() -> Iterator[EmbeddingCache]:
    with closing(open_embedding_cache(":memory:")) as cache:
        yield cache


@pytest.fixture
def inner() -> Counting:
    return Counting()


@pytest.mark.parametrize("kind", [Counting, WithTokens, WithImages, WithBoth])
def test_it_is_an_embedder(kind: type[Counting], cache: EmbeddingCache) -> None:
    check_embedder(with_cache(kind(), cache))


def test_a_text_is_embedded_once(inner: Counting, cache: EmbeddingCache) -> None:
    embedder = with_cache(inner, cache)
    first = embedder.embed(["a", "b", "a"], kind="document")
    second = embedder.embed(["b", "c", "a"], kind="document")

    assert inner.asked == [["a", "b"], ["c"]]
    assert (first[0] == second[2]).all()
    assert (first[1] == second[0]).all()
    assert (second == HashingEmbedder(32).embed(["b", "c", "a"], kind="document")).all()


def test_another_one_finds_what_was_kept(inner: Counting, cache: EmbeddingCache) -> None:
    with_cache(inner, cache).embed(["a"], kind="query")
    with_cache(inner, cache).embed(["a"], kind="query")
    assert inner.asked == [["a"]]


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), max_size=5))
def test_vectors_are_those_of_the_inner_one_bit_by_bit(rounds: list[list[str]]) -> None:
    inner = Counting()
    with closing(open_embedding_cache(":memory:")) as cache:
        embedder = with_cache(inner, cache)
        for texts in rounds:
            wanted = HashingEmbedder(32).embed(texts, kind="query")
            assert (embedder.embed(texts, kind="query") == wanted).all()
    asked = [text for some in inner.asked for text in some]
    assert sorted(asked) == sorted({text for texts in rounds for text in texts})


def test_questions_and_documents_are_kept_apart(inner: Counting, cache: EmbeddingCache) -> None:
    embedder = with_cache(inner, cache)
    embedder.embed(["a"], kind="query")
    embedder.embed(["a"], kind="document")
    assert inner.asked == [["a"], ["a"]]


def test_embedders_are_kept_apart(cache: EmbeddingCache) -> None:
    with_cache(Counting(32), cache).embed(["a"], kind="query")
    assert with_cache(Counting(48), cache).embed(["a"], kind="query").shape == (1, 48)


@pytest.mark.parametrize("other", ["a ", "A", "á", "a\n"])
def test_only_the_exact_text_is_the_same(
    other: str, inner: Counting, cache: EmbeddingCache
) -> None:
    embedder = with_cache(inner, cache)
    embedder.embed(["a"], kind="query")
    embedder.embed([other], kind="query")
    assert inner.asked[1] == [other]


def test_a_key_is_the_hash_of_kind_and_text() -> None:
    assert cache_key("á", kind="query") == sha256("query\ná".encode()).digest()
    assert cache_keys("a") == [cache_key("a", kind="query"), cache_key("a", kind="document")]


def test_a_text_is_forgotten_with_all_its_keys(inner: Counting, cache: EmbeddingCache) -> None:
    embedder = with_cache(inner, cache)
    embedder.embed(["a"], kind="query")
    embedder.embed(["a"], kind="document")
    cache.remove(cache_keys("a"))
    inner.asked.clear()
    embedder.embed(["a"], kind="query")
    embedder.embed(["a"], kind="document")
    assert inner.asked == [["a"], ["a"]]


def test_what_was_embedded_before_a_failure_is_kept(inner: Counting, cache: EmbeddingCache) -> None:
    embedder = with_cache(inner, cache)
    texts = [f"text {number}" for number in range(300)]
    with pytest.raises(EmbedderError, match="the provider is down"):
        embedder.embed([*texts, "bad"], kind="document")
    inner.asked.clear()
    embedder.embed(texts, kind="document")
    assert inner.asked == [texts[256:]]


def test_nothing_is_asked_for_nothing(inner: Counting, cache: EmbeddingCache) -> None:
    assert with_cache(inner, cache).embed([], kind="query").shape == (0, 32)
    assert inner.asked == []


class Sick:
    """A cache that another writer holds, or that gives what nobody put in."""

    def __init__(self, found: list[Any] | None = None) -> None:
        self.found = found

    def get(self, fingerprint: str, hashes: Sequence[bytes]) -> list[Any]:
        if self.found is None:
            raise StoreBusyError("the cache is locked")
        return self.found

    def put(self, fingerprint: str, hashes: Sequence[bytes], values: NDArray[np.float32]) -> None:
        raise StoreBusyError("the cache is locked")

    def remove(self, hashes: Sequence[bytes]) -> None: ...

    def close(self) -> None: ...


def test_a_cache_that_fails_is_left_aside(
    inner: Counting, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = HashingEmbedder(32).embed(["a"], kind="query")
    with caplog.at_level(logging.WARNING):
        found = with_cache(inner, Sick()).embed(["a"], kind="query")
    assert (found == wanted).all()
    assert [each.getMessage() for each in caplog.records] == [
        "the cache of embeddings cannot be read: the cache is locked",
        "the cache of embeddings cannot be written: the cache is locked",
    ]


def test_a_vector_of_another_length_is_not_taken(inner: Counting) -> None:
    found = with_cache(inner, Sick([np.ones(7, np.float32)])).embed(["a"], kind="query")
    assert found.shape == (1, 32)


@pytest.mark.parametrize(
    ("kind", "tokens", "images"),
    [
        (Counting, False, False),
        (WithTokens, True, False),
        (WithImages, False, True),
        (WithBoth, True, True),
    ],
)
def test_what_the_inner_one_can_do_is_still_found(
    kind: type[Counting], cache: EmbeddingCache, *, tokens: bool, images: bool
) -> None:
    embedder: Any = with_cache(kind(), cache)

    able = (isinstance(embedder, TokenEmbedder), isinstance(embedder, ImageEmbedder))
    assert able == (tokens, images)
    if tokens:
        assert embedder.embed_tokens(["a"], kind="query")[0].tokens == ("a",)
    if images:
        assert embedder.embed_images(["a.png"]).shape == (1, 32)
