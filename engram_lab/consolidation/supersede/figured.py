"""Whether two statements that give other figures give them of one thing."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.merge.frame import between
from engram_lab.consolidation.supersede.forms import root
from engram_lab.consolidation.supersede.pairs import extra
from engram_lab.consolidation.supersede.unique import stands_by_itself
from engram_lab.consolidation.supersede.words import (
    FRESH,
    PLURAL_RELATIONS,
    QUALIFIERS,
    SETTLING,
)

if TYPE_CHECKING:
    from engram_lab.consolidation.supersede.frames import Filler, Frame
    from engram_lab.consolidation.supersede.pairs import Pair

__all__ = [
    "SCHEDULES",
    "beside_deeds",
    "contrasted",
    "described_apart",
    "of_one_kind",
    "of_several",
]

SCHEDULES: Final = frozenset({"date", "day", "time"})
"""Kinds of figures that tell a moment together."""
_NUMBERED: Final = frozenset({root("number")})
_SIGN: Final = 3
_BEING: Final = frozenset({"is", "are"})
_FELT: Final = frozenset(
    root(word)
    for word in ("like", "love", "enjoy", "adore", "hate", "dislike", "loathe", "fear", "avoid")
)
_STAYING: Final = frozenset(
    root(word)
    for row in (
        "live reside stay stand situated located lodge home work based sit keep kept store stored",
        "park parked moor moored deploy deployed host hosted run hang",
    )
    for word in row.split()
)
"""Roots of verbs that tell where something is, and it is at one place at a time."""
_WHERE: Final = frozenset({"in", "at", "on", "near", "into", "under"})
_NO_CHANGE: Final = frozenset({"new", "latest", "given", "wrong"})
"""Cues that may be said of any thing."""
_VERB_AND_OBJECT: Final = 2


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


_ARTICLES: Final = frozenset({"the", "a", "an"})


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
    stays = pair.older.content & pair.newer.content & _STAYING
    if stays and at > 1 and one[at - 1] in _ARTICLES and one[at - 2] in _WHERE:
        return False  # `is kept in the shed of house 5`: where, of which there is one at a time
    return not _BEING & set(one[:at])  # what stands behind is told, and tells nothing apart


def of_several(pair: Pair) -> bool:
    """Tell whether there may be several of what the figures are of: `Ada's brother is 12`."""
    both = (pair.older, pair.newer)
    words = pair.older.plain & pair.newer.plain - pair.older.beside_names
    if not any(root(word) in PLURAL_RELATIONS and not word.endswith("s") for word in words):
        return False
    return not all(any(each.counted for each in frame.figures) for frame in both)


def beside_deeds(pair: Pair) -> bool:
    """Tell whether the figures of two say but where or when one subject does, or feels, something.

    Who mends a clock in room 5 may mend it in room 83 too, and who hates meetings on Monday may
    hate those on Friday. Of what is kept or lives somewhere there is one place at a time.
    """
    if pair.cued and pair.newer.cues & FRESH - _NO_CHANGE:
        return False
    if pair.older.content & pair.newer.content & _FELT:
        return True
    of_one = any(a.role == b.role == "subject" for a, b in pair.shared)
    if of_one and any(_is_settled(each) for each in (pair.older, pair.newer)):
        return True  # who borrowed a cup for 20 minutes borrowed another one for 45
    return all(
        any(both[side].role == "subject" for both in pair.shared) and _is_beside_deed(frame)
        for side, frame in enumerate((pair.older, pair.newer))
    )


def _is_settled(frame: Frame) -> bool:
    """Tell whether a verb of the past, and no auxiliary, tells what its subject did."""
    has = {"has", "have", "had"} & set(frame.text.split())
    return bool(frame.plain & SETTLING) and not (frame.copula or has)


def _is_beside_deed(frame: Frame) -> bool:
    """Tell whether a number is of a place behind a verb and its object: `mends it in room 5`."""
    if frame.copula or frame.content & _STAYING:
        return False
    sorts = {word for each in frame.names for word in each.beside}  # `the app Heron`
    for figure in frame.figures:
        here = [each for each in frame.runs if each.clause == figure.clause]
        place = [each for each in here if figure.label and each.value[-1] == figure.label]
        deed = {word for each in here if each.role != "marked" for word in each.value} - sorts
        if any(each.marker in _WHERE for each in place) and len(deed) >= _VERB_AND_OBJECT:
            return True
    return False
