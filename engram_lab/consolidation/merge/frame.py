"""The frame of a statement: what two share, and what each says in the same place of it.

Two statements that are built alike and differ in what fills one place are the classical near-miss:
"Ada varnished the canoe", "Ada sketched the canoe". Their vectors are near, since all else is the
same, so nearness of the whole says nothing of that place; and what verb, thing or place may stand
for another no short table can tell. Hence built alike, with other words in one place, is apart.
Two tellings of one thing in other words are mostly built otherwise too, and add words or leave some
out rather than put one in the place of another.

Source: G. A. Miller and W. G. Charles, "Contextual correlates of semantic similarity", Language and
Cognitive Processes 6 (1991): what may take the place of a word is alike in use, not in meaning.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.consolidation.merge.statements import Statement

__all__ = ["between", "frame_differs", "substituted"]


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


def substituted(a: Statement, b: Statement) -> bool:
    """Tell whether two are built alike, and each has in one place a word that the other lacks.

    Built alike are two in which the words of both follow one another in one order, the names under
    the same prepositions; all words, where only one of the two says that something is something.
    What a preposition marks may stand elsewhere. An active and a passive are built alike too, where
    both name the doer. Words that are known to be the same count as one.
    """
    both = a.content & b.content
    if a.passive != b.passive:
        return _other_deed(a, b) if a.passive else _other_deed(b, a)
    alike = (a.copula < 0) == (b.copula < 0)
    compared = (a.named | b.named) & both if alike else both
    if not both or any(a.marked.get(each) != b.marked.get(each) for each in compared):
        return False
    if _fills_differ(a.roots, b.roots):
        return True
    turned = {each for each in both if a.marked.get(each) != b.marked.get(each)}
    return turned.isdisjoint((*a.bare, *b.bare)) and _fills_differ(a.bare, b.bare)


def _other_deed(passive: Statement, active: Statement) -> bool:
    """Tell whether an active tells another deed of the doer of a passive."""
    lacks = passive.content - active.content, active.content - passive.content
    return passive.agent in active.bare and active.copula < 0 and all(lacks)


def _fills_differ(a: Sequence[str], b: Sequence[str]) -> bool:
    """Tell whether, between what both have in one order, each of two has words of its own.

    Of a word that one has more often, as in "auctioned it before the auction", either may be its
    own.
    """
    shared = Counter(a) & Counter(b)
    for step in (1, -1):
        ours, theirs = _places(a[::step], shared), _places(b[::step], shared)
        alike = [each for each, _ in ours] == [each for each, _ in theirs]
        if alike and any(x and y for (_, x), (_, y) in zip(ours, theirs, strict=True)):
            return True
    return False


def _places(roots: Sequence[str], shared: Counter[str]) -> list[tuple[str, int]]:
    """Return the shared words in order, each with how many others stand right before it."""
    found: list[tuple[str, int]] = []
    left, others = shared.copy(), 0
    for each in roots:
        if left[each]:
            left[each] -= 1
            found.append((each, others))
            others = 0
        else:
            others += 1
    return [*found, ("", others)]
