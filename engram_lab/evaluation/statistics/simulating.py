"""Made-up pairs of systems whose true difference is known, to learn what a test sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["MEASURES", "SimulatedData", "simulated_pair"]

MEASURES: Final = ("recall_any@10", "R@10", "nDCG@10", "Success@1")
"""What the frames hold."""

_DEPTH: Final = 10
_LOST: Final = 1000.0
"""The rank of what is no longer found."""


@dataclass(frozen=True, kw_only=True)
class SimulatedData:
    """What questions there are, and how well an ordinary system answers them.

    A memory that answers a question has the rank ceil(exp(location + scale · z)), z normal. The
    defaults are those of LoCoMo: its conversations, its categories, and ranks as BM25 over turns
    has them: of the answers, 24 % first, 43 % among five, 51 % among ten.

    Attributes:
        conversations: Questions of each, which make the clusters.
        categories: Questions of each.
        several: Categories whose questions have two to four answers; all others have one.
        location: Of the logarithm of the rank.
        scale: Likewise.
    """

    conversations: tuple[int, ...] = (197, 105, 193, 260, 242, 158, 190, 239, 196, 202)
    categories: Mapping[str, int] = field(
        default_factory=lambda: {"1": 282, "2": 321, "3": 92, "4": 841, "5": 446}
    )
    several: tuple[str, ...] = ("1",)
    location: float = 2.2
    scale: float = 3.2

    def __post_init__(self) -> None:
        asked, sorted_by = sum(self.conversations), sum(self.categories.values())
        if asked != sorted_by:
            raise InvalidInputError(
                f"the conversations have {asked} questions and the categories {sorted_by}: "
                "both must be the same questions"
            )


def simulated_pair(
    data: SimulatedData,
    *,
    seed: int,
    noise: float = 0.1,
    shared: float = 0.0,
    lost: Mapping[str, float] | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the per-query frames of two systems of equal quality, but for what B has lost.

    Both see the same questions, and each has its own noise on the logarithm of each rank, so that
    the difference of every question is as likely to have one sign as the other. Noise of 0.1 moves
    1 % of recall_any@10 and 11 % of nDCG@10, as a k1 of 1.0 in place of 1.2 does to BM25 on LoCoMo
    (1 % and 10 %); 0.3 moves 3 % and 23 %, as b = 0.5 in place of 0.75 does (3 % and 23 %); 1.0
    moves 9 % and 36 %, as a stemmer does (10 % and 32 %).

    Args:
        data: The questions.
        seed: Of everything.
        noise: Standard deviation of the difference of both logarithms, question by question.
        shared: Likewise of the part that all questions of a conversation share.
        lost: By category, the share of its questions that B no longer answers at all, drawn from
            those it did: the loss in recall_any@10.
    """
    layout = np.random.default_rng(0)  # the same questions for every seed
    categories = np.repeat(list(data.categories), list(data.categories.values()))
    clusters = np.repeat(np.arange(len(data.conversations)), data.conversations)
    categories = layout.permutation(categories)
    several = np.isin(categories, data.several)
    answers = np.where(several, layout.integers(2, 5, len(categories)), 1)
    rng = np.random.default_rng(seed)
    place = data.location + data.scale * rng.standard_normal((len(answers), int(answers.max())))
    place[np.arange(place.shape[1]) >= answers[:, None]] = np.inf
    systems = []
    for _ in range(2):
        own = noise * rng.standard_normal(place.shape)
        common = shared * rng.standard_normal(len(data.conversations))[clusters, None]
        systems.append(np.ceil(np.exp(np.minimum(place + (own + common) / np.sqrt(2), 50.0))))
    for category, share in (lost or {}).items():
        there = np.flatnonzero((categories == category) & (systems[1].min(axis=1) <= _DEPTH))
        count = min(round(share * data.categories[category]), len(there))
        systems[1][rng.choice(there, count, replace=False)] = _LOST
    frame = pl.DataFrame(
        {
            "query_id": [f"q{number:05}" for number in range(len(answers))],
            "category": categories.tolist(),
            "cluster": [f"conversation {number}" for number in clusters.tolist()],
        }
    )
    a, b = (frame.hstack(_measured(ranks, answers)) for ranks in systems)
    return a, b


def _measured(ranks: NDArray[np.float64], answers: NDArray[np.int64]) -> list[pl.Series]:
    """Return the measures of ranks, float64 [n, most answers]."""
    hits = ranks <= _DEPTH
    gains = np.where(hits, 1 / np.log2(ranks + 1), 0.0).sum(axis=1)
    ideal = np.cumsum(1 / np.log2(np.arange(1, ranks.shape[1] + 1) + 1))[answers - 1]
    values = (
        hits.any(axis=1) * 1.0,
        hits.sum(axis=1) / answers,
        np.minimum(gains / ideal, 1.0),
        (ranks == 1).any(axis=1) * 1.0,
    )
    return [pl.Series(name, each) for name, each in zip(MEASURES, values, strict=True)]
