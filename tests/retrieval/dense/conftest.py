"""A corpus in memory whose every change is a call, and the ranking that brute force gives of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from engram_lab.core.protocols import VectorChanges
from engram_lab.retrieval.dense import DenseIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from engram_lab.core.protocols import Corpus

EMBEDDER = "model"

Expected = dict[int, float]


class FakeCorpus:
    """Vectors by key with a change log: what `DenseIndex` asks of a `Corpus`, and no more."""

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self.name = "a store"
        self.values: dict[int, NDArray[np.float32]] = {}
        self.forgotten: dict[int, NDArray[np.float32]] = {}
        self.changes: list[tuple[str, int]] = []
        self.limit = 10_000
        self.reads = 0

    def put(self, key: int, value: Any) -> None:
        self.values[key] = np.array(value, np.float32)
        self.changes.append(("embed", key))

    def put_many(self, keys: Any, values: Any) -> None:
        for key, value in zip(keys, values, strict=True):
            self.put(int(key), value)

    def touch(self, key: int) -> None:
        self.changes.append(("update", key))

    def forget(self, key: int) -> None:
        self.forgotten[key] = self.values.pop(key)
        self.changes.append(("forget", key))

    def restore(self, key: int) -> None:
        self.values[key] = self.forgotten.pop(key)
        self.changes.append(("restore", key))

    def purge(self, key: int) -> None:
        self.values.pop(key, None)
        self.forgotten.pop(key, None)
        self.changes.append(("purge", key))

    def undo(self, count: int) -> None:
        """Undo the last changes, which must have been to put new keys."""
        for action, key in self.changes[len(self.changes) - count :]:
            assert action == "embed"
            del self.values[key]
        del self.changes[len(self.changes) - count :]

    def last(self) -> int:
        return len(self.changes)

    def head(self) -> tuple[int, str]:
        return len(self.changes), self.stamp(len(self.changes)) or ""

    def stamp(self, number: int) -> str | None:
        if number == 0:
            return ""
        if number > len(self.changes):
            return None
        return f"{self.name} {self.changes[number - 1]}"

    def alive(self) -> NDArray[np.int64]:
        return np.array(sorted(self.values), np.int64)

    def all_vectors(self, embedder: str, *, batch_rows: int = 16_384) -> Iterator[VectorChanges]:
        assert embedder == EMBEDDER
        self.reads += 1
        keys = sorted(self.values)
        for start in range(0, max(len(keys), 1), 100):
            yield self._of(keys[start : start + 100], [], self.last(), purged=False)

    def vector_changes(self, embedder: str, after: int, *, limit: int = 10_000) -> VectorChanges:
        assert embedder == EMBEDDER
        number = min(after + self.limit, self.last())
        part = self.changes[after:number]
        changed = {key for action, key in part if action != "purge"}
        present = sorted(changed & self.values.keys())
        gone = sorted((changed & self.forgotten.keys()) - self.values.keys())
        return self._of(present, gone, number, purged=any(a == "purge" for a, _ in part))

    def _of(self, keys: list[int], gone: list[int], number: int, *, purged: bool) -> VectorChanges:
        rows = np.array([self.values[key] for key in keys], np.float32)
        return VectorChanges(
            number=number,
            keys=np.array(keys, np.int64),
            values=rows.reshape(len(keys), self.dim if keys else 0),
            gone=np.array(gone, np.int64),
            purged=purged,
        )

    def scores(self, query: Any, allowed: Any = None) -> Expected:
        """Return the inner product of every vector that is allowed, in double precision."""
        wanted = None if allowed is None else set(np.asarray(allowed).tolist())
        return {
            key: float(np.dot(value.astype(np.float64), np.asarray(query, np.float64)))
            for key, value in self.values.items()
            if wanted is None or key in wanted
        }

    def best(self, query: Any, k: int, allowed: Any = None) -> list[int]:
        """Return the true order: the highest inner product first, ties by rising key."""
        scores = self.scores(query, allowed)
        return sorted(scores, key=lambda key: (-scores[key], key))[:k]


def opened(corpus: FakeCorpus, **options: Any) -> DenseIndex:
    """Return an index that has caught up."""
    index = DenseIndex(
        cast("Corpus", corpus),
        embedder=options.pop("embedder", EMBEDDER),
        dim=corpus.dim,
        **options,
    )
    index.catch_up()
    return index


@pytest.fixture(scope="session")
def fake_corpus() -> type[FakeCorpus]:
    return FakeCorpus


@pytest.fixture(scope="session")
def open_index() -> Callable[..., DenseIndex]:
    return opened


@pytest.fixture
def corpus() -> FakeCorpus:
    """Return one of 1,000 unit vectors in 16 dimensions, around 50 centres."""
    chance = np.random.default_rng(7)
    centres = chance.standard_normal((50, 16))
    rows = centres[chance.integers(0, 50, 1000)] + 0.5 * chance.standard_normal((1000, 16))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    made = FakeCorpus(16)
    made.put_many(range(1, 1001), rows)
    return made


@pytest.fixture
def queries() -> NDArray[np.float32]:
    """Return 20 of the same kind."""
    chance = np.random.default_rng(7)
    rows = chance.standard_normal((50, 16))[:20]
    rows = rows + 0.3 * np.random.default_rng(8).standard_normal((20, 16))
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("f4")
    return unit
