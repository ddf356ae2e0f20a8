"""System B against system A: the same queries, each measure, with everything a gate asks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np

from engram_lab.core.errors import IncomparableError, InvalidInputError, shown
from engram_lab.evaluation.measures.parsing import falls
from engram_lab.evaluation.statistics.bootstrap import estimate
from engram_lab.evaluation.statistics.caveats import caveats
from engram_lab.evaluation.statistics.contrast import Comparison, Contrast, Moved
from engram_lab.evaluation.statistics.effect import EQUAL, standardised, tally
from engram_lab.evaluation.statistics.holm import holm
from engram_lab.evaluation.statistics.pairing import paired
from engram_lab.evaluation.statistics.power import minimum_detectable
from engram_lab.evaluation.statistics.randomisation import Alternative, least_p, randomisation
from engram_lab.evaluation.statistics.units import cluster_codes, distinct_clusters
from engram_lab.evaluation.suite import HEADLINE

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from engram_lab.evaluation.statistics.contrast import Estimate
    from engram_lab.evaluation.statistics.pairing import Pairs
    from engram_lab.evaluation.statistics.randomisation import Randomised

__all__ = ["compare"]


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Queries that are tested together, with what was found before Holm's correction."""

    name: str
    pairs: Pairs
    tests: list[Randomised]
    estimates: list[Estimate]


@dataclass(frozen=True, kw_only=True)
class _Family:
    """The tests that share a level.

    Attributes:
        tests: How many there are.
        alternative: See `compare`.
        alpha: Likewise.
        resamples: Likewise.
    """

    tests: int
    alternative: Alternative
    alpha: float
    resamples: int

    def sees(self, queries: int) -> bool:
        """Whether a test of so many queries can be significant by itself: at Holm's first step."""
        return self._least(queries) * self.tests < self.alpha

    def said(self, queries: int) -> str:
        """Return the warning that no test of at most so many queries can be significant."""
        return (
            f"no difference can be significant, however large: {self.tests} tests share "
            f"{self.alpha:g}, and p cannot be less than {self._least(queries):.2g}; test fewer "
            "measures or categories, ask more queries or draw more resamples"
        )

    def _least(self, queries: int) -> float:
        return least_p(queries, alternative=self.alternative, resamples=self.resamples)


