"""Whether a fusion or a reranker is one: the laws of their protocols, each tried.

What is tried is the same at every run: many sets of rankings, and of candidates, of a seeded
generator, with ties, scores below 0, arms that found nothing, and memories of all sorts.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.text import content_hash
from engram_lab.core.types import Memory
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.rerank.protocol import Candidate, RerankQuery
from engram_lab.testing.trial import Seen, holding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.retrieval.fusion.protocol import Fused, Fusion
    from engram_lab.retrieval.rerank.protocol import Reranked, Reranker

__all__ = ["check_fusion", "check_reranker"]

_NOW: Final = datetime(2026, 5, 1, 12, tzinfo=UTC)
_TRIALS: Final = 40
_MOST_CHARS: Final = 200
_DIM: Final = 8
_WORDS: Final = [
    "tea",
    "coffee",
    "harbour",
    "violin",
    "door",
    "painted",
    "blue",
    "keeper",
    "Thursday",
    "melody",
]


def check_fusion(fusion: Fusion, *, arms: Sequence[str] = ("dense", "lexical")) -> None:
    """Check that a fusion keeps the contract of `engram_lab.retrieval.fusion.Fusion`.

    Args:
        fusion: It is asked some hundred times.
        arms: The names of the arms that it is given, in case it must know them.

    Raises:
        ConformanceError: A law is broken; says which, and what was seen instead.
    """
    chance = Random(11)  # noqa: S311 - samples need to vary, not to be secret
    samples = [{arm: _ranking(chance) for arm in arms} for _ in range(_TRIALS)]
    samples += [{arm: Ranking.empty() for arm in arms}, {}]
    for found in samples:
        copies = {arm: Ranking.of(each.keys, each.scores) for arm, each in found.items()}
        with holding("a fusion answers whatever the arms found"):
            fused = fusion.fuse(found)
        with holding("a fusion leaves the rankings that it is given as they are"):
            _equal(found, copies, "the rankings are")
        with holding("the fused ranking holds exactly what the arms found, best first"):
            union = sorted({key for each in found.values() for key in each.keys.tolist()})
            _equal(sorted(fused.ranking.keys.tolist()), union, "the fused keys are")
            _check_order(fused.ranking)
        with holding("a score is the sum of what the arms give, from left to right"):
            _check_contributions(fused, found)
        with holding("the same arms give the same fusion again"):
            _equal(_pairs(fusion.fuse(found).ranking), _pairs(fused.ranking), "the ranking is")
        with holding("the order in which arms are given does not matter"):
            other = fusion.fuse(dict(reversed(found.items())))
            _equal(_pairs(other.ranking), _pairs(fused.ranking), "backwards, the ranking is")


def _check_contributions(fused: Fused, found: dict[str, Ranking]) -> None:
    _equal(fused.arms, tuple(sorted(found)), "the arms are")
    _equal(fused.contributions.shape, (len(fused.ranking), len(found)), "the contributions have")
    for row, score in zip(fused.contributions.tolist(), fused.ranking.scores.tolist(), strict=True):
        _equal(score, _folded(row, how="sum"), f"with the contributions {row} the score is")


def check_reranker(reranker: Reranker) -> None:
    """Check that a reranker keeps the contract of `engram_lab.retrieval.rerank.Reranker`.

    The candidates have vectors of 8 numbers, or none at all.

    Args:
        reranker: It is asked some hundred times, with at most a dozen candidates.

    Raises:
        ConformanceError: A law is broken; says which, and what was seen instead.
    """
    chance = Random(12)  # noqa: S311 - samples need to vary, not to be secret
    for trial in range(_TRIALS):
        candidates = _candidates(chance, with_vectors=trial % 3 > 0)
        query = RerankQuery(
            text=" ".join(chance.choices(_WORDS, k=3)), now=_NOW, tags=("a",), project="/here"
        )
        shuffled = chance.sample(candidates, len(candidates))
        with holding("a reranker answers whatever the candidates are"):
            reranked = reranker.rerank(query, candidates)
        with holding("what comes back holds exactly the candidates, best first"):
            keys = sorted(each.key for each in candidates)
            _equal(sorted(reranked.ranking.keys.tolist()), keys, "the keys are")
            _check_order(reranked.ranking)
        with holding("a score is the sum or product of its parts, from left to right"):
            _check_parts(reranked)
        with holding("the same candidates give the same order again"):
            _like(reranker.rerank(query, candidates), reranked)
        with holding("the order in which candidates are given does not matter"):
            _like(reranker.rerank(query, shuffled), reranked)
    with holding("no candidates give nothing"):
        nothing = reranker.rerank(RerankQuery(text="tea", now=_NOW), [])
        _equal(len(nothing.ranking), 0, "the number of places is")
        _check_parts(nothing)


def _check_parts(reranked: Reranked) -> None:
    if reranked.how not in {"sum", "product"}:
        raise Seen(f"`how` is {reranked.how!r}")
    shape = (len(reranked.ranking), len(reranked.names))
    _equal(reranked.values.shape, shape, "the values have")
    rows = reranked.values.tolist()
    for row, score in zip(rows, reranked.ranking.scores.tolist(), strict=True):
        _equal(score, _folded(row, how=reranked.how), f"with the parts {row} the score is")


def _folded(row: Sequence[float], *, how: str) -> float:
    """Return the sum or product in plain doubles; `sum` corrects its rounding since Python 3.12."""
    total = row[0] if row else 0.0
    for value in row[1:]:
        total = total + value if how == "sum" else total * value
    return total


def _like(seen: Reranked, wanted: Reranked) -> None:
    """Allow for models whose last bits depend on what else is in the batch."""
    places = dict(_pairs(wanted.ranking))
    for key, score in _pairs(seen.ranking):
        if not math.isclose(score, places[key], rel_tol=1e-4, abs_tol=1e-5):
            raise Seen(f"the score of {key} is {score!r} instead of {places[key]!r}")


def _check_order(ranking: Ranking) -> None:
    if not np.isfinite(ranking.scores).all():
        raise Seen(f"the scores are {ranking.scores.tolist()}")
    _equal(_pairs(ranking), _pairs(Ranking.of(ranking.keys, ranking.scores)), "the ranking is")


def _pairs(ranking: Ranking) -> list[tuple[int, float]]:
    return list(zip(ranking.keys.tolist(), ranking.scores.tolist(), strict=True))


def _equal(seen: object, wanted: object, what: str) -> None:
    if seen != wanted:
        raise Seen(f"{what} {_short(seen)} instead of {_short(wanted)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_CHARS else f"{text[:_MOST_CHARS]}…"


def _ranking(chance: Random) -> Ranking:
    count = chance.choice([0, 1, 2, 5, 20])
    keys = chance.sample(range(1, 40), count)
    shape = chance.choice(["any", "few", "equal"])
    scores = {
        "any": [chance.uniform(-1, 20) for _ in keys],
        "few": [float(chance.randint(0, 3)) for _ in keys],
        "equal": [1.5 for _ in keys],
    }
    return Ranking.of(keys, scores[shape])


def _candidates(chance: Random, *, with_vectors: bool) -> list[Candidate]:
    ranking = _ranking(chance).top(12)
    return [
        Candidate(
            key=key,
            score=score,
            memory=_memory(chance, key),
            vector=_vector(chance) if with_vectors and chance.random() < 0.9 else None,  # noqa: PLR2004 - most of them
        )
        for key, score in _pairs(ranking)
    ]


def _memory(chance: Random, key: int) -> Memory:
    content = " ".join(chance.choices(_WORDS, k=chance.randint(1, 6)))
    past = _NOW - timedelta(days=chance.uniform(0, 4000))
    return Memory(
        id=f"01890a5d-ac96-774b-bcce-{key:012x}",
        content=content,
        tags=tuple(chance.sample(["a", "b", "c"], chance.randint(0, 2))),
        metadata=chance.choice([{}, {"project_path": "/here"}, {"project_path": 7}]),
        importance=chance.choice([0.0, 0.5, 1.0, chance.random()]),
        event_at=chance.choice([None, past, _NOW + timedelta(days=30)]),
        created_at=past,
        updated_at=past,
        content_hash=content_hash(content),
    )


def _vector(chance: Random) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    values = np.array([chance.gauss(0, 1) for _ in range(_DIM)], np.float32)
    return (values / np.linalg.norm(values)).astype(np.float32)
