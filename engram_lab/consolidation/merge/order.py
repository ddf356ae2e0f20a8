"""Who does what to whom: whether two statements of the same words give them other parts."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.merge.alike import CONVERSES
from engram_lab.consolidation.merge.doers import doers_differ, is_undergone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engram_lab.consolidation.merge.statements import Statement

__all__ = ["converse", "order_differs"]

_RELATIVE: Final = frozenset({"which", "who", "that", "whose"})
"""Where but one of two statements has such a word, its adjectives may stand elsewhere."""


def order_differs(a: Statement, b: Statement) -> bool:
    """Tell whether names, or words where all are the same, have changed places.

    A passive turns its doer round, `and` joins in either order, and what stands on the two sides of
    one copula may change sides. What a preposition marks may stand anywhere, but two may not change
    their prepositions.
    """
    same = a.plain == b.plain and not (a.words ^ b.words) & _RELATIVE
    named = (a.named | b.named) & a.content & b.content
    # what one says by a verb, and the other by a noun, stands in another place
    compared = a.content if same and (a.copula < 0) == (b.copula < 0) else named
    if _slots_differ(a, b) or _parts_exchanged(a, b, compared):
        return True
    if converse(a, b):
        return _voices_differ(a, b) or (
            a.passive == b.passive and _first(a, compared) == _first(b, compared)
        )
    if doers_differ(a, b):
        return True
    if is_undergone(a, b) or is_undergone(b, a):
        return False
    return _voices_differ(a, b) or (a.passive == b.passive and _turned(a, b, compared))


def _voices_differ(a: Statement, b: Statement) -> bool:
    """Tell whether an active and a passive, or two passives, name other doers."""
    if a.passive != b.passive:
        return _doer_differs(a, b) if a.passive else _doer_differs(b, a)
    return a.passive and a.agent != b.agent and a.agent in b.content and b.agent in a.content


def _turned(a: Statement, b: Statement, compared: frozenset[str]) -> bool:
    both = compared.intersection(a.bare).intersection(b.bare)
    ours = [each for each in dict.fromkeys(a.bare) if each in both]
    theirs = [each for each in dict.fromkeys(b.bare) if each in both]
    if ours == theirs or _halves_exchanged(a, b):
        return False
    places = {each: at for at, each in enumerate(theirs)}
    joined = a.joined & b.joined if len(a.order) < 2 else frozenset()  # noqa: PLR2004
    return any(
        places[x] > places[y] and frozenset((x, y)) not in joined
        for at, x in enumerate(ours)
        for y in ours[at + 1 :]
    )


def _halves_exchanged(a: Statement, b: Statement) -> bool:
    if a.halves is None or b.halves is None:
        return False
    return a.halves[0] == b.halves[1] and a.halves[1] == b.halves[0]


def _slots_differ(a: Statement, b: Statement) -> bool:
    """Tell whether two or more numbers, or times, or dates stand in another order."""
    if len(a.order) < 2 or len(a.order) != len(b.order):  # noqa: PLR2004
        return False
    return any(
        [value for each, value, _ in a.order if each == kind]
        != [value for each, value, _ in b.order if each == kind]
        for kind in ("number", "ordinal", "date", "time")
    )


def _parts_exchanged(a: Statement, b: Statement, compared: Iterable[str]) -> bool:
    """Tell whether one word has in each the part that another has in the other."""
    changed = {
        (a.marked.get(each, ""), b.marked.get(each, ""))
        for each in compared
        if a.marked.get(each, "") != b.marked.get(each, "")
    }
    if a.passive != b.passive:
        changed = {each for each in changed if "by" not in each}
    return any((there, here) in changed for here, there in changed)


def _doer_differs(passive: Statement, active: Statement) -> bool:
    """Tell whether the doer of the passive is not the first of the active."""
    if passive.agent not in active.bare or not passive.bare:
        return False
    done_to = passive.bare[0]
    if done_to not in active.bare:
        return False
    return active.bare.index(passive.agent) > active.bare.index(done_to)


def _first(statement: Statement, compared: frozenset[str]) -> str:
    return next((each for each in statement.roots if each in compared), "")


def converse(a: Statement, b: Statement) -> bool:
    """Tell whether each has one of two words that say the same with the parts exchanged."""
    table = _table()
    theirs = b.words - a.words
    return any(table.get(each, frozenset()) & theirs for each in a.words - b.words)


@lru_cache(maxsize=1)
def _table() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for one, other in CONVERSES:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {word: frozenset(each) for word, each in found.items()}
