from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from engram_lab.core.errors import EmbedderError
from engram_lab.retrieval.embedders.hashing import HashingEmbedder
from engram_lab.retrieval.embedders.protocol import TokenVectors
from engram_lab.testing import ConformanceError, check_embedder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Embedder


class Good:
    """A true embedder, of which a test breaks one thing."""

    def __init__(self) -> None:
        self.true = HashingEmbedder(64)
        self.calls = 0

    @property
    def fingerprint(self) -> str:
        return self.true.fingerprint

    @property
    def dim(self) -> int:
        return 64

    def embed(self, texts: Any, *, kind: Any) -> NDArray[np.float32]:
        self.calls += 1
        return self.true.embed(texts, kind=kind)


class Spoilt(Good):
    def __init__(self, spoil: Callable[[NDArray[Any]], Any]) -> None:
        super().__init__()
        self.spoil = spoil

    def embed(self, texts: Any, *, kind: Any) -> NDArray[np.float32]:
        return cast("NDArray[np.float32]", self.spoil(super().embed(texts, kind=kind)))


class Unnamed(Good):
    @property
    def fingerprint(self) -> str:
        return " "


class Changing(Good):
    @property
    def fingerprint(self) -> str:
        return f"call {self.calls}"


class Drifting(Good):
    def embed(self, texts: Any, *, kind: Any) -> NDArray[np.float32]:
        rows = super().embed(texts, kind=kind)
        rows[:, 0] += 0.00004 * (self.calls % 2)
        return rows


class LooksAround(Good):
    """Subtracts the mean of its batch."""

    def embed(self, texts: Any, *, kind: Any) -> NDArray[np.float32]:
        rows = super().embed(texts, kind=kind)
        if len(rows) > 4:
            rows = rows - 0.1 * rows.mean(axis=0)
            rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return rows.astype(np.float32)


class Sorting(Good):
    def embed(self, texts: Any, *, kind: Any) -> NDArray[np.float32]:
        return super().embed(texts if isinstance(texts, str) else sorted(texts, key=str), kind=kind)


class Lenient(Good):
    def embed(self, texts: Any, *, kind: Any) -> NDArray[np.float32]:
        return super().embed([texts] if isinstance(texts, str) else texts, kind=kind)


class AnyKind(Good):
    def embed(self, texts: Any, *, kind: Any) -> NDArray[np.float32]:
        return super().embed(texts, kind="query")


class Stops(Good):
    def embed(self, texts: Any, *, kind: Any) -> NDArray[np.float32]:
        if len(texts) == 0:
            raise EmbedderError("the provider wants a text")
        return super().embed(texts, kind=kind)


class LosesTokens(Good):
    def embed_tokens(self, texts: Sequence[str], *, kind: Any) -> list[TokenVectors]:
        return [TokenVectors(("a", "b"), super().embed(["a"], kind=kind))] * len(texts)


class MakesImagesUp(Good):
    def embed_images(self, paths: Sequence[Any]) -> NDArray[np.float32]:
        return self.true.embed([str(path) for path in paths], kind="document")


def same(rows: NDArray[Any]) -> NDArray[Any]:
    return np.repeat(np.eye(1, 64, dtype=np.float32), len(rows), axis=0)


def test_a_good_one_passes() -> None:
    check_embedder(Good())


@pytest.mark.parametrize(
    ("embedder", "law", "seen"),
    [
        (Unnamed(), "a fingerprint says something", "it is ' '"),
        (Changing(), "stays as it is", "is 'call 1' after a text"),
        (Spoilt(lambda rows: rows.astype(np.float64)), "float32", "type float64"),
        (Spoilt(lambda rows: rows.tolist()), "float32", "gave a list"),
        (Spoilt(lambda rows: rows[:, :8]), "`dim` float32", r"the shape \(10, 8\), not \(10, 64\)"),
        (Spoilt(lambda rows: rows[:1]), "for each text", r"the shape \(1, 64\)"),
        (Spoilt(lambda rows: rows * np.float32(1.01)), "of length 1", r"the length \[1\.01"),
        (Spoilt(lambda rows: rows * np.float32(np.nan)), "of length 1", "not finite"),
        (Spoilt(same), "texts that differ are told apart", "the cosines of three of them are"),
        (Stops(), r"no text at all gives \[0, dim\]", "EmbedderError was raised: the provider"),
        (Drifting(), "the same vector", "of a second time differ by 4e-05, more than 1e-05"),
        (Sorting(), "the same vector", "in the other order differ"),
        (LooksAround(), "the same vector", "alone and among others, those of 0 differ"),
        (Lenient(), "what is no list", "a single text was not refused with InvalidInputError"),
        (AnyKind(), "a kind that is neither", "the kind 'passage' was not refused"),
        (LosesTokens(), "each token of a text has a vector", r"the shape \(1, 64\), not \(2, 64\)"),
        (MakesImagesUp(), "a file that is missing", "a file that is missing was not refused"),
    ],
)
def test_a_broken_law_is_found_and_named(embedder: Embedder, law: str, seen: str) -> None:
    with pytest.raises(ConformanceError, match=seen) as caught:
        check_embedder(embedder)
    assert law.replace("\\", "") in caught.value.law


def test_what_may_differ_can_be_set() -> None:
    check_embedder(Drifting(), tolerance=1e-3)
