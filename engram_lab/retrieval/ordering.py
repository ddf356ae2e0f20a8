"""From what the arms found to hits in order: fused, looked up, reranked, each place explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from engram_lab.retrieval.hits import Arm, Explanation, Hit, Step
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.rerank import RerankQuery, candidates_of, rerank_in_turn
from engram_lab.retrieval.succession import succession_of
from engram_lab.retrieval.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from engram_lab.core.protocols import LinkRows
    from engram_lab.core.types import Memory
    from engram_lab.retrieval.fusion import Fused, Fusion
    from engram_lab.retrieval.rerank import Reranked, Reranker

__all__ = ["Lookup", "Ordering"]

_NOTHING_AROUND: Final = Surroundings()


class Lookup(Protocol):
    """Where the memories of keys are found, and their vectors."""

    def fetch(self, keys: NDArray[np.int64]) -> Sequence[Memory | None]:
        """Return the memories in the order of keys, None where there is none to be seen."""
        ...

    def around(
        self, surroundings: Surroundings, question: str, found: Ranking
    ) -> Mapping[str, Ranking]:
        """Return what lies around what was found, as more arms."""
        ...

    def newer(self, keys: NDArray[np.int64]) -> LinkRows:
        """Return the links to memories, int64 [n], from what superseded them."""
        ...

    def vectors(self, memories: Sequence[Memory]) -> Sequence[NDArray[np.float32] | None]:
        """Return the vectors of memories, each float32 [dim], None where there is none."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Ordering:
    """How arms become one order.

    Attributes:
        fusion: Makes one ranking of several.
        rerankers: By name, in the order in which they take their turns.
        depth: How many candidates they look at.
        wants_vectors: Whether one of them compares the candidates' vectors.
        surroundings: What is looked at around what the arms found.
        fuses_one: Whether a single arm goes through the fusion too; else it is left as it is.
    """

    fusion: Fusion
    rerankers: Mapping[str, Reranker]
    depth: int
    wants_vectors: bool = False
    surroundings: Surroundings = _NOTHING_AROUND
    fuses_one: bool = False

    def order(
        self, question: str, arms: Mapping[str, Ranking], k: int, *, lookup: Lookup, now: datetime
    ) -> list[Hit]:
        """Return the `k` best hits, or all where there are fewer.

        Raises:
            EmbedderError: A model that a reranker asks failed.
        """
        fused, ranking = self._fused(arms)
        if self.surroundings:
            arms = {**arms, **lookup.around(self.surroundings, question, ranking)}
            fused, ranking = self._fused(arms)
        depth = max(k, self.depth) if self.rerankers else k
        ranking, memories = _present(ranking, depth, lookup)
        made: list[Reranked] = []
        if self.rerankers:
            vectors = lookup.vectors(memories) if self.wants_vectors else None
            candidates = candidates_of(ranking, memories, vectors=vectors)
            query = RerankQuery(text=question, now=now)
            made = rerank_in_turn(self.rerankers.values(), query, candidates)
        known = dict(zip(ranking.keys.tolist(), memories, strict=True))
        ordered = made[-1].ranking if made else ranking
        succession = succession_of(ordered, k, newer=lookup.newer, fetch=lookup.fetch)
        known |= succession.memories
        ordered = succession.ranking
        ordered = ordered.top(_through_ties(ordered, k))
        places = zip(ordered.keys.tolist(), ordered.scores.tolist(), strict=True)
        # Keys rise in the order of making, and so do ids but for those given by hand.
        best = sorted(places, key=lambda place: (-place[1], known[place[0]].id))[:k]
        keys = [key for key, _ in best]
        steps_of = _steps(keys, self.rerankers, made, succession.steps)
        because = zip(_arms(keys, arms, fused), steps_of, strict=True)
        return [
            Hit(
                rank=rank,
                score=score,
                memory=known[key],
                explanation=Explanation(arms=of_arms, steps=steps),
            )
            for rank, ((key, score), (of_arms, steps)) in enumerate(
                zip(best, because, strict=True), 1
            )
        ]

    def _fused(self, arms: Mapping[str, Ranking]) -> tuple[Fused | None, Ranking]:
        """Return the arms as one ranking."""
        if len(arms) > 1 or (arms and self.fuses_one):
            fused = self.fusion.fuse(arms)
            return fused, fused.ranking
        return None, next(iter(arms.values()), Ranking.empty())


def _through_ties(ranking: Ranking, k: int) -> int:
    """Return how many are among the best `k`, or score as much as the last of these."""
    if k >= len(ranking):
        return k
    return len(ranking) - int(ranking.scores[::-1].searchsorted(ranking.scores[k - 1]))


def _present(ranking: Ranking, depth: int, lookup: Lookup) -> tuple[Ranking, list[Memory]]:
    """Return the best `depth` that are there, and what scores as much as the last of them.

    Some that the arms found may have changed since.
    """
    start, found = 0, 0
    kept_keys: list[int] = []
    kept_scores: list[float] = []
    memories: list[Memory] = []
    while found < depth and start < len(ranking):
        stop = _through_ties(ranking, start + depth - found)
        keys, scores = ranking.keys[start:stop], ranking.scores[start:stop]
        fetched = lookup.fetch(keys)
        if start == 0 and None not in fetched:
            whole = [memory for memory in fetched if memory is not None]
            return ranking.top(stop), whole
        for key, score, memory in zip(keys.tolist(), scores.tolist(), fetched, strict=True):
            if memory is not None:
                kept_keys.append(key)
                kept_scores.append(score)
                memories.append(memory)
        start, found = stop, len(memories)
    return Ranking.of(kept_keys, kept_scores), memories


def _arms(
    keys: Sequence[int], arms: Mapping[str, Ranking], fused: Fused | None
) -> list[tuple[Arm, ...]]:
    """Return, for each key, what the arms that found it said; nothing of what none found."""
    wanted = np.array(keys, np.int64)
    if fused is None:
        (name, only), *_ = (*arms.items(), ("", Ranking.empty()))
        return [
            () if score is None else (Arm(name=name, rank=rank, score=score, contribution=score),)
            for rank, score in only.found(wanted)
        ]
    ours = fused.ranking.keys
    by_key = ours.argsort()
    places = by_key[ours.searchsorted(wanted, sorter=by_key).clip(max=len(ours) - 1)]
    strange = ours[places] != wanted
    rows = np.where(strange[:, None], 0.0, fused.contributions[places]).tolist()
    of_arms = [each.found(wanted) for each in fused.rankings]
    return [
        tuple(
            Arm(name=name, rank=rank, score=score, contribution=value)
            for name, (rank, score), value in zip(fused.arms, found, row, strict=True)
            if rank is not None or value
        )
        for found, row in zip(zip(*of_arms, strict=True), rows, strict=True)
    ]


def _steps(
    keys: Sequence[int],
    rerankers: Mapping[str, Reranker],
    made: Sequence[Reranked],
    last: Mapping[int, Step],
) -> list[tuple[Step, ...]]:
    """Return, for each key, what each reranker made of it, and what came last."""
    steps: dict[int, list[Step]] = {key: [] for key in keys}
    for name, reranked in zip(rerankers, made, strict=True):
        for place, key in enumerate(reranked.ranking.keys.tolist()):
            if key in steps:
                step = Step(name=name, how=reranked.how, parts=reranked.explain(place))
                steps[key].append(step)
    return [(*steps[key], last[key]) if key in last else tuple(steps[key]) for key in keys]
