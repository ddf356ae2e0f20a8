"""Whatever a plug-in does, it is vectors that come back, or an error of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.embedders.checked import (
    embed_both_checked,
    embed_checked,
    embed_tokens_checked,
)
from engram_lab.retrieval.embedders.protocol import TokenVectors

if TYPE_CHECKING:
    from collections.abc import Callable


class Plugged:
    """Gives what it is told to."""

    fingerprint, dim = "plugged", 3

    def __init__(self, give: Callable[[int], Any]) -> None:
        self.give = give

    def embed(self, texts: Any, *, kind: str) -> Any:
        assert kind in {"query", "document"}
        return self.give(len(texts))

    embed_tokens = embed_both = embed


def raising(error: Exception) -> Any:
    raise error


@pytest.mark.parametrize("n", [0, 1, 5])
def test_vectors_come_back_as_they_were_given(n: int) -> None:
    given = np.arange(3 * n, dtype=np.float32).reshape(n, 3)
    for kind in ("query", "document"):
        found = embed_checked(Plugged(lambda _: given), ["a"] * n, kind=kind)
        assert found.dtype == np.float32
        assert np.array_equal(found, given)


def test_lists_of_numbers_will_do() -> None:
    found = embed_checked(Plugged(lambda n: [[1, 2, 3]] * n), ["a", "b"], kind="query")
    assert found.tolist() == [[1.0, 2.0, 3.0]] * 2


@pytest.mark.parametrize(
    ("give", "why"),
    [
        (lambda n: np.zeros((n, 4)), r"vectors of the shape \[2, 4\] instead of \[2, 3\]"),
        (lambda n: np.zeros((n + 1, 3)), r"the shape \[3, 3\] instead of"),
        (lambda _: np.zeros(3), r"the shape \[3\] instead of"),
        (lambda n: np.full((n, 3), np.nan), "NaN or infinity"),
        (lambda n: np.full((n, 3), 1e300), "NaN or infinity"),
        (lambda _: "text", "a str that is no table of numbers"),
        (lambda _: [[1], [1, 2]], "a list that is no table of numbers"),
        (lambda _: raising(RuntimeError("boom")), "failed with RuntimeError: boom"),
    ],
)
def test_what_is_no_vector_for_each_text_is_an_error(give: Callable[[int], Any], why: str) -> None:
    with pytest.raises(EmbedderError, match=why) as error:
        embed_checked(Plugged(give), ["a", "b"], kind="document")
    assert not error.value.retryable


def test_a_network_that_was_away_is_worth_another_try() -> None:
    with pytest.raises(EmbedderError, match="TimeoutError: slow") as error:
        embed_checked(Plugged(lambda _: raising(TimeoutError("slow"))), ["a"], kind="query")
    assert error.value.retryable


@pytest.mark.parametrize(
    "said", [InvalidInputError("no such text"), EmbedderError("away", retryable=True)]
)
def test_what_the_embedder_says_itself_is_passed_on(said: Exception) -> None:
    with pytest.raises(type(said)) as error:
        embed_checked(Plugged(lambda _: raising(said)), ["a"], kind="query")
    assert error.value is said


def test_an_interruption_is_no_failure_of_the_embedder() -> None:
    def interrupt(_: int) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_checked(Plugged(interrupt), ["a"], kind="query")


def tokens(*sizes: int, dim: int = 3) -> list[TokenVectors]:
    return [TokenVectors(("a",) * n, np.ones((n, dim), np.float32)) for n in sizes]


def test_token_vectors_come_back_as_they_were_given() -> None:
    found = embed_tokens_checked(Plugged(lambda _: tokens(2, 0, 1)), ["a"] * 3, kind="document")
    assert [each.tokens for each in found] == [("a", "a"), (), ("a",)]
    assert [each.values.shape for each in found] == [(2, 3), (0, 3), (1, 3)]
    assert embed_tokens_checked(Plugged(lambda _: []), [], kind="query") == []


def test_lists_will_do_and_no_token_needs_no_shape() -> None:
    given = [(["a"], [[1, 2]]), ([], [])]
    found = embed_tokens_checked(Plugged(lambda _: given), ["a", ""], kind="query")
    assert found[0].tokens == ("a",)
    assert found[0].values.tolist() == [[1, 2]]
    assert found[1].values.shape == (0, 2)


WRONG_TOKENS = [
    (lambda n: tokens(*[1] * (n + 1)), "the tokens of 3 texts instead of 2"),
    (lambda _: [*tokens(1), *tokens(1, dim=4)], "vectors of the shape"),
    (lambda _: [(("a", "b"), np.ones((1, 3)))] * 2, r"shape \[1, 3\] instead of \[2, 3\]"),
    (lambda _: [(("a",), np.full((1, 3), np.inf))] * 2, "NaN or infinity"),
    (lambda _: [(("a",), None)] * 2, "instead of"),
    (lambda _: [(("a",), "text")] * 2, "no table of numbers"),
    (lambda _: None, "a NoneType that is no list of tokens"),
    (lambda _: [1, 2], "a list that is no list of tokens"),
    (lambda _: raising(RuntimeError("boom")), "failed with RuntimeError: boom"),
]


@pytest.mark.parametrize(("give", "why"), WRONG_TOKENS)
def test_other_token_vectors_are_an_error(give: Callable[[int], Any], why: str) -> None:
    with pytest.raises(EmbedderError, match=why):
        embed_tokens_checked(Plugged(give), ["a", "b"], kind="document")


@pytest.mark.parametrize(("give", "why"), WRONG_TOKENS)
def test_both_are_checked_as_each_alone(give: Callable[[int], Any], why: str) -> None:
    def both(n: int) -> Any:
        return np.zeros((n, 3)), give(n)

    with pytest.raises(EmbedderError, match=why):
        embed_both_checked(Plugged(both), ["a", "b"], kind="document")


@pytest.mark.parametrize(
    ("give", "why"),
    [
        (lambda n: (np.zeros((n, 4)), tokens(1, 1)), r"the shape \[2, 4\] instead of \[2, 3\]"),
        (lambda n: np.zeros((n + 1, 3)), "no pair of both"),
        (lambda _: None, "a NoneType that is no pair of both"),
    ],
)
def test_a_pair_that_is_none_is_an_error(give: Callable[[int], Any], why: str) -> None:
    with pytest.raises(EmbedderError, match=why):
        embed_both_checked(Plugged(give), ["a", "b"], kind="document")


def test_a_right_pair_comes_back() -> None:
    values, found = embed_both_checked(
        Plugged(lambda n: (np.ones((n, 3)), tokens(1, 2))), ["a", "b"], kind="document"
    )
    assert values.dtype == np.float32
    assert values.shape == (2, 3)
    assert [each.values.shape for each in found] == [(1, 3), (2, 3)]


def test_one_that_has_no_name_is_called_by_its_type() -> None:
    class Nameless:
        def embed_tokens(self, texts: Any, *, kind: str) -> Any:
            raise RuntimeError("boom")

    with pytest.raises(EmbedderError, match="the embedder 'Nameless' failed"):
        embed_tokens_checked(Nameless(), ["a"], kind="query")
