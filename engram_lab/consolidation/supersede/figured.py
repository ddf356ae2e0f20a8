"""Whether two statements that give other figures give them of one thing."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.merge.frame import between
from engram_lab.consolidation.supersede.forms import root
from engram_lab.consolidation.supersede.pairs import extra
from engram_lab.consolidation.supersede.unique import stands_by_itself
from engram_lab.consolidation.supersede.words import FRESH, PLURAL_RELATIONS, QUALIFIERS

if TYPE_CHECKING:
    from engram_lab.consolidation.supersede.frames import Filler, Frame
    from engram_lab.consolidation.supersede.pairs import Pair

__all__ = ["SCHEDULES", "contrasted", "described_apart", "of_one_kind", "of_several"]

SCHEDULES: Final = frozenset({"date", "day", "time"})
"""Kinds of figures that tell a moment together."""
_NUMBERED: Final = frozenset({root("number")})
_SIGN: Final = 3
_BEING: Final = frozenset({"is", "are"})


def of_one_kind(pair: Pair) -> bool:
    """Tell whether the numbers of two frames may be of one thing, by units and what they number."""
    both = ((pair.older, pair.newer), (pair.newer, pair.older))
    for one, other in both:
        counts = any(each.counted for each in one.figures)
        if counts and any(each.kind == "number" and each.value[1] for each in other.figures):
            return False  # 90 seats are no 90 crowns
    a, b = _units(pair.older), _units(pair.newer)
    if {""} in (a, b) and a != b and all(extra(one, other) for one, other in both):
        return False  # a code of a door, and what is paid at the door
    signs = any(0 < len(each) <= _SIGN for each in a | b)  # of which nothing may be known
    if a and b and not a & b and not signs:
        return False
    return all(  # `house 2` numbers no members
        not each.label
        or each.label in other.content | _NUMBERED
        or (pair.cued and stands_by_itself(one, each))
        or _is_of_what_both_tell(one, each, pair)
        for one, other in both
        for each in one.figures
    )


def _is_of_what_both_tell(frame: Frame, figure: Filler, pair: Pair) -> bool:
    """Tell whether a number names what both speak of: `tram line 4`, `has a new tram: line 4`."""
    here = [each for each in frame.runs if each.clause == figure.clause]
    alone = [each.value for each in here] == [(figure.label,)]
    if frame.cues & FRESH and (alone or figure.marker == "to"):
        return True
    return any(
        each.value[-1] == figure.label and pair.common.intersection(map(str, each.value[:-1]))
        for each in here
    )


def _units(frame: Frame) -> set[str]:
    return {str(each.value[1]) for each in frame.figures if each.kind == "number"}


def described_apart(pair: Pair) -> bool:
    """Tell whether they describe two things of the entity: `room 12` and `room 14`, each with more.

    Or one has a word that sets its thing apart from the usual one, as in `work email`.
    """
    if not pair.cued and _qualifying(pair.older, pair) != _qualifying(pair.newer, pair):
        return True
    a, b = _describing(pair.older), _describing(pair.newer)
    return bool(a and b and not a & b)


def _qualifying(frame: Frame, pair: Pair) -> set[str]:
    """Return the words right before what both speak of that make it another one."""
    return {
        word
        for each in frame.runs
        for word, after in pairwise(each.told.split())
        if word in QUALIFIERS and root(after) in pair.common
    }


def _describing(frame: Frame) -> set[tuple[object, ...]]:
    """Return the figures that say of what it speaks, where others say what is said of that."""
    if {each.late for each in frame.figures} == {True, False}:
        return {(each.kind, *each.value) for each in frame.figures if not each.late}
    told = [each for each in frame.figures if each.kind == "number"]
    labels = [each for each in told if each.label]
    return {each.value for each in labels} if 0 < len(labels) < len(told) else set()


def contrasted(pair: Pair) -> bool:
    """Tell whether two frames are the same but for a word that tells two things apart."""
    ours, theirs = extra(pair.older, pair.newer), extra(pair.newer, pair.older)
    if len(ours) != 1 or len(theirs) != 1:
        return False
    one, other = pair.older.text.split(), pair.newer.text.split()
    a, b = between(one, other)
    if len(a) != 1 or len(b) != 1:
        return False
    at = next(k for k, (x, y) in enumerate(zip(one, other, strict=False)) if x != y)
    return not _BEING & set(one[:at])  # what stands behind is told, and tells nothing apart


def of_several(pair: Pair) -> bool:
    """Tell whether there may be several of what the figures are of: `Ada's brother is 12`."""
    both = (pair.older, pair.newer)
    words = pair.older.plain & pair.newer.plain - pair.older.beside_names
    if not any(root(word) in PLURAL_RELATIONS and not word.endswith("s") for word in words):
        return False
    return not all(any(each.counted for each in frame.figures) for frame in both)
