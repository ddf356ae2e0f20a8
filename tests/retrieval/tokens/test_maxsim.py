from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.tokens.codec import HalfFloats, SmallCodes
from engram_lab.retrieval.tokens.maxsim import inverse_frequencies, nearest, weighted_mean
from engram_lab.retrieval.tokens.table import TokenTable

if TYPE_CHECKING:
    from collections.abc import Callable

    Words = Callable[[], Any]

TEXTS = st.lists(st.sampled_from(["tea", "the", "drinks", "cat", "."]), max_size=6).map(" ".join)


def by_hand(embedder: Any, question: str, text: str) -> list[float]:
    """The paper's maximum, word by word, of the words that hold a letter where there are any."""
    asked, told = embedder.tokens(question), embedder.tokens(text)
    rows = [at for at, word in enumerate(told.tokens) if word != "."] or range(len(told.tokens))
    return [max((float(one @ told.values[at]) for at in rows), default=0.0) for one in asked.values]


@given(TEXTS, st.lists(TEXTS, max_size=6))
def test_each_word_of_the_question_finds_its_nearest(
    words: Words, question: str, texts: list[str]
) -> None:
    embedder = words()
    table = TokenTable(embedder, codec=HalfFloats())
    found = nearest(table, embedder.tokens(question).values, texts)
    wanted = [by_hand(embedder, question, text) for text in texts]
    assert found.dtype == np.float32
    assert found.shape == (len(texts), len(question.split()))
    np.testing.assert_allclose(found, np.array(wanted).reshape(found.shape), atol=1e-3)


@given(TEXTS, st.lists(TEXTS, max_size=6))
def test_small_codes_give_what_their_decoded_vectors_give(
    words: Words, question: str, texts: list[str]
) -> None:
    embedder, codec = words(), SmallCodes()
    table = TokenTable(embedder, codec=codec)
    asked = embedder.tokens(question).values
    found = nearest(table, asked, texts)
    for row, codes in zip(found, table.of(texts), strict=True):
        rows = np.frombuffer(codes, np.uint8).reshape(-1, codec.width(embedder.dim))
        cosines = (codec.decode(rows, embedder.dim) @ asked.T).clip(-1, 1)
        wanted = cosines.max(axis=0) if len(rows) else np.zeros(len(asked))
        np.testing.assert_allclose(row, wanted, atol=1e-5)


def test_questions_may_be_asked_together(words: Words) -> None:
    embedder, texts = words(), ["the cat", "tea", ""]
    table = TokenTable(embedder)
    one, other = embedder.tokens("who drinks tea").values, embedder.tokens("a cat").values
    together = nearest(table, np.concatenate([one, other]), texts)
    apart = np.hstack([nearest(table, one, texts), nearest(table, other, texts)])
    np.testing.assert_allclose(together, apart, atol=1e-6)


def test_what_a_text_gets_does_not_depend_on_the_others(words: Words) -> None:
    embedder, texts = words(), ["the cat", "", "tea the . who", "tea"]
    asked = embedder.tokens("who drinks tea").values
    together = nearest(TokenTable(embedder), asked, texts)
    alone = [nearest(TokenTable(embedder), asked, [text])[0] for text in texts]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_nothing_asked_or_told_is_near_to_nothing(words: Words) -> None:
    table = TokenTable(words())
    asked = words().tokens("tea cat").values
    assert nearest(table, asked, []).shape == (0, 2)
    assert nearest(table, asked, ["", ""]).tolist() == [[0, 0], [0, 0]]
    assert nearest(table, asked[:0], ["tea"]).shape == (1, 0)


def test_a_question_of_another_shape_is_refused(words: Words) -> None:
    table = TokenTable(words())
    with pytest.raises(InvalidInputError, match=r"asked has the shape \[24\]"):
        nearest(table, words().tokens("tea").values[0], ["tea"])
    for dim in (7, 10):  # of 10, two would fit into the bytes of one of 24
        with pytest.raises(InvalidInputError, match=f"no rows of {dim} numbers"):
            nearest(table, np.ones((1, dim), np.float32), ["tea"])


def test_weights_are_those_of_the_formula() -> None:
    held = {"tea": 3, "the": 90, "odd": 500}
    found = inverse_frequencies(
        ["tea", "the", "tea", "odd", "new"], frequency=lambda t: held.get(t, 0), count=100
    )
    wanted = [math.log(1 + (100 - n + 0.5) / (n + 0.5)) for n in (3, 90, 3, 100, 0)]
    assert found.tolist() == pytest.approx(wanted)
    assert (found > 0).all()


def test_each_token_is_looked_up_once() -> None:
    asked: list[str] = []

    def frequency(token: str) -> int:
        asked.append(token)
        return 1

    inverse_frequencies(["a", "b", "a"], frequency=frequency, count=10)
    assert sorted(asked) == ["a", "b"]


def test_the_mean_is_weighted() -> None:
    near = np.array([[1, 0], [0.5, 0.5]], np.float32)
    assert weighted_mean(near, np.array([3.0, 1.0])).tolist() == [0.75, 0.5]
    assert weighted_mean(near[:, :0], np.zeros(0)).tolist() == [0, 0]
    assert weighted_mean(near[:0], np.ones(2)).tolist() == []
