"""What rerankers share: candidates made of a ranking, scores made of parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.fusion.min_max import unit_range
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.rerank.protocol import Candidate, Reranked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Literal

    from numpy.typing import NDArray

    from engram_lab.core.types import Memory
    from engram_lab.retrieval.rerank.protocol import Reranker, RerankQuery

__all__ = [
    "candidates_of",
    "made_of",
    "on_unit_range",
    "relevance_of",
    "rerank_in_turn",
    "scores_of",
]


def candidates_of(
    ranking: Ranking,
    memories: Sequence[Memory | None],
    *,
    vectors: Sequence[NDArray[np.float32] | None] | NDArray[np.float32] | None = None,
) -> list[Candidate]:
    """Return the places of a ranking as candidates, without those that have no memory.

    Args:
        ranking: n places.
        memories: n memories, as `Corpus.fetch` gives them for the ranking's keys.
        vectors: n vectors where there are any.

    Raises:
        InvalidInputError: There are more or fewer memories or vectors than places.
    """
    given: Sequence[NDArray[np.float32] | None] | NDArray[np.float32]
    given = [None] * len(ranking) if vectors is None else vectors
    if not len(ranking) == len(memories) == len(given):
        raise InvalidInputError(
            f"there are {len(ranking)} places, {len(memories)} memories and {len(given)} vectors: "
            "give as many of each"
        )
    places = zip(ranking.keys.tolist(), ranking.scores.tolist(), memories, given, strict=True)
    return [
        Candidate(key=key, score=score, memory=memory, vector=vector)
        for key, score, memory, vector in places
        if memory is not None
    ]


def scores_of(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Return the scores so far: float64 [n].

    Raises:
        InvalidInputError: One of them is no finite number.
    """
    scores = np.array([each.score for each in candidates], np.float64)
    if not np.isfinite(scores).all():
        raise InvalidInputError("a candidate's score is NaN or infinite: give finite numbers")
    return scores


def relevance_of(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Return the scores so far as numbers from 0, which can be multiplied: float64 [n].

    Scores from 0 are taken as they are. Where one is below 0, as with scores that are counted from
    a mean, 0 is no zero point, and all are counted from the lowest among them: a factor then acts
    upon how far a candidate stands above the last.
    """
    scores = scores_of(candidates)
    lowest = scores.min(initial=0.0)
    return scores - lowest if lowest < 0 else scores


def on_unit_range(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values brought onto 0 to 1; 1 where all are equal. See `MinMax`."""
    order = np.argsort(-values, kind="stable")
    ranged = np.empty(len(values))
    ranged[order] = unit_range(values[order], equal=1.0)
    return ranged


def made_of(
    candidates: Sequence[Candidate],
    parts: Mapping[str, NDArray[np.float64]],
    *,
    how: Literal["sum", "product"],
) -> Reranked:
    """Return the candidates ranked by the sum or product of parts.

    Args:
        candidates: n of them.
        parts: By name, each float64 [n]; taken in this order.
        how: Whether they are added or multiplied.

    Raises:
        InvalidInputError: A key comes twice, or a score is no finite number.
    """
    values = np.array(list(parts.values()), np.float64).reshape(len(parts), len(candidates))
    total = values[0].copy()
    for each in values[1:]:
        total = total + each if how == "sum" else total * each
    keys = np.array([each.key for each in candidates], np.int64)
    ranking = Ranking.of(keys, total)
    order = np.lexsort((keys, -total))
    return Reranked(
        ranking=ranking, names=tuple(parts), values=values.take(order, axis=1).T, how=how
    )


def rerank_in_turn(
    rerankers: Iterable[Reranker], query: RerankQuery, candidates: Sequence[Candidate]
) -> list[Reranked]:
    """Return what each of several rerankers makes of what the one before it made.

    The last of the list is the order to show; those before it tell how it came about. None at all
    give an empty list.
    """
    made = []
    for reranker in rerankers:
        reranked = reranker.rerank(query, candidates)
        known = {each.key: each for each in candidates}
        scores = zip(reranked.ranking.keys.tolist(), reranked.ranking.scores.tolist(), strict=True)
        candidates = [
            Candidate(key=key, score=score, memory=known[key].memory, vector=known[key].vector)
            for key, score in scores
        ]
        made.append(reranked)
    return made
