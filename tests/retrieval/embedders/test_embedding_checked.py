"""Whatever a plug-in does, it is vectors that come back, or an error of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.embedders.checked import embed_checked

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
