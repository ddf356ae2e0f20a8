"""A corpus in memory whose every change is a call, and the ranking that brute force gives of it."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.protocols import TextChanges

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from engram_lab.core.protocols import Corpus
    from engram_lab.retrieval.lexical import Analyser


class FakeCorpus:
    """Keeps texts by key with a log of changes, as `core.protocols.Corpus` describes them.

    Only what a lexical index asks for; `as_corpus` says so to the type checker.
    """

    def __init__(self, *, name: str = "a store") -> None:
        self.name = name
        self.live: dict[int, tuple[str, tuple[str, ...]]] = {}
        self.log: list[int | None] = []  # the key that each change concerned, None for a purge
        self.known: set[int] = set()

    def as_corpus(self) -> Corpus:
        corpus: Any = self
        found: Corpus = corpus
        return found

    def put(self, key: int, text: str, tags: Iterable[str] = ()) -> None:
        self.live[key] = (text, tuple(tags))
        self.known.add(key)
        self.log.append(key)

    def forget(self, key: int) -> None:
        self.live.pop(key, None)
        self.log.append(key)

    def purge(self, key: int) -> None:
        self.live.pop(key, None)
        self.known.discard(key)
        self.log.append(None)

    def touch(self, key: int) -> None:
        self.log.append(key)

    def last(self) -> int:
        return len(self.log)

    def head(self) -> tuple[int, str]:
        return len(self.log), self.stamp(len(self.log)) or ""

    def stamp(self, number: int) -> str | None:
        if number > len(self.log) or number < 0:
            return None
        return f"{self.name}:{hash(tuple(self.log[:number]))}" if number else ""

    def text_changes(self, after: int, *, limit: int = 10_000) -> TextChanges:
        part = self.log[after : after + limit]
        touched = sorted({key for key in part if key is not None and key in self.known})
        return self._changes(
            after + len(part),
            [key for key in touched if key in self.live],
            gone=[key for key in touched if key not in self.live],
            purged=None in part,
        )

    def all_texts(self, *, batch_rows: int = 16_384) -> Iterator[TextChanges]:
        keys = sorted(self.live)
        for start in range(0, max(len(keys), 1), batch_rows):
            yield self._changes(self.last(), keys[start : start + batch_rows])

    def alive(self) -> NDArray[np.int64]:
        return np.array(sorted(self.live), np.int64)

    def _changes(
        self, number: int, keys: list[int], *, gone: Iterable[int] = (), purged: bool = False
    ) -> TextChanges:
        return TextChanges(
            number=number,
            keys=np.array(keys, np.int64),
            contents=[self.live[key][0] for key in keys],
            tags=[self.live[key][1] for key in keys],
            gone=np.array(list(gone), np.int64),
            purged=purged,
        )


@pytest.fixture
def corpus() -> FakeCorpus:
    return FakeCorpus()


@pytest.fixture(scope="session")
def new_corpus() -> Callable[[], FakeCorpus]:
    return FakeCorpus


@pytest.fixture(scope="session")
def oracle() -> Callable[..., list[tuple[int, float]]]:
    return brute_force


def brute_force(
    corpus: FakeCorpus,
    terms: Sequence[str],
    *,
    analyser: Analyser,
    k1: float = 1.2,
    b: float = 0.75,
    allowed: Iterable[int] | None = None,
) -> list[tuple[int, float]]:
    """Return all texts that have any of the terms with their scores, in the order of a ranking.

    The formula as the book has it, one text at a time; terms from the rarest on.
    """
    bags = {
        key: Counter(analyser.terms("\n".join((text, *tags))))
        for key, (text, tags) in corpus.live.items()
    }
    n = len(bags)
    average = sum(bag.total() for bag in bags.values()) / max(n, 1)
    df = {term: sum(term in bag for bag in bags.values()) for term in set(terms)}
    scores = {}
    for key, bag in bags.items():
        score = 0.0
        for term in sorted((term for term in df if df[term]), key=lambda each: (df[each], each)):
            if tf := bag[term]:
                idf = math.log1p((n - df[term] + 0.5) / (df[term] + 0.5))
                norm = k1 * ((1 - b) + b * (bag.total() / average))
                score += idf * (tf / (tf + norm))
        scores[key] = score
    kept = corpus.live.keys() if allowed is None else corpus.live.keys() & set(allowed)
    found = [(key, scores[key]) for key in kept if scores[key] > 0]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))
