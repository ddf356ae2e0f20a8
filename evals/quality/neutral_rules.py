"""Ways to choose, without labels, how much the dense arm shall count for one question.

Each takes what BM25 and the dense arm found, and returns the dense share, from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.retrieval.fusion import (
    AdaptiveFusion,
    MinMax,
    WeightedFusion,
    ZeroMeanUnitVariance,
)
from engram_lab.retrieval.fusion.min_max import unit_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.retrieval.fusion import Fusion
    from engram_lab.retrieval.ranking import Ranking

__all__ = ["GRID", "RULES", "Pair", "Rule", "fused_at"]

GRID: Final = tuple(round(0.05 * step, 2) for step in range(21))
"""The dense shares that are tried where the best is looked for."""

_LEAST: Final = 1e-3
"""Keeps a ratio finite where an arm shows nothing."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What both arms found for a question."""

    keyword: Ranking
    semantic: Ranking

    def arms(self) -> Mapping[str, Ranking]:
        """Return them by name, as a fusion takes them."""
        return {"keyword": self.keyword, "semantic": self.semantic}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A fusion whose dense share follows from what the arms found.

    Attributes:
        said: In a line, for a reader.
        share: The dense share of a question; None where the fusion finds it by itself.
        standard: Whether scores are brought onto one scale by mean and deviation, else by range.
    """

    said: str
    share: Callable[[Pair], float] | None
    standard: bool = False

    def fuse(self, pair: Pair) -> Ranking:
        """Return the one ranking."""
        if self.share is None:
            return AdaptiveFusion().fuse(pair.arms()).ranking
        return fused_at(pair, self.share(pair), standard=self.standard)


def fused_at(pair: Pair, share: float, *, standard: bool = False) -> Ranking:
    """Return the convex combination with a dense share."""
    fusion: Fusion = WeightedFusion(
        weights={"keyword": 1.0 - share, "semantic": share},
        normaliser=ZeroMeanUnitVariance() if standard else MinMax(),
    )
    return fusion.fuse(pair.arms()).ranking


def _by(measure: Callable[[NDArray[np.float64]], float]) -> Callable[[Pair], float]:
    """Return the rule that gives each arm as much as a number of its scores says."""

    def share(pair: Pair) -> float:
        keyword, semantic = (
            max(measure(each.scores), _LEAST) if len(each) > 1 else _LEAST
            for each in (pair.keyword, pair.semantic)
        )
        return semantic / (keyword + semantic)

    return share


def _standard(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    values = unit_range(scores, equal=0.0)
    deviation = float(values.std())
    return (values - values.mean()) / deviation if deviation else values


def _inverse_area(scores: NDArray[np.float64]) -> float:
    return 1.0 / max(float(unit_range(scores, equal=1.0).mean()), _LEAST)


def _commitment(scores: NDArray[np.float64]) -> float:
    return float(scores.std() / max(abs(float(scores.mean())), _LEAST))


def _gain(scores: NDArray[np.float64]) -> float:
    return float(_standard(scores)[:5].mean())


def _gap(scores: NDArray[np.float64]) -> float:
    return float(1.0 - unit_range(scores, equal=1.0)[1])


def _kurtosis(scores: NDArray[np.float64]) -> float:
    return float((_standard(scores) ** 4).mean())


def _agreement(pair: Pair) -> float:
    """Each arm counts as far as the other confirms its first."""
    keyword, semantic = (
        1.0 / (1 + _place(other, own.keys[0])) if len(own) else 0.0
        for own, other in ((pair.keyword, pair.semantic), (pair.semantic, pair.keyword))
    )
    return semantic / (keyword + semantic) if keyword + semantic else 0.5


def _place(ranking: Ranking, key: np.int64) -> int:
    found = np.flatnonzero(ranking.keys == key)
    return int(found[0]) if len(found) else len(ranking)


def _pursuit(pair: Pair) -> float:
    """The share at which the fused scores themselves have the largest kurtosis."""
    shapes = [_kurtosis(fused_at(pair, share, standard=True).scores) for share in GRID]
    return GRID[int(np.argmax(shapes))]


def _fixed(share: float) -> Callable[[Pair], float]:
    return lambda _: share


RULES: Final[dict[str, Rule]] = {
    "fixed .3": Rule(said="min-max, dense share 0.3", share=_fixed(0.3)),
    "fixed .5": Rule(said="min-max, dense share 0.5: the default of `weighted`", share=_fixed(0.5)),
    "fixed .7": Rule(said="min-max, dense share 0.7", share=_fixed(0.7)),
    "fixed .5, z": Rule(
        said="mean and deviation, dense share 0.5", share=_fixed(0.5), standard=True
    ),
    "area": Rule(
        said="1 / area beneath the sorted scores (Zheng et al. 2015)",
        share=_by(_inverse_area),
        standard=True,
    ),
    "commitment": Rule(
        said="deviation of the scores over their mean (after NQC, Shtok et al. 2012)",
        share=_by(_commitment),
        standard=True,
    ),
    "gain": Rule(
        said="standard score of the first five (after WIG, Zhou and Croft 2007)",
        share=_by(_gain),
        standard=True,
    ),
    "gap": Rule(said="how far the first stands above the second", share=_by(_gap), standard=True),
    "agreement": Rule(
        said="how high the other arm ranks an arm's first", share=_agreement, standard=True
    ),
    "pursuit": Rule(
        said="the share that makes the fused scores' kurtosis largest (Peña and Prieto 2001)",
        share=_pursuit,
        standard=True,
    ),
    "kurtosis": Rule(said="kurtosis of the arm's own list", share=_by(_kurtosis), standard=True),
    "adaptive": Rule(said="kurtosis over all that was found: the neutral profile", share=None),
}
