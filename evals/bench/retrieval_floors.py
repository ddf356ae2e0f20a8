"""What ours is held against: the bare parts of a hybrid recall, and an exact BM25 to check by.

None of them knows filters, scopes or changes: static arrays, one query at a time.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

import apsw
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

K1, B = 1.2, 0.75
BACKEND = "numba" if importlib.util.find_spec("numba") else "numpy"


def split(text: str) -> list[str]:
    """Return the words of a text of the workload, as any analyser makes them."""
    return text.lower().split()


class Terms:
    """Texts as numbers of words: what bm25s and the exact scores are made of."""

    def __init__(self, texts: Iterable[str]) -> None:
        known: dict[str, int] = {}
        self.ids = [[known.setdefault(word, len(known)) for word in split(text)] for text in texts]
        self.known = known

    def __len__(self) -> int:
        return len(self.ids)


class Static:
    """bm25s over static arrays."""

    def __init__(self, terms: Terms, *, backend: str = BACKEND) -> None:
        bm25s: Any = importlib.import_module("bm25s")  # it ships no types
        self.index = bm25s.BM25(method="lucene", k1=K1, b=B, backend=backend)
        held = bm25s.tokenization.Tokenized(ids=terms.ids, vocab=terms.known)
        self.index.index(held, show_progress=False)

    def search(self, words: list[str], k: int) -> Any:
        """Return the best k texts and their scores."""
        return self.index.retrieve([words], k=k, show_progress=False, n_threads=0)


class Exact:
    """BM25 of every text, in double precision, by the formula itself.

    score = Σ idf(t) · tf / (tf + k1 · (1 - b + b · length / mean length)),
    idf(t) = ln(1 + (n - df + 0.5) / (df + 0.5)).

    Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), equation 3.15,
    with Lucene's idf and without the constant factor k1 + 1, which changes no order.
    """

    def __init__(self, terms: Terms) -> None:
        lengths = np.fromiter(map(len, terms.ids), np.int64, len(terms))
        words = np.fromiter((word for text in terms.ids for word in text), np.int64, lengths.sum())
        pairs = words * len(terms) + np.repeat(np.arange(len(terms)), lengths)
        pairs, counts = np.unique(pairs, return_counts=True)
        self._texts = pairs % len(terms)
        self._counts = counts
        self._starts = np.searchsorted(pairs // len(terms), np.arange(len(terms.known) + 1))
        self._norms = K1 * (1 - B + B * lengths / lengths.mean())
        self._known = terms.known

    def scores(self, words: Iterable[str]) -> NDArray[np.float64]:
        """Return the score of each text: float64 [n]."""
        total = len(self._norms)
        found = np.zeros(total)
        for word in words:
            number = self._known.get(word)
            if number is None:
                continue
            held = slice(self._starts[number], self._starts[number + 1])
            texts, counts = self._texts[held], self._counts[held]
            idf = np.log1p((total - len(texts) + 0.5) / (len(texts) + 0.5))
            found[texts] += idf * counts / (counts + self._norms[texts])
        return found

    def share(self, word: str) -> float:
        """Return the share of texts that hold a word."""
        number = self._known.get(word)
        if number is None:
            return 0.0
        return float(self._starts[number + 1] - self._starts[number]) / len(self._norms)

    def agrees(self, words: Iterable[str], rows: NDArray[np.int64], k: int) -> bool:
        """Tell whether rows are the best k by this formula; ties in any order, to six digits."""
        scores = self.scores(words)
        best = np.sort(scores[scores > 0])[::-1][:k]
        return len(best) == len(rows) and bool(np.allclose(scores[rows], best, rtol=1e-6, atol=0))


class FullText:
    """A bare FTS5 table in memory, ordered by its own bm25."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.connection = apsw.Connection(":memory:")
        self.connection.execute("CREATE VIRTUAL TABLE f USING fts5(text, content='')")
        with self.connection:
            rows = ((row, text) for row, text in enumerate(texts))
            self.connection.executemany("INSERT INTO f (rowid, text) VALUES (?, ?)", rows)
        self.connection.execute("INSERT INTO f (f) VALUES ('optimize')")

    def search(self, words: list[str], k: int) -> list[tuple[Any, ...]]:
        """Return the best k rows."""
        asked = " OR ".join(f'"{word}"' for word in words)
        sql = "SELECT rowid FROM f WHERE f MATCH ? ORDER BY bm25(f) LIMIT ?"
        return self.connection.execute(sql, (asked, k)).fetchall()


class Rows:
    """The SELECT of some memories by their integer keys, with all their columns."""

    def __init__(self, file: Path) -> None:
        self.connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)

    def fetch(self, keys: NDArray[np.int64]) -> list[tuple[Any, ...]]:
        """Return the rows of keys."""
        sql = "SELECT m.* FROM carray(?) AS c CROSS JOIN memories AS m ON m.pk = c.value"
        return self.connection.execute(sql, (apsw.carray(keys),)).fetchall()


def recall_at(found: list[NDArray[np.int64]], exact: NDArray[np.int64]) -> float:
    """Return the share of the exact ones, int64 [n, k], that were found, over all questions."""
    shares = [np.isin(best, given).mean() for given, best in zip(found, exact, strict=True)]
    return float(np.mean(shares))


def exact_neighbours(
    vectors: NDArray[np.float32], asked: NDArray[np.float32], k: int
) -> NDArray[np.int64]:
    """Return the rows of the nearest vectors by inner product: int64 [questions, k]."""
    block = 50_000
    best = np.empty((len(asked), 0), np.int64)
    values = np.empty((len(asked), 0), np.float32)
    for start in range(0, len(vectors), block):
        near = asked @ np.asarray(vectors[start : start + block]).T
        top = np.argpartition(-near, k - 1, axis=1)[:, :k]
        best = np.hstack([best, top + start])
        values = np.hstack([values, np.take_along_axis(near, top, axis=1)])
    order = np.argsort(-values, axis=1)[:, :k]
    return np.take_along_axis(best, order, axis=1)
