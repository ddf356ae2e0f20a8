"""An embedder whose vectors can be told by hand: each word has one, whatever stands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import pytest

from engram_lab.retrieval.embedders.protocol import Kind, TokenVectors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

DIM = 24


def vector_of(word: str) -> NDArray[np.float32]:
    vector = np.random.default_rng(crc32(word.encode())).normal(size=DIM)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


class WordEmbedder:
    """Counts what it is asked: the way, and the texts."""

    fingerprint, dim = "words", DIM

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str], Kind]] = []

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        self.asked.append(("embed", list(texts), kind))
        return self._sentences(texts)

    def embed_tokens(self, texts: Sequence[str], *, kind: Kind) -> list[TokenVectors]:
        self.asked.append(("tokens", list(texts), kind))
        return [self.tokens(text) for text in texts]

    def embed_both(
        self, texts: Sequence[str], *, kind: Kind
    ) -> tuple[NDArray[np.float32], list[TokenVectors]]:
        self.asked.append(("both", list(texts), kind))
        return self._sentences(texts), [self.tokens(text) for text in texts]

    def _sentences(self, texts: Sequence[str]) -> NDArray[np.float32]:
        sums = [self.tokens(text).values.sum(axis=0) for text in texts]
        rows = np.array(sums, np.float32).reshape(-1, DIM)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / np.where(lengths, lengths, 1), np.float32)

    @staticmethod
    def tokens(text: str) -> TokenVectors:
        words = tuple(text.split())
        rows = np.array([vector_of(word) for word in words], np.float32)
        return TokenVectors(words, rows.reshape(-1, DIM))


@pytest.fixture(scope="session")
def words() -> Callable[[], WordEmbedder]:
    """Make an embedder of words."""
    return WordEmbedder
