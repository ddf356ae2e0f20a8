"""Groupings of memories, and how right they are: by pairs, and by B³."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["BCubed", "Sets", "b_cubed", "drawn_pairs", "pair_precision"]


class Sets:
    """Disjoint sets of things that are joined pair by pair.

    Source: Tarjan, "Efficiency of a good but not linear set union algorithm", J. ACM 22 (1975),
    with path halving.
    """

    def __init__(self, things: Iterable[str]) -> None:
        self._up = {each: each for each in things}

    def of(self, thing: str) -> str:
        """Return what stands for the set of a thing."""
        up = self._up
        while up[thing] != thing:
            up[thing] = up[up[thing]]
            thing = up[thing]
        return thing

    def join(self, one: str, other: str) -> None:
        """Make one set of two."""
        first, second = sorted((self.of(one), self.of(other)))
        self._up[second] = first

    def groups(self) -> dict[str, str]:
        """Return what stands for the set of each thing."""
        return {each: self.of(each) for each in self._up}


class BCubed(NamedTuple):
    """What B³ says of one thing: of its group, and of its true group."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean; both are above 0, as each thing is in both groups itself."""
        return 2 / (1 / self.precision + 1 / self.recall)


def b_cubed(groups: Mapping[str, str], truth: Mapping[str, str]) -> dict[str, BCubed]:
    """Return B³ of each thing: what part of its group is of its true group, and the reverse.

    precision(i) = |G(i) ∩ T(i)| / |G(i)|, recall(i) = |G(i) ∩ T(i)| / |T(i)|; means over things are
    the figures of a grouping.

    Source: Bagga and Baldwin, "Entity-based cross-document coreferencing using the vector space
    model", COLING-ACL (1998), section 4.

    Args:
        groups: What stands for the group of each thing.
        truth: What stands for its true group.
    """
    ours, true = Counter(groups.values()), Counter(truth[each] for each in groups)
    both = Counter((group, truth[each]) for each, group in groups.items())
    return {
        each: BCubed(
            both[group, truth[each]] / ours[group], both[group, truth[each]] / true[truth[each]]
        )
        for each, group in groups.items()
    }


def pair_precision(groups: Mapping[str, str], truth: Mapping[str, str]) -> tuple[int, int]:
    """Return how many pairs stand in one group, and how many of them are of one true group."""
    ours = Counter(groups.values())
    both = Counter((group, truth[each]) for each, group in groups.items())
    return sum(math.comb(n, 2) for n in ours.values()), sum(math.comb(n, 2) for n in both.values())


def drawn_pairs(groups: Mapping[str, str], *, most: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield pairs that stand in one group: all of them, or so many drawn where there are more."""
    members: dict[str, list[str]] = {}
    for each in sorted(groups):
        members.setdefault(groups[each], []).append(each)
    several = [each for each in members.values() if len(each) > 1]
    if sum(math.comb(len(each), 2) for each in several) <= most:
        for group in several:
            yield from _pairs(group)
        return
    rng = np.random.default_rng(seed)
    counts = np.cumsum([math.comb(len(each), 2) for each in several])
    for place in sorted(rng.choice(int(counts[-1]), most, replace=False).tolist()):
        which = int(np.searchsorted(counts, place, side="right"))
        yield _pair(several[which], place - (int(counts[which - 1]) if which else 0))


def _pairs(group: Sequence[str]) -> Iterator[tuple[str, str]]:
    for right in range(1, len(group)):
        for left in range(right):
            yield group[left], group[right]


def _pair(group: Sequence[str], place: int) -> tuple[str, str]:
    """Return pair number `place` of a group, in the order of `_pairs`: triangular numbers."""
    right = (1 + math.isqrt(1 + 8 * place)) // 2
    return group[place - right * (right - 1) // 2], group[right]
