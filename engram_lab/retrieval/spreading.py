"""Spreading activation: what was found awakens what it is linked with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from engram_lab.core.checks import check_limit, check_number
from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from engram_lab.core.protocols.corpus import LinkRows

__all__ = ["LinkReader", "Spreading"]

_MOST_STEPS: Final = 10


class LinkReader(Protocol):
    """The part of `Corpus` that is read here."""

    def links(
        self,
        keys: NDArray[np.int64],
        *,
        valid_at: datetime | None = None,
        types: Sequence[str] | None = None,
    ) -> LinkRows:
        """Return the links from or to any of the memories; see `Corpus.links`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Spreading:
    """Activation runs from the seeds along their links, weaker at each step, and adds up.

    With W(i, j) the sum of the weights of all links between i and j, in whichever direction, d(i)
    the sum of W(i, j) over j, and a(0) the seeds' scores divided by their highest,

        a(t + 1)[i] = decay · Σ over j of W(i, j) / √(d(i) · d(j)) · a(t)[j]

    where only what has at least `threshold` passes any on. A node with many links so gives little
    to each (the fan), and takes little from each, so that a hub, which is linked with everything,
    is not the answer to everything. What comes back is a(1) + … + a(steps), without the seeds' own
    a(0): a seed is in it only for what others send it, and one without links is not in it at all.
    It can thus be fused as one more arm, beside the arms that made the seeds.

    As the links are followed from the seeds on, two bounds hold: at most `max_nodes` memories are
    awake, the strongest of those that a step reaches, and the links of no others are read.

    Source: Collins and Loftus, "A Spreading-Activation Theory of Semantic Processing" (1975);
    Anderson, "A Spreading Activation Theory of Memory" (1983), for the fan; the symmetric division
    is that of Zhou, Bousquet, Lal, Weston and Schölkopf, "Learning with Local and Global
    Consistency" (2003), step 2 of the algorithm, under which no activation can grow.

    Attributes:
        steps: How many links far, from 1 to 10.
        decay: What is left after each step, above 0 and at most 1.
        threshold: What a memory must have to pass any on, as a share of the strongest seed's.
        max_nodes: How many memories may be awake, seeds included.
        types: Only links of these types; None for all.

    Raises:
        InvalidInputError: One of them is out of its bounds.
    """

    steps: int = 2
    decay: float = 0.5
    threshold: float = 0.001
    max_nodes: int = 1000
    types: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_limit(self.steps, field="steps", most=_MOST_STEPS)
        check_limit(self.max_nodes, field="max_nodes")
        check_number(self.threshold, field="threshold")
        if not check_number(self.decay, field="decay"):
            raise InvalidInputError(f"decay is {shown(self.decay)}: give a number above 0")

    def spread(
        self, corpus: LinkReader, seeds: Ranking, *, valid_at: datetime | None = None
    ) -> Ranking:
        """Return what each memory was sent, where that is above 0.

        Args:
            corpus: Has the links.
            seeds: What was found; where a score is below 0, all are counted from the lowest.
            valid_at: The moment at which the links must hold; now unless told.
        """
        graph = _Graph(corpus, valid_at=valid_at, types=self.types)
        awake = _activation(seeds.top(self.max_nodes))
        graph.read(awake.keys)
        sent = _Numbers.empty()
        for _ in range(self.steps):
            awake = awake.at_least(self.threshold)
            reached = graph.send(awake)
            room = self.max_nodes - graph.size
            reached = reached.without_weak_strangers(graph.known(reached.keys), room)
            graph.read(reached.keys[~graph.known(reached.keys)])
            awake = graph.receive(reached, decay=self.decay)
            sent = sent.plus(awake)
        some = sent.values > 0
        return Ranking.of(sent.keys[some], sent.values[some])


