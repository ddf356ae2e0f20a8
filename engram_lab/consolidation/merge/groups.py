"""From pairs to groups: each was compared with the one that stands for it, so none drifts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["stars"]


def stars(
    pairs: Mapping[tuple[int, int], float],
    order: Sequence[int],
    may_absorb: Callable[[int, int], bool],
) -> dict[int, list[tuple[int, float]]]:
    """Return for each survivor those that it absorbs, with their scores.

    Taken in order, each that is not absorbed yet becomes a survivor and absorbs those that it was
    paired with. A chain of small differences never joins its two ends, and survivors, compared
    again, absorb each other no more.

    Args:
        pairs: Scores of the pairs that are one statement.
        order: All that are in pairs, best survivors first.
        may_absorb: Whether the first may absorb the second, apart from the score.
    """
    beside: dict[int, list[tuple[int, float]]] = {}
    for (one, other), score in pairs.items():
        beside.setdefault(one, []).append((other, score))
        beside.setdefault(other, []).append((one, score))
    absorbed: set[int] = set()
    found: dict[int, list[tuple[int, float]]] = {}
    for each in order:
        if each in absorbed:
            continue
        taken = [
            (other, score)
            for other, score in sorted(beside.get(each, ()))
            if other not in absorbed and other not in found and may_absorb(each, other)
        ]
        if taken:
            found[each] = taken
            absorbed.update(other for other, _ in taken)
    return found
