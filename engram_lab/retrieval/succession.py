"""What was superseded comes after what superseded it, whichever of them answers better by words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.retrieval.hits import Step
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.rerank.protocol import Factor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from engram_lab.core.protocols import LinkRows
    from engram_lab.core.types import Memory

__all__ = ["SUPERSEDES", "Succession", "succession_of"]

SUPERSEDES: Final = "supersedes"
"""The type of a link from what holds now to what it took the place of."""

_LONGEST: Final = 8
"""So many times a fact is followed to what took its place."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Succession:
    """A ranking in which nothing stands before what superseded it.

    Attributes:
        ranking: What was ranked, and the newest of each chain where it was not.
        memories: Those that were not among what was ranked, by key.
        steps: Why a score is not what it was, by key.
    """

    ranking: Ranking
    memories: Mapping[int, Memory] = field(default_factory=dict)
    steps: Mapping[int, Step] = field(default_factory=dict)


def succession_of(
    ranking: Ranking,
    k: int,
    *,
    newer: Callable[[NDArray[np.int64]], LinkRows],
    fetch: Callable[[NDArray[np.int64]], Sequence[Memory | None]],
) -> Succession:
    """Return the ranking in which the best `k` stand after what superseded them.

    The newest of a chain takes the best score in it, and each older one stands directly below what
    took its place, or where it stood if that is lower. What may not be seen takes nobody's place,
    and where links go in a circle nothing is moved.

    Args:
        ranking: The best first.
        k: Of how many of them is asked what superseded them.
        newer: Returns the links to memories from what superseded them.
        fetch: Returns memories by key, None where there is none to be seen.
    """
    edges = _chains(ranking.keys[:k], newer)
    if not edges:
        return Succession(ranking=ranking)
    scores = dict(zip(ranking.keys.tolist(), ranking.scores.tolist(), strict=True))
    strangers = sorted({key for key, _ in edges} - scores.keys())
    found = dict(zip(strangers, fetch(np.array(strangers, np.int64)), strict=True))
    hidden = {key for key, memory in found.items() if memory is None}
    edges = [edge for edge in edges if not hidden.intersection(edge)]
    moved = _moved(edges, scores)
    memories = {key: each for key in moved if (each := found.get(key)) is not None}
    steps = {
        key: Step(name="succession", how="sum", parts=(Factor(why, score),))
        for key, (score, why) in moved.items()
    }
    after = scores | {key: score for key, (score, _) in moved.items()}
    return Succession(
        ranking=Ranking.of(list(after), list(after.values())), memories=memories, steps=steps
    )


def _chains(
    keys: NDArray[np.int64], newer: Callable[[NDArray[np.int64]], LinkRows]
) -> list[tuple[int, int]]:
    """Return pairs of a newer and an older memory, followed from the older ones on."""
    edges: dict[tuple[int, int], None] = {}
    known = set(keys.tolist())
    for _ in range(_LONGEST):
        rows = newer(keys)
        held = np.isin(rows.to_keys, keys)
        pairs = zip(rows.from_keys[held].tolist(), rows.to_keys[held].tolist(), strict=True)
        edges |= dict.fromkeys(pairs)
        keys = np.array(sorted({key for key, _ in edges} - known), np.int64)
        if not len(keys):
            break
        known.update(keys.tolist())
    return list(edges)


def _moved(
    edges: Sequence[tuple[int, int]], scores: Mapping[int, float]
) -> dict[int, tuple[float, str]]:
    """Return the new score of each that moves, and why."""
    above: dict[int, set[int]] = {}
    for one, other in edges:
        above.setdefault(other, set()).add(one)
        above.setdefault(one, set())
    best = _best_of_chain(edges, scores)
    now: dict[int, float] = {}
    moved: dict[int, tuple[float, str]] = {}
    waiting = sorted(above)
    while ready := [key for key in waiting if above[key] <= now.keys()]:
        for key in ready:
            own = scores.get(key)
            if not above[key]:
                now[key] = best[key]
                if own is None or best[key] > own:
                    moved[key] = (best[key], "in place of what it superseded")
                continue
            ceiling = float(np.nextafter(min(now[each] for each in above[key]), -np.inf))
            now[key] = ceiling if own is None else min(own, ceiling)
            if own is not None and ceiling < own:
                moved[key] = (ceiling, "below what superseded it")
        waiting = [key for key in waiting if key not in now]
    return moved


def _best_of_chain(
    edges: Sequence[tuple[int, int]], scores: Mapping[int, float]
) -> dict[int, float]:
    """Return the best score among all that a memory superseded, directly or not, and its own."""
    best = {key: scores.get(key, -np.inf) for edge in edges for key in edge}
    for _ in range(_LONGEST):
        for one, other in edges:
            best[one] = max(best[one], best[other])
    return best