@dataclass(frozen=True, slots=True, eq=False)
class _Numbers:
    """A number for each of some memories: int64 [n], rising, and float64 [n]."""

    keys: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def empty(cls) -> _Numbers:
        return cls(np.empty(0, np.int64), np.empty(0))

    @classmethod
    def summed(cls, keys: NDArray[np.int64], values: NDArray[np.float64]) -> _Numbers:
        """Add up the values of each key, in the order in which they are given."""
        distinct, places = np.unique(keys, return_inverse=True)
        sums: NDArray[np.float64] = np.bincount(places, values, len(distinct)).astype(np.float64)
        return cls(distinct, sums)

    def plus(self, other: _Numbers) -> _Numbers:
        return self.summed(
            np.concatenate([self.keys, other.keys]), np.concatenate([self.values, other.values])
        )

    def at_least(self, least: float) -> _Numbers:
        kept = self.values >= least
        return _Numbers(self.keys[kept], self.values[kept])

    def without_weak_strangers(self, known: NDArray[np.bool_], room: int) -> _Numbers:
        """Keep those that are known, and so many of the others as there is room for."""
        strangers = np.flatnonzero(~known)
        if len(strangers) <= room:
            return self
        strongest = np.lexsort((self.keys[strangers], -self.values[strangers]))[:room]
        kept = known.copy()
        kept[strangers[strongest]] = True
        return _Numbers(self.keys[kept], self.values[kept])


def _activation(seeds: Ranking) -> _Numbers:
    order = np.argsort(seeds.keys)
    scores = seeds.scores[order]
    lowest, highest = scores.min(initial=0.0), seeds.scores[:1].sum()
    # Halves, as the difference may be no finite number.
    span = highest * 0.5 - lowest * 0.5
    values = (scores * 0.5 - lowest * 0.5) / span if span else np.ones(len(scores))
    return _Numbers(seeds.keys[order], values)


class _Graph:
    """The links of those memories whose links were read, in both directions."""

    def __init__(
        self, corpus: LinkReader, *, valid_at: datetime | None, types: tuple[str, ...] | None
    ) -> None:
        self._corpus = corpus
        self._valid_at = valid_at
        self._types = types
        self._degrees = _Numbers.empty()  # of all that were read
        self._ends = (np.empty(0, np.int64), np.empty(0, np.int64))  # from a read one to any
        self._weights = np.empty(0)

    @property
    def size(self) -> int:
        return len(self._degrees.keys)

    def known(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.isin(keys, self._degrees.keys)

    def read(self, keys: NDArray[np.int64]) -> None:
        """Read all links of memories whose links were not read."""
        if not keys.size:
            return
        rows = self._corpus.links(keys, valid_at=self._valid_at, types=self._types)
        near = np.concatenate([rows.from_keys, rows.to_keys])
        far = np.concatenate([rows.to_keys, rows.from_keys])
        weights = np.concatenate([rows.weights, rows.weights])
        kept = np.isin(near, keys) & (near != far)
        near, far, weights = near[kept], far[kept], weights[kept]
        links = _Numbers.summed(
            np.concatenate([keys, near]), np.concatenate([np.zeros(len(keys)), weights])
        )
        self._degrees = self._degrees.plus(links)
        self._ends = (
            np.concatenate([self._ends[0], near]),
            np.concatenate([self._ends[1], far]),
        )
        self._weights = np.concatenate([self._weights, weights])

    def send(self, awake: _Numbers) -> _Numbers:
        """Return what all that are awake send to each of their neighbours, by their own fan."""
        near, far = self._ends
        if not awake.keys.size or not near.size:
            return _Numbers.empty()
        places = awake.keys.searchsorted(near).clip(max=len(awake.keys) - 1)
        sending = awake.keys[places] == near
        values = awake.values[places[sending]] * self._weights[sending]
        values = values / self._fans_of(near[sending])
        return _Numbers.summed(far[sending], values)

    def receive(self, reached: _Numbers, *, decay: float) -> _Numbers:
        """Return what is left of what arrives, by the fan of those whom it reaches."""
        return _Numbers(reached.keys, decay * reached.values / self._fans_of(reached.keys))

    def _fans_of(self, keys: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the root of each degree, or 1 where it is 0, as then nothing is sent."""
        degrees = self._degrees.values[self._degrees.keys.searchsorted(keys)]
        return np.sqrt(np.where(degrees > 0, degrees, 1.0))
