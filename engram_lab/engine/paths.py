"""The heaviest simple paths between two memories, found without looking at all of them."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.core.brief import brief, quoted
from engram_lab.engine.steps import steps_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from engram_lab.core.types import Direction, Link, Memory

__all__ = ["LinkPath", "Way", "heaviest_paths"]

_LIGHTEST: Final = 1e-300
_DIGITS: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class LinkPath:
    """One way from a memory to another over links, which passes no memory twice.

    Attributes:
        memories: From the first to the last, n + 1 of them.
        links: Between each two, n of them: where several join the same two, the heaviest.
        weight: The product of the weights of the links, 0 to 1.
    """

    memories: tuple[Memory, ...]
    links: tuple[Link, ...]
    weight: float

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the memories, from the first to the last."""
        return tuple(each.id for each in self.memories)

    def __repr__(self) -> str:
        texts = (quoted(each.content, most=20) for each in self.memories)
        return brief(self, f"weight={self.weight:.4g}", " → ".join(texts))


class Way(NamedTuple):
    """A path by ids: the memories, the links between them, the product of their weights."""

    ids: tuple[str, ...]
    links: tuple[Link, ...]
    weight: float


def heaviest_paths(
    links: Iterable[Link], start: str, target: str, *, max_depth: int, direction: Direction = "both"
) -> Iterator[Way]:
    """Yield simple paths of at most `max_depth` links, heaviest first.

    Ties go to fewer links, then to the smaller ids in turn. Weights that are equal but for the last
    digits of their logarithm, which depend on the order of multiplication, are ties. A link of
    weight 0 joins nothing.

    A best-first search whose bound is the heaviest walk that may still lead to the target in the
    links that are left. No weight is above 1, so no path turns out heavier than its bound.
    Source: Hart, Nilsson & Raphael 1968, A Formal Basis for the Heuristic Determination of Minimum
    Cost Paths, IEEE Trans. SSC 4(2), with f = g · h, the product in place of the sum.
    """
    steps = steps_of(links, direction)
    bounds = _bounds(steps, start, target, max_depth)
    if start not in bounds[-1]:
        return
    fewest = {
        id_: depth for depth in range(max_depth, -1, -1) for id_ in bounds[depth]
    }  # of links to the target
    queue: list[tuple[float, int, tuple[str, ...], float]] = [(0.0, 0, (start,), 1.0)]
    while queue:
        _, _, ids, weight = heapq.heappop(queue)
        if ids[-1] == target:
            yield Way(ids, tuple(steps[a][b] for a, b in pairwise(ids)), weight)
            continue
        left = max_depth - len(ids)
        for other, link in steps.get(ids[-1], {}).items():
            onward = bounds[left].get(other) if left >= 0 else None
            if onward is None or other in ids:
                continue
            product = weight * link.weight
            fewest_links = len(ids) + fewest[other]
            bound = _heaviness(product * onward)
            heapq.heappush(queue, (bound, fewest_links, (*ids, other), product))


def _heaviness(weight: float) -> float:
    """Return what paths are ordered by, the heaviest lowest."""
    return -round(math.log(max(weight, _LIGHTEST)), _DIGITS)


def _bounds(
    steps: Mapping[str, Mapping[str, Link]], start: str, target: str, max_depth: int
) -> list[dict[str, float]]:
    """Return for 0 to `max_depth` links the heaviest walk to the target from each memory."""
    back: dict[str, list[tuple[str, float]]] = {}
    for here, there in steps.items():
        for other, link in there.items():
            if here != target and other != start:
                back.setdefault(other, []).append((here, link.weight))
    bounds = [{target: 1.0}]
    fresh = [target]
    for _ in range(max_depth):
        before = bounds[-1]
        after = dict(before)
        changed: dict[str, None] = {}
        for other in fresh:
            for here, weight in back.get(other, ()):
                product = weight * before[other]
                if product > after.get(here, 0.0):
                    after[here] = product
                    changed[here] = None
        bounds.append(after)
        fresh = list(changed)
    return bounds
