"""What a reader of a comparison must know beside its figures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.errors import shown
from engram_lab.evaluation.statistics.units import (
    FEWEST_CLUSTERS,
    cluster_codes,
    distinct_clusters,
    effective_number,
)
from engram_lab.evaluation.suite import HEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engram_lab.evaluation.statistics.contrast import Contrast
    from engram_lab.evaluation.statistics.pairing import Pairs

__all__ = ["caveats"]

_SMALL: Final = 100
"""Queries below which it is told what cannot be seen."""


def caveats(
    pairs: Pairs, groups: Mapping[str, Pairs], contrasts: Sequence[Contrast]
) -> Iterator[str]:
    """Yield one sentence each.

    Args:
        pairs: All queries.
        groups: Those of each group that was tested.
        contrasts: What was found.
    """
    if not np.nan_to_num(pairs.deltas).any():
        yield "no query moved: A and B are equal in every measure"
    if lost := int(np.count_nonzero((np.isnan(pairs.a) != np.isnan(pairs.b)).any(axis=1))):
        yield f"{lost} queries are scored by one of the two alone and are left out"
    if HEADLINE not in groups:
        yield "every category is set apart: there is no headline"
    for name, some in groups.items():
        yield from _of_clusters(_said(name), some.clusters)
    for each in contrasts:
        if each.measure == contrasts[0].measure and 0 < each.n < _SMALL:
            seen = (
                "none can be told from chance"
                if math.isnan(each.detectable)
                else f"the smallest that is found with probability 0.8 is {each.detectable:.3f}"
            )
            yield f"{_said(each.group)} has {each.n} queries: of losses in {each.measure}, {seen}"


def _of_clusters(group: str, clusters: Sequence[str | None]) -> Iterator[str]:
    count = distinct_clusters(clusters)
    if count == len(clusters):
        return
    codes = cluster_codes(clusters, len(clusters))
    if codes is None:
        yield (
            f"{group} lies in {count} clusters, fewer than {FEWEST_CLUSTERS}: queries are taken as "
            "independent, and what is found holds for these clusters alone"
        )
        return
    effective = effective_number(np.bincount(codes).astype(np.float64))
    if effective < FEWEST_CLUSTERS:
        yield (
            f"the {count} clusters of {group} are so unequal that they count as {effective:.1f}: "
            "its p may be too small"
        )


def _said(group: str) -> str:
    return "the headline" if group == HEADLINE else f"category {shown(group)}"
