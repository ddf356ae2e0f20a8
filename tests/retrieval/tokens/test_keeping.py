from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import EmbedderError
from engram_lab.core.sqlite.embedding_cache import open_embedding_cache
from engram_lab.retrieval.embedders import (
    ImageEmbedder,
    SentenceAndTokenEmbedder,
    TokenEmbedder,
)
from engram_lab.retrieval.embedders.cached import with_cache
from engram_lab.retrieval.embedders.hashing import HashingEmbedder
from engram_lab.retrieval.embedders.protocol import TokenVectors
from engram_lab.retrieval.tokens.keeping import keeping_tokens
from engram_lab.retrieval.tokens.table import TokenTable
from engram_lab.testing import check_embedder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Kind

    Words = Callable[[], Any]


@pytest.fixture
def inner(words: Words) -> Any:
    return words()


@pytest.fixture
def table(inner: Any) -> TokenTable:
    return TokenTable(inner)


class Both(HashingEmbedder):
    """Checks what it is given, as embedders do; a text is one token."""

    def embed_tokens(self, texts: Sequence[str], *, kind: Kind) -> list[TokenVectors]:
        rows = self.embed(texts, kind=kind)
        return [
            TokenVectors((text,), row[np.newaxis]) for text, row in zip(texts, rows, strict=True)
        ]

    def embed_both(
        self, texts: Sequence[str], *, kind: Kind
    ) -> tuple[NDArray[np.float32], list[TokenVectors]]:
        return self.embed(texts, kind=kind), self.embed_tokens(texts, kind=kind)


def test_it_is_an_embedder_alone_and_behind_a_cache() -> None:
    inner = Both(24)
    embedder = keeping_tokens(inner, TokenTable(inner))
    check_embedder(embedder)
    with closing(open_embedding_cache(":memory:")) as cache:
        check_embedder(with_cache(embedder, cache))


def ways(inner: Any) -> list[tuple[str, int]]:
    return [(way, len(texts)) for way, texts, _ in inner.asked]


def test_documents_leave_their_tokens_behind(inner: Any, table: TokenTable) -> None:
    embedder = keeping_tokens(inner, table)
    texts = ["the cat", "tea", ""]
    values = embedder.embed(texts, kind="document")
    assert np.array_equal(values, inner.embed(texts, kind="document"))
    assert ways(inner) == [("both", 3), ("embed", 3)]
    wanted = [bytes(each) for each in TokenTable(inner).of(texts)]
    inner.asked.clear()
    assert [bytes(each) for each in table.of(texts)] == wanted
    assert inner.asked == []


def test_questions_leave_nothing_behind(inner: Any, table: TokenTable) -> None:
    values = keeping_tokens(inner, table).embed(["tea"], kind="query")
    assert np.array_equal(values, inner.embed(["tea"], kind="query"))
    assert ways(inner)[0] == ("embed", 1)
    assert len(table) == 0


def test_many_documents_are_embedded_some_at_a_time(inner: Any, table: TokenTable) -> None:
    texts = [f"text {number}" for number in range(300)]
    values = keeping_tokens(inner, table).embed(texts, kind="document")
    assert ways(inner) == [("both", 128), ("both", 128), ("both", 44)]
    assert np.array_equal(values, inner.embed(texts, kind="document"))
    assert len(table) == 300


def test_no_document_at_all_is_no_trouble(inner: Any, table: TokenTable) -> None:
    assert keeping_tokens(inner, table).embed([], kind="document").shape == (0, 24)


def test_it_is_the_same_embedder_by_name_and_by_what_it_can_do(
    inner: Any, table: TokenTable
) -> None:
    embedder: Any = keeping_tokens(inner, table)
    assert (embedder.fingerprint, embedder.dim) == ("words", 24)
    assert isinstance(embedder, TokenEmbedder)
    assert isinstance(embedder, SentenceAndTokenEmbedder)
    assert not isinstance(embedder, ImageEmbedder)
    (tokens,) = embedder.embed_tokens(["tea"], kind="document")
    (values, both) = embedder.embed_both(["tea"], kind="document")
    assert tokens.tokens == both[0].tokens == ("tea",)
    assert values.shape == (1, 24)
    assert len(table) == 0


def test_images_are_still_found(inner: Any, table: TokenTable) -> None:
    inner.embed_images = lambda paths: np.ones((len(paths), 24), np.float32)
    embedder: Any = keeping_tokens(inner, table)
    assert isinstance(embedder, ImageEmbedder)
    assert embedder.embed_images(["a.png"]).shape == (1, 24)


def test_one_that_cannot_give_both_stays_as_it_is(table: TokenTable) -> None:
    plain = HashingEmbedder(24)
    assert keeping_tokens(plain, table) is plain


@pytest.mark.parametrize("kind", ["passage", None])
def test_an_unknown_kind_is_refused(inner: Any, table: TokenTable, kind: Any) -> None:
    with pytest.raises(ValueError, match="kind is"):
        keeping_tokens(inner, table).embed(["a"], kind=kind)


def test_what_gives_wrong_tokens_is_refused_before_anything_is_kept(
    inner: Any, table: TokenTable
) -> None:
    inner.embed_both = lambda texts, kind: (inner.embed(texts, kind=kind), [])
    with pytest.raises(EmbedderError, match="the tokens of 0 texts instead of 1"):
        keeping_tokens(inner, table).embed(["tea"], kind="document")
    assert len(table) == 0


def test_a_text_from_the_cache_makes_its_tokens_when_asked(inner: Any, table: TokenTable) -> None:
    with closing(open_embedding_cache(":memory:")) as cache:
        with_cache(inner, cache).embed(["tea"], kind="document")
        inner.asked.clear()
        embedder = with_cache(keeping_tokens(inner, table), cache)
        embedder.embed(["tea", "cat"], kind="document")
    assert isinstance(embedder, TokenEmbedder)
    assert inner.asked == [("both", ["cat"], "document")]
    assert ["cat" in table, "tea" in table] == [True, False]
    table.of(["tea", "cat"])
    assert inner.asked[1:] == [("tokens", ["tea"], "document")]


def test_only_what_is_wanted_is_kept_and_the_rest_is_embedded_alone(
    inner: Any, table: TokenTable
) -> None:
    embedder = keeping_tokens(inner, table, wanted=lambda text: text.startswith("the"))
    values = embedder.embed(["tea", "the cat", "cup"], kind="document")
    assert ways(inner) == [("both", 3)]
    assert [text in table for text in ("tea", "the cat", "cup")] == [False, True, False]
    assert np.array_equal(values, inner.embed(["tea", "the cat", "cup"], kind="document"))
    inner.asked.clear()
    embedder.embed(["tea", "cup"], kind="document")
    embedder.embed(["the cup"], kind="query")
    assert ways(inner) == [("embed", 2), ("embed", 1)]
    assert len(table) == 1
