"""The frame of a statement: what two share before and behind, and what each says in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.consolidation.merge.statements import Statement

__all__ = ["between", "frame_differs"]


def between(a: Sequence[str], b: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return what is left of two sequences without their common beginning and end."""
    shorter = min(len(a), len(b))
    start = 0
    while start < shorter and a[start] == b[start]:
        start += 1
    end = 0
    while end < shorter - start and a[-1 - end] == b[-1 - end]:
        end += 1
    return a[start : len(a) - end], b[start : len(b) - end]


def frame_differs(a: Statement, b: Statement) -> bool:
    """Tell whether one has in the same place other words than the other, none of which both have.

    "plays the cello" and "plays the violin" are near by meaning and of one frame. So are "bought"
    and "acquired": words that are known to be the same count as one, others cost the merge.
    """
    ours, theirs = between(a.roots, b.roots)
    return bool(ours and theirs and b.content.isdisjoint(ours) and a.content.isdisjoint(theirs))
