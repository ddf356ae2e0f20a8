"""Whether a newer statement says otherwise of one attribute that holds one value at a time.

Two frames that name one entity, are near by meaning, and share a word beside it, tell one
attribute. If one value differs, and the attribute holds but one at a time, the newer one took the
place of the older. That it holds but one is told by language; see `unique`. Where the newer one
names the older value ("from A to B", "no longer A but B"), nothing else need tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.consolidation.supersede.figured import (
    SCHEDULES,
    beside_deeds,
    contrasted,
    described_apart,
    of_one_kind,
    of_several,
)
from engram_lab.consolidation.supersede.forms import root
from engram_lab.consolidation.supersede.frames import FIGURES
from engram_lab.consolidation.supersede.meals import dishes
from engram_lab.consolidation.supersede.pairs import Pair, apart, equal, extra, two_deeds
from engram_lab.consolidation.supersede.unique import (
    described,
    name_alone,
    of_many,
    stands_by_itself,
    words_alone,
)
from engram_lab.consolidation.supersede.words import FRESH, HABITS

if TYPE_CHECKING:
    from engram_lab.consolidation.supersede.frames import Filler, Frame

__all__ = ["BOUNDS", "Bounds", "Verdict", "judge"]


class Bounds(NamedTuple):
    """Least cosines of two frames.

    Set on made-up statements with vectors of all-MiniLM-L6-v2. Of 1,370 right pairs that language
    let pass, 99 in 100 were nearer than .55; so were the few wrong ones: language tells them apart,
    and nearness but keeps out what shares a word by chance.
    """

    told: float = 0.3
    """Where the newer one names the older value."""
    cued: float = 0.4
    """Where it says that something changed."""
    silent: float = 0.5


BOUNDS: Final = Bounds()


class Verdict(NamedTuple):
    """What is to be said of a pair before its frames are compared.

    Attributes:
        sure: How sure it is that the newer says otherwise, if the frames are near enough.
        least: How near they must be.
        shown: The frames; without what they give other values by, where that is words.
    """

    sure: float
    least: float
    shown: tuple[str, str] = ("", "")


_NO: Final = Verdict(0.0, 2.0)
_TOLD: Final = 0.95
_MOST_WORDS: Final = 3
_MOST_BESIDE: Final = 2


def judge(older: Frame, newer: Frame, bounds: Bounds = BOUNDS) -> Verdict:
    """Return whether a newer statement says otherwise than an older one, but for their frames."""
    pair = Pair(older, newer)
    if not pair.shared or older.meant != newer.meant or apart(older, newer):
        return _NO
    if not (pair.common or pair.cued):
        return _NO
    if told := _told(pair):
        return Verdict(told, bounds.told, pair.shown)
    return _judged(pair, bounds) if pair.common else _NO


def _judged(pair: Pair, bounds: Bounds) -> Verdict:
    """Judge a pair of which the newer one does not name the older value."""
    older, newer = pair.older, pair.newer
    differ, agree, lone = pair.kinds()
    if not (differ or pair.surely):
        return _NO
    if bool(older.denies) != bool(newer.denies) and not (differ and _elsewhere(pair)):
        return _NO if differ or lone else _denied(pair, bounds)
    if older.several or newer.several or described_apart(pair):
        return _NO
    if not differ:
        return _NO if lone or agree else _of_meals(pair, bounds) or _by_words(pair, bounds)
    sure = _by_values(pair, differ, agree, lone)
    return Verdict(sure, bounds.cued if pair.cued else bounds.silent, pair.shown)


def _elsewhere(pair: Pair) -> bool:
    """Tell whether what is denied is another thing: `it isn't here, Ada borrowed it`."""
    return not (pair.older.denies | pair.newer.denies) & pair.common


def _told(pair: Pair) -> float:
    """Return how sure it is where the newer one names the value of the older."""
    for were in pair.newer.were:
        told = {*map(str, were.value)}
        if were.kind == "words" and told <= pair.older.content and not told & pair.newer.content:
            return _TOLD
    for kind in (*FIGURES, "name"):
        held = pair.names_a if kind == "name" else pair.older.figures
        now = pair.names_b if kind == "name" else pair.newer.figures
        ours = [each.value for each in held if each.kind == kind]
        holds = [each.value for each in now if each.kind == kind]
        gone = [each.value for each in pair.newer.were if each.kind == kind]
        same = [b for b in holds if any(equal(kind, a, b) for a in ours)]
        if not same and any(equal(kind, a, b) for a in ours for b in gone):
            return _TOLD
        # both values told, and that something changed: the one that the older has is the former
        if pair.cued and 0 < len(same) < len(holds) and not pair.newer.several:
            return 0.85
    return 0.0


def _denied(pair: Pair, bounds: Bounds) -> Verdict:
    """Judge a pair of which one denies what the other says, with the same names and figures."""
    if all(each.role == "object" for both in pair.shared for each in both):
        return _NO  # `three Asian kids are running` is not of a name
    ours, theirs = extra(pair.older, pair.newer), extra(pair.newer, pair.older)
    past = pair.older.past or pair.newer.past
    if not (pair.older.denies | pair.newer.denies) & pair.common or (past and ours | theirs):
        return _NO
    if len(ours) + len(theirs) > _MOST_BESIDE:
        return _NO
    if ours and theirs and _parts(pair.older, ours) != _parts(pair.newer, theirs):
        return _NO  # `isn't scared of figs` and `is afraid of figs` speak of one thing
    return Verdict(0.85, bounds.silent if ours or theirs else bounds.cued, pair.shown)


def _parts(frame: Frame, words: set[str]) -> set[str]:
    """Return the parts that some words of a frame play."""
    return {each.role for each in frame.runs if words & set(map(str, each.value))}


def _by_values(pair: Pair, differ: set[str], agree: set[str], lone: set[str]) -> float:
    """Return how sure it is of a pair that gives other names or figures, 0 to 1."""
    if not _comparable(pair, differ, agree, lone) or two_deeds(pair):
        return 0.0
    if "name" not in differ and beside_deeds(pair):
        return 0.0
    sure = 0.6 if of_several(pair) and not pair.cued else 0.8
    if "name" in differ:
        if _turned_about(pair):
            return 0.0
        sure = min(name_alone(pair.older, pair, 0), name_alone(pair.newer, pair, 1))
    if not sure or not pair.cued:
        return sure
    return min(sure + 0.1, _TOLD)


def _turned_about(pair: Pair) -> bool:
    """Tell whether one verb has its object as its subject: `Ada runs it`, `it runs on Falconet`."""
    verbs = {root(word) for word in pair.older.plain & pair.newer.plain} & pair.common
    if not verbs or pair.older.copula or pair.newer.copula:
        return False
    parts = [
        ({each[side].role for each in pair.shared}, {each.role for each in names})
        for side, names in enumerate((pair.names_a, pair.names_b))
    ]
    return ({"object"}, {"subject"}) in parts and ({"subject"}, {"marked"}) in parts


def _comparable(pair: Pair, differ: set[str], agree: set[str], lone: set[str]) -> bool:
    """Tell whether they give one kind of value, of one thing, and not of what happened once."""
    if (len(differ) > 1 and not differ <= SCHEDULES) or pair.older.past or pair.newer.past:
        return False
    if "date" in agree and not differ <= SCHEDULES | {"name"}:
        return False  # what was measured, or done, on that day
    if "number" in differ and not of_one_kind(pair):
        return False
    if pair.cued:
        return lone <= SCHEDULES | {"number"}
    figures = (*pair.older.figures, *pair.newer.figures)
    return (
        agree <= SCHEDULES
        and lone <= SCHEDULES - {"date"}
        and not any(each.marker == "since" for each in figures)
        and not contrasted(pair)
    )


def _of_meals(pair: Pair, bounds: Bounds) -> Verdict | None:
    """Judge a pair that tells what is had at one meal; None where it tells something else."""
    had = dishes(pair.older, pair.newer)
    if had is None:
        return None
    masked = _without(pair.older, had[0]), _without(pair.newer, had[1])
    return Verdict(0.85 if pair.cued else 0.75, bounds.cued, masked)


def _by_words(pair: Pair, bounds: Bounds) -> Verdict:
    """Judge a pair that differs in words alone: one run of them each, where one thing stands."""
    older, newer = pair.older, pair.newer
    ours, theirs = _differing(older, newer), _differing(newer, older)
    if ours is None or theirs is None or older.exists or newer.exists or older.past or newer.past:
        return _NO
    masked = _without(older, ours), _without(newer, theirs)
    again = pair.cued and masked[0] == masked[1] and not newer.content & HABITS
    if not (again or words_alone(newer, theirs)) or _agree(older, ours, newer, theirs):
        return _NO
    if pair.cued:
        return Verdict(0.85, bounds.cued, masked)
    beside = (
        extra(older, newer) - {*map(str, ours.value)},
        extra(newer, older) - {*map(str, theirs.value)},
    )
    if all(beside) or not words_alone(older, ours):
        return _NO
    if not all(_states(each, value) for each, value in ((older, ours), (newer, theirs))):
        return _NO
    return Verdict(0.75, bounds.silent, masked)


def _agree(older: Frame, ours: Filler, newer: Frame, theirs: Filler) -> bool:
    """Tell whether they say the same of what they only describe in other words.

    "The colour is teal" and "You know it because it is teal" differ in what is no value.
    """
    both = _said(older) & _said(newer) - {*map(str, (*ours.value, *theirs.value))}
    return bool(both) and any(
        each.definite or (each.role in {"marked", "object"} and not each.late)
        for each in (ours, theirs)
    )


def _said(frame: Frame) -> set[str]:
    """Return the roots that are said of something: behind `is`, or by themselves."""
    told = [
        each
        for each in frame.runs
        if each.late or (each.role == "subject" and stands_by_itself(frame, each))
    ]
    return {str(word) for each in told for word in each.value}


def _states(frame: Frame, value: Filler) -> bool:
    """Tell whether it says how something is, and not of what sort, nor what is done or may be."""
    if described(frame, value):
        return True
    if frame.may or frame.content & HABITS or of_many(frame):
        return False
    if value.role == "complement":
        return False  # `is scared`, `is afraid`: of many things that one can be
    return not value.indefinite or value.marker == "as"


def _without(frame: Frame, value: Filler) -> str:
    return f" {frame.text} ".replace(f" {value.told} ", " X ", 1).strip()


def _differing(one: Frame, other: Frame) -> Filler | None:
    """Return the only run of words that the other lacks, None where there is none or several."""
    lacks = extra(one, other)
    found = [each for each in one.runs if set(map(str, each.value)) & lacks]
    alone = [each for each in found if stands_by_itself(one, each)]
    if one.cues & FRESH and len(alone) == 1:
        return alone[0]
    if len(found) > 1:
        found = [each for each in found if each.role in {"complement", "marked"}][-1:]
    if len(found) != 1 or len(set(map(str, found[0].value)) & lacks) > _MOST_WORDS:
        return None
    return found[0]