def compare(
    a: pl.DataFrame,
    b: pl.DataFrame,
    *,
    names: tuple[str, str] | None = None,
    measures: Sequence[str],
    apart: Sequence[str] = (),
    categories: bool = True,
    alternative: Alternative = "two-sided",
    alpha: float = 0.05,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Return how B differs from A.

    Every measure is tested over the headline, and with `categories` over each category by itself,
    unless one category is the whole headline. Holm's correction is over all of these contrasts.
    Of a measure that falls, such as `stale@k`, a rise is the loss (see `measures.parsing.falls`).

    Args:
        a: Per-query frame of the system that stands: `query_id`, `category`, `cluster`, and one
            float64 column for each measure, null where unscored.
        b: Likewise of the one that is judged, over the same queries.
        names: Of A and B; else what their columns `system` say.
        measures: Canonical names; the first tells which queries moved.
        apart: Categories that are no part of the headline.
        categories: Whether each category is tested too.
        alternative: `less` where only a loss of B counts.
        alpha: Family-wise error rate.
        level: Of the confidence intervals.
        resamples: Of bootstrap and test.
        seed: Of both.

    Raises:
        IncomparableError: The frames hold other queries, categories, clusters or measures, or none.
        InvalidInputError: An option is not allowed.
    """
    _check(measures, alternative, alpha)
    names = names or (_name(a, "A"), _name(b, "B"))
    pairs = paired(a, b, names=names, measures=measures)
    if not pairs.queries:
        raise IncomparableError(f"{shown(names[0])} and {shown(names[1])} hold no query")
    sign = np.array([-1.0 if falls(name) else 1.0 for name in measures])
    groups = [
        _Group(
            name=name,
            pairs=some,
            tests=randomisation(
                some.deltas * sign,
                some.clusters,
                alternative=alternative,
                resamples=resamples,
                seed=seed,
            ),
            estimates=estimate(
                some.deltas, some.clusters, level=level, resamples=resamples, seed=seed
            ),
        )
        for name, some in _grouped(pairs, apart, categories=categories)
    ]
    family = _Family(
        tests=sum(not math.isnan(each.p) for group in groups for each in group.tests),
        alternative=alternative,
        alpha=alpha,
        resamples=resamples,
    )
    contrasts = tuple(_contrasts(groups, measures, family))
    whole = groups[0].pairs.clusters
    blind = family.tests > 0 and not any(family.sees(each.n) for each in contrasts)
    told = caveats(pairs, {each.name: each.pairs for each in groups}, contrasts)
    return Comparison(
        a=names[0],
        b=names[1],
        contrasts=contrasts,
        moved=_moved(pairs, measures[0]),
        alternative=alternative,
        clusters=None if cluster_codes(whole, len(whole)) is None else distinct_clusters(whole),
        alpha=alpha,
        warnings=((family.said(max(each.n for each in contrasts)),) if blind else ()) + tuple(told),
        blind=blind,
    )


def _grouped(
    pairs: Pairs, apart: Sequence[str], *, categories: bool
) -> Iterator[tuple[str, Pairs]]:
    """Yield the headline, then each category that is not the whole headline."""
    headline = [row for row, each in enumerate(pairs.categories) if each not in apart]
    if headline:
        yield HEADLINE, pairs.only(headline)
    if categories or not headline:
        for name in sorted({each for each in pairs.categories if each is not None}):
            rows = [row for row, each in enumerate(pairs.categories) if each == name]
            if rows != headline:
                yield name, pairs.only(rows)


def _contrasts(
    groups: Sequence[_Group], measures: Sequence[str], family: _Family
) -> Iterator[Contrast]:
    adjusted = iter(holm([each.p for group in groups for each in group.tests]))
    for group in groups:
        for column, measure in enumerate(measures):
            test, interval = group.tests[column], group.estimates[column]
            deltas = group.pairs.deltas[:, column]
            both = ~np.isnan(deltas)
            scored = deltas[both]
            clusters = [each for each, kept in zip(group.pairs.clusters, both, strict=True) if kept]
            falling = falls(measure)
            counted = tally(-scored if falling else scored)
            mde = math.nan
            if family.sees(len(scored)):
                mde = minimum_detectable(
                    group.pairs.a[both, column],
                    scored,
                    clusters,
                    alpha=family.alpha,
                    tests=family.tests,
                    alternative=family.alternative,
                )
            yield Contrast(
                measure=measure,
                group=group.name,
                n=len(scored),
                mean_a=_mean(group.pairs.a[both, column]),
                mean_b=_mean(group.pairs.b[both, column]),
                delta=interval.mean,
                low=interval.low,
                high=interval.high,
                p=test.p,
                p_adjusted=next(adjusted),
                test=test.test,
                effect=standardised(scored),
                mde=mde,
                wins=counted.wins,
                ties=counted.ties,
                losses=counted.losses,
                falling=falling,
            )


def _name(frame: pl.DataFrame, unnamed: str) -> str:
    """Return the system whose rows these are, where they are of one and say it."""
    known = frame["system"].unique().to_list() if "system" in frame.columns else []
    return str(known[0]) if len(known) == 1 else unnamed


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _moved(pairs: Pairs, measure: str) -> tuple[Moved, ...]:
    falling = falls(measure)
    rows = zip(
        pairs.queries, pairs.categories, pairs.a[:, 0].tolist(), pairs.b[:, 0].tolist(), strict=True
    )
    moved = (
        Moved(
            query_id=query,
            category=category,
            measure=measure,
            before=before,
            after=after,
            falling=falling,
        )
        for query, category, before, after in rows
        if abs(after - before) > EQUAL
    )
    return tuple(sorted(moved, key=lambda each: (not each.newly_failed, each.gain, each.query_id)))


def _check(measures: Sequence[str], alternative: str, alpha: float) -> None:
    if not measures:
        raise InvalidInputError("no measure is given: name at least one to compare")
    if repeated := sorted({each for each in measures if list(measures).count(each) > 1}):
        raise InvalidInputError(f"the measure {shown(repeated[0])} is given twice: name it once")
    if alternative not in get_args(Alternative):
        allowed = " or ".join(map(repr, get_args(Alternative)))
        raise InvalidInputError(f"the alternative is {shown(alternative)}: it must be {allowed}")
    if not 0 < alpha < 1:
        raise InvalidInputError(f"alpha is {shown(alpha)}: give a number between 0 and 1")
