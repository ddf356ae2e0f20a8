"""Engines with an embedder of our own, which knows nothing but words and can be made to fail."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
import pytest

from engram_lab import Engine, EngineConfig, ManualClock
from engram_lab.retrieval.embedders.protocol import TokenVectors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Kind

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def vector_of(word: str, dim: int) -> NDArray[np.float32]:
    values = np.random.default_rng(crc32(word.encode())).normal(size=dim)
    return (values / np.linalg.norm(values)).astype(np.float32)


@dataclass
class Words:
    """The sum of a vector for each word, of length 1; zeros for a text without any.

    Attributes:
        dim: How many numbers a vector has.
        name: The fingerprint.
        fault: Called with the texts before documents are embedded; may raise, or wait.
        bend: Makes something else of the vectors.
        asked: All texts that were embedded, in order, each with its kind.
    """

    dim: int = 8
    name: str = "words"
    fault: Callable[[Sequence[str]], None] = lambda _: None
    bend: Callable[[Any], Any] = lambda values: values
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        return f"{self.name}/{self.dim}"

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        if kind == "document":
            self.fault(texts)
        self.asked += [(text, kind) for text in texts]
        values = np.zeros((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                values[row] += vector_of(word, self.dim)
        lengths = np.linalg.norm(values, axis=1, keepdims=True)
        bent: NDArray[np.float32] = self.bend(values / np.where(lengths == 0, 1, lengths))
        return bent

    @property
    def documents(self) -> list[str]:
        """The memories that were embedded."""
        return [text for text, kind in self.asked if kind == "document"]


class TokenWords(Words):
    """The same with a vector for each word, for late interaction."""

    def embed_tokens(self, texts: Sequence[str], *, kind: Kind) -> list[TokenVectors]:
        found = []
        for text in texts:
            tokens = tuple(re.findall(r"\w+", text.lower()))
            rows = [vector_of(token, self.dim) for token in tokens]
            found.append(TokenVectors(tokens, np.array(rows, np.float32).reshape(-1, self.dim)))
        return found


@dataclass
class PairWords(TokenWords):
    """The same with both at once, as the models have them that conversations are ordered by.

    Attributes:
        pairs: All texts of which both were made, in order, each with its kind.
    """

    pairs: list[tuple[str, str]] = field(default_factory=list)

    def embed_both(
        self, texts: Sequence[str], *, kind: Kind
    ) -> tuple[NDArray[np.float32], list[TokenVectors]]:
        self.pairs += [(text, kind) for text in texts]
        return self.embed(texts, kind=kind), self.embed_tokens(texts, kind=kind)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture(scope="session")
def make_clock() -> Callable[[], ManualClock]:
    return lambda: ManualClock(NOON)


@pytest.fixture(scope="session")
def words() -> type[Words]:
    return Words


@pytest.fixture(scope="session")
def token_words() -> type[TokenWords]:
    return TokenWords


@pytest.fixture(scope="session")
def pair_words() -> type[PairWords]:
    return PairWords


@pytest.fixture(scope="session")
def opened() -> Callable[..., Engine]:
    """Open an engine: at a path, with an embedder, under settings by section."""

    def open_(
        path: object = ":memory:",
        *,
        clock: Any = None,
        embedder: Any = None,
        read_only: bool = False,
        **sections: Any,
    ) -> Engine:
        sections.setdefault("store", {"seed": 1})
        return Engine.open(
            str(path),
            config=EngineConfig.from_dict(sections),
            clock=ManualClock(NOON) if clock is None else clock,
            embedder=embedder,
            read_only=read_only,
        )

    return open_
