"""Systems that are there to be beaten: chance, and the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import numpy as np

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from engram_lab.evaluation.systems.corpora import Corpus
    from engram_lab.evaluation.systems.registry import System, SystemSpec
    from engram_lab.evaluation.systems.workshop import Workshop

__all__ = ["RandomSystem", "RecencySystem", "from_spec"]

_LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Shuffled:
    ids: Sequence[str]
    seed: int

    def search(self, text: str, k: int) -> list[tuple[str, float]]:
        # The question seeds it, so that the order of questions does not matter.
        random = np.random.default_rng([self.seed, crc32(text.encode())])
        chosen = random.permutation(len(self.ids))[:k]
        return [(self.ids[place], float(-rank)) for rank, place in enumerate(chosen, 1)]

    def costs(self) -> Mapping[str, float]:
        return {}


@dataclass(frozen=True, slots=True)
class _Fixed:
    ids: Sequence[str]

    def search(self, text: str, k: int) -> list[tuple[str, float]]:  # noqa: ARG002 - whatever
        return [(id_, float(-rank)) for rank, id_ in enumerate(self.ids[:k], 1)]

    def costs(self) -> Mapping[str, float]:
        return {}


@dataclass(frozen=True, slots=True)
class RandomSystem:
    """Memories in an order that nothing but the seed and the question decide."""

    seed: int

    def describe(self, workshop: Workshop) -> Mapping[str, Any]:  # noqa: ARG002
        """Return what tells it from another."""
        return {"kind": "random", "seed": self.seed}

    @contextmanager
    def open(self, corpus: Corpus, workshop: Workshop) -> Iterator[_Shuffled]:  # noqa: ARG002
        """Return it over a corpus."""
        yield _Shuffled([row["id"] for row in _in_sight(corpus)], self.seed)


@dataclass(frozen=True, slots=True)
class RecencySystem:
    """The newest memories, whatever is asked; those without a time come last, latest told first."""

    def describe(self, workshop: Workshop) -> Mapping[str, Any]:  # noqa: ARG002
        """Return what tells it from another."""
        return {"kind": "recency"}

    @contextmanager
    def open(self, corpus: Corpus, workshop: Workshop) -> Iterator[_Fixed]:  # noqa: ARG002
        """Return it over a corpus."""
        rows = list(enumerate(_in_sight(corpus)))
        rows.sort(key=lambda each: (each[1]["event_at"] or _LONG_AGO, each[0]), reverse=True)
        yield _Fixed([row["id"] for _, row in rows])


def _in_sight(corpus: Corpus) -> list[dict[str, Any]]:
    """Return the memories that no field of their own hides: a floor knows no laws of reach."""
    return [row for row in corpus.memories if not {"scope", "workspace"} & set(row["fields"])]


def from_spec(spec: SystemSpec, *, seed: int, store: Mapping[str, Any]) -> System:  # noqa: ARG001
    """Return the floor that a specification names.

    Raises:
        InvalidInputError: It has settings, which a floor has not.
    """
    if spec.settings or spec.folds or spec.store_as != "memories":
        raise InvalidInputError(
            f"the system {spec.name!r} has settings, which are for engines: leave them out"
        )
    return RandomSystem(seed) if spec.kind == "random" else RecencySystem()
