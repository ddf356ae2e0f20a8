"""Whether a newer statement says otherwise of one attribute that holds one value at a time.

Two frames that name one entity, are near by meaning, and share a word beside it, tell one
attribute. That it holds but one value at a time is told by language: who is told by a definite
description holds alone ("the lead of Heron is Ada"), and so does what stands in a predicate of
state ("Ada lives in Lyon"); the objects of a verb may be several ("Ada plays the cello").

Source: B. Russell, "On Denoting", Mind 14 (1905): a definite description denotes one thing alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.consolidation.merge.apart import CLASSES, OPPOSITES
from engram_lab.consolidation.merge.frame import between
from engram_lab.consolidation.merge.roots import root
from engram_lab.consolidation.supersede.framing import FIGURES
from engram_lab.consolidation.supersede.words import (
    BOUND_STATES,
    CHANGE,
    FRESH,
    GENERIC,
    HABITS,
    PLURAL_RELATIONS,
    QUALIFIERS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engram_lab.consolidation.supersede.framing import Filler, Frame

__all__ = ["BOUNDS", "Bounds", "Verdict", "entities_of", "judge", "says_same"]


class Bounds(NamedTuple):
    """Least cosines of two frames."""

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
        masked: The frames without what they give other values by, where that is words.
    """

    sure: float
    least: float
    masked: tuple[str, str] | None = None


_NO: Final = Verdict(0.0, 2.0)
_SCHEDULES: Final = frozenset({"date", "day", "time"})
_PLACING: Final = frozenset(
    {"in", "at", "on", "for", "to", "with", "from", "near", "into", "under"}
)
_CALLED: Final = frozenset({root("name"), root("called")})
_NUMBERED: Final = frozenset({root("number")})
_IDENTIFIES: Final = re.compile(r"X is (?:where|what|who|when|the) ")
_OWNED: Final = frozenset({root("property"), root("possession")})
_KIN: Final = frozenset({"kin", "when", "turn", "stage", "post", "contact"})
_MOST_WORDS: Final = 3
_MOST_BESIDE: Final = 2


def entities_of(frame: Frame) -> tuple[tuple[str, ...], ...]:
    """Return the names of a frame that are surely names, in order, each once."""
    found = dict.fromkeys(tuple(map(str, each.value)) for each in frame.names)
    return tuple(found)


def _same(one: Sequence[object], other: Sequence[object]) -> bool:
    """Tell whether two names may be of one: the words of one are among those of the other."""
    return set(one) <= set(other) or set(other) <= set(one)


class _Pair:
    """Two frames side by side: which names they share, and what each has besides."""

    def __init__(self, older: Frame, newer: Frame) -> None:
        self.older, self.newer = older, newer
        self.shared = [
            (a, b)
            for a in older.names
            for b in newer.names
            if (a.sure or b.sure) and _same(a.value, b.value)
        ]
        both = {each.value for each in older.names} & {each.value for each in newer.names}
        ours = {a.value for a, _ in self.shared} | both
        theirs = {b.value for _, b in self.shared} | both
        self.names_a = [each for each in older.names if each.value not in ours]
        self.names_b = [each for each in newer.names if each.value not in theirs]
        kinds = frozenset(word for a, b in self.shared for word in a.beside & b.beside)
        self.common = (older.content & newer.content) - GENERIC - kinds
        self.cued = bool(newer.cues & FRESH)

    def kinds(self) -> tuple[set[str], set[str], set[str]]:
        """Return in which kinds of figures and names they differ, agree, and only one has any."""
        differ: set[str] = set()
        agree: set[str] = set()
        lone: set[str] = set()
        for kind in FIGURES:
            a = [each.value for each in self.older.figures if each.kind == kind]
            b = [each.value for each in self.newer.figures if each.kind == kind]
            if a and b:
                alike = any(_equal(kind, x, y) for x in a for y in b)
                (agree if alike else differ).add(kind)
            elif a or b:
                lone.add(kind)
        if self.names_a and self.names_b:
            differ.add("name")
        elif self.names_a or self.names_b:
            lone.add("name")
        return differ, agree, lone


def _equal(kind: str, one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    if kind == "number":
        return one[0] == other[0]
    if kind == "date":
        return all(not a or not b or a == b for a, b in zip(one, other, strict=True))
    return one == other


def _units_fit(older: Frame, newer: Frame) -> bool:
    """Tell whether their numbers may be of one thing by their units."""
    for one, other in ((older, newer), (newer, older)):
        if any(each.counted for each in one.figures) and any(
            each.kind == "number" and each.value[1] for each in other.figures
        ):
            return False  # 90 seats are no 90 crowns
    a = {str(each.value[1]) for each in older.figures if each.kind == "number"}
    b = {str(each.value[1]) for each in newer.figures if each.kind == "number"}
    short = {each for each in a | b if len(each) <= 3}  # noqa: PLR2004 - signs, known or not
    return not a or not b or bool(a & b) or bool(short)


def _labels_fit(older: Frame, newer: Frame) -> bool:
    """Tell whether what a number numbers in one (`house 2`) is spoken of in the other too."""
    for one, other in ((older, newer), (newer, older)):
        for each in one.figures:
            if each.label and each.label not in other.content | _NUMBERED:
                return False
    return True


def judge(older: Frame, newer: Frame, bounds: Bounds) -> Verdict:
    """Return whether a newer statement says otherwise than an older one, but for their frames."""
    pair = _Pair(older, newer)
    if not pair.shared or _apart(older, newer):
        return _NO
    differ, agree, lone = pair.kinds()
    if told := _told(pair):
        return Verdict(told, bounds.told) if pair.common or pair.cued else _NO
    if not pair.common:
        return _NO
    if bool(older.denies) != bool(newer.denies):
        return _denied(pair, differ, lone, bounds)
    if older.several or newer.several or _described_apart(pair):
        return _NO
    if not differ:
        return _NO if lone or agree else _by_words(pair, bounds)
    if len(differ) > 1 and not differ <= _SCHEDULES:
        return _NO
    return _by_values(pair, differ, agree, lone, bounds)


def _apart(older: Frame, newer: Frame) -> bool:
    """Tell whether their words exclude each other: opposites, and other members of a class."""
    ours = older.plain - newer.plain - CHANGE
    theirs = newer.plain - older.plain - CHANGE
    if not ours or not theirs:
        return False
    for left, right in OPPOSITES:
        if (ours & left and theirs & right) or (ours & right and theirs & left):
            return True
    a = {CLASSES[each] for each in ours if each in CLASSES and CLASSES[each][0] in _KIN}
    b = {CLASSES[each] for each in theirs if each in CLASSES and CLASSES[each][0] in _KIN}
    return any(x[0] == y[0] and x[1] != y[1] for x in a for y in b)


def _told(pair: _Pair) -> float:
    """Return how sure it is where the newer one names the value of the older."""
    for were in pair.newer.were:
        if were.kind == "words" and {*map(str, were.value)} <= pair.older.content:
            return 0.95
    for kind in (*FIGURES, "name"):
        were = [each.value for each in pair.newer.were if each.kind == kind]
        held = pair.names_a if kind == "name" else pair.older.figures
        ours = [each.value for each in held if each.kind == kind]
        hold = [each.value for each in pair.newer.figures if each.kind == kind]
        hold += [each.value for each in pair.names_b] if kind == "name" else []
        if any(_equal(kind, a, b) for a in ours for b in were) and not any(
            _equal(kind, a, b) for a in ours for b in hold
        ):
            return 0.95
        # both values told, and that something changed: the one that the older has is the former
        if pair.cued and len(hold) > 1 and ours:
            same = [b for b in hold if any(_equal(kind, a, b) for a in ours)]
            if same and len(same) < len(hold) and not pair.newer.several:
                return 0.85
    return 0.0


def _denied(pair: _Pair, differ: set[str], lone: set[str], bounds: Bounds) -> Verdict:
    """Judge a pair of which one denies: an update only where they speak of the same values."""
    ours, theirs = _extra(pair.older, pair.newer), _extra(pair.newer, pair.older)
    if not (pair.older.denies | pair.newer.denies) & pair.common:
        return _NO
    if differ or lone or ((pair.older.past or pair.newer.past) and ours | theirs):
        return _NO
    if len(ours) > _MOST_BESIDE or len(theirs) > _MOST_BESIDE:
        return _NO
    return Verdict(0.85, bounds.silent if ours or theirs else bounds.cued)


def _extra(one: Frame, other: Frame) -> set[str]:
    """Return the words that one has and the other lacks, but for such as tell of a change."""
    cues = {root(word) for word in one.plain & CHANGE}
    return {each for each in one.content - other.content - GENERIC - cues}


def _by_values(
    pair: _Pair, differ: set[str], agree: set[str], lone: set[str], bounds: Bounds
) -> Verdict:
    """Judge a pair that gives other names or figures."""
    older, newer = pair.older, pair.newer
    if any(each.marker == "since" for each in (*older.figures, *newer.figures)) and not pair.cued:
        return _NO
    if "number" in differ and not (
        _units_fit(older, newer) and (pair.cued or _labels_fit(older, newer))
    ):
        return _NO
    if older.past or newer.past or (agree and not agree <= _SCHEDULES and not pair.cued):
        return _NO
    if lone - _SCHEDULES and not (pair.cued and lone <= {"number"}):
        return _NO
    if ("date" in lone and not pair.cued) or ("date" in agree and "number" in differ):
        return _NO
    sure = 0.8
    if "name" in differ:
        if older.exists or newer.exists:
            return _NO
        sure = min(_alone(older, pair, pair.names_a, 0), _alone(newer, pair, pair.names_b, 1))
        if not sure:
            return _NO
    elif pair.common & PLURAL_RELATIONS and not pair.cued and not _counts(older, newer):
        sure = 0.6
    if pair.cued:
        sure = min(sure + 0.1, 0.95)
    if not pair.cued and _contrasted(older, newer):
        return _NO
    least = bounds.cued if pair.cued else bounds.silent
    return Verdict(sure, least)


def _described_apart(pair: _Pair) -> bool:
    """Tell whether they describe two things of the entity: `room 12` and `room 14`, each with more.

    Or one has a word that sets its thing apart from the usual one, as in `work email`.
    """
    if not pair.cued and (pair.older.plain ^ pair.newer.plain) & QUALIFIERS:
        return True
    a, b = _describing(pair.older), _describing(pair.newer)
    return bool(a and b and not a & b)


def _describing(frame: Frame) -> set[tuple[object, ...]]:
    """Return the figures that say of what it speaks, where others say what is said of that."""
    if len(frame.figures) < 2:  # noqa: PLR2004
        return set()
    late = {each.late for each in frame.figures}
    if len(late) > 1:
        return {(each.kind, *each.value) for each in frame.figures if not each.late}
    told = [each for each in frame.figures if each.kind == "number"]
    labels = [each for each in told if each.label]
    return {each.value for each in labels} if 0 < len(labels) < len(told) else set()


def _contrasted(older: Frame, newer: Frame) -> bool:
    """Tell whether the frames are the same but for a word that tells two things apart."""
    ours, theirs = _extra(older, newer), _extra(newer, older)
    if len(ours) != 1 or len(theirs) != 1:
        return False
    one, other = older.text.split(), newer.text.split()
    a, b = between(one, other)
    if len(a) != 1 or len(b) != 1:
        return False
    at = next(k for k, (x, y) in enumerate(zip(one, other, strict=False)) if x != y)
    return not {"is", "are"} & set(one[:at])  # what stands behind is told, not told apart


def _counts(older: Frame, newer: Frame) -> bool:
    return all(any(each.counted for each in frame.figures) for frame in (older, newer))


def _alone(frame: Frame, pair: _Pair, values: Iterable[Filler], side: int) -> float:
    """Return how sure it is that a name fills its place alone, given what both are about."""
    told = list(values)
    if len(told) != 1 or not pair.shared:
        return 0.0
    value = told[0]
    topics = [each[side] for each in pair.shared]
    owner = any(each.role == "owner" or each.marker == "of" for each in topics)
    habit = bool(frame.content & HABITS)
    plural = bool(frame.content & PLURAL_RELATIONS)
    if plural or value.role == "owner" or value.indefinite:
        return 0.0
    if value.beside & pair.common or value.beside & _CALLED:
        return 0.8  # `the dentist Okri`: told as the only one
    if value.role == "subject" and _stands_by_itself(frame, value):
        return 0.8 if frame.cues & FRESH else 0.0  # `Ada has a new dentist: Okri`
    if value.role == "subject":
        if _as_what(frame) and not frame.copula:
            return 0.0  # `as a lead, Ada has Okri`
        if frame.copula and value is frame.names[0] and _IDENTIFIES.match(frame.text):
            return 0.8  # `Oslo is where Ada lives`
        if any(each.role == "object" for each in topics) or owner:
            return 0.0 if habit and not owner else 0.8
        return 0.0
    if value.role == "complement":
        return 0.85 if frame.copula else 0.7
    if frame.may and not pair.cued:
        return 0.0
    if value.role == "object" and _as_what(frame) and frame.names[-1] is value:
        return 0.8  # `Heron has Okri as its lead`
    if value.role == "object":  # the objects of a verb may be several; what is called so is one
        return 0.8 if owner and frame.copula and not habit else 0.0
    if value.marker == "by":
        return 0.85
    if value.marker == "of":
        alone = frame.copula and frame.content & _OWNED
        return 0.75 if alone and not owner else 0.0
    if value.marker in _PLACING or value.marker == "as":
        if frame.content & BOUND_STATES:
            return 0.85
        if value.marker == "to" and frame.cues & FRESH:
            return 0.8
        return 0.0 if habit else 0.6
    return 0.0


def _by_words(pair: _Pair, bounds: Bounds) -> Verdict:
    """Judge a pair that differs in words alone: one run of them each, where one thing stands."""
    ours = _differing(pair.older, pair.newer)
    theirs = _differing(pair.newer, pair.older)
    if pair.older.exists or pair.newer.exists:
        return _NO
    if ours is None or theirs is None or pair.older.past or pair.newer.past:
        return _NO
    if not _holds_alone(pair.newer, theirs):
        return _NO
    if not pair.cued and not _holds_alone(pair.older, ours):
        return _NO
    for frame, value in ((pair.older, ours), (pair.newer, theirs)):
        if _described(frame, value) or pair.cued:
            continue
        if frame.may or frame.content & (HABITS | PLURAL_RELATIONS):
            return _NO
        if value.indefinite and value.marker != "as":
            return _NO
    beside = [
        _extra(one, other) - {*map(str, value.value)}
        for one, other, value in (
            (pair.older, pair.newer, ours),
            (pair.newer, pair.older, theirs),
        )
    ]
    if all(beside) and not pair.cued:
        return _NO
    masked = _without(pair.older, ours), _without(pair.newer, theirs)
    least = bounds.cued if pair.cued else bounds.silent
    return Verdict(0.85 if pair.cued else 0.75, least, masked)


def _without(frame: Frame, value: Filler) -> str:
    return f" {frame.text} ".replace(f" {value.told} ", " X ", 1).strip()


def _differing(one: Frame, other: Frame) -> Filler | None:
    """Return the only run of words that the other lacks, None where there is none or several."""
    extra = _extra(one, other)
    found = [each for each in one.runs if set(map(str, each.value)) & extra]
    alone = [each for each in found if _stands_by_itself(one, each)]
    if one.cues & FRESH and len(alone) == 1:
        return alone[0]
    if len(found) > 1:
        found = [each for each in found if each.role in {"complement", "marked"}][-1:]
    if len(found) != 1 or len(set(map(str, found[0].value)) & extra) > _MOST_WORDS:
        return None
    return found[0]


def _holds_alone(frame: Frame, value: Filler) -> bool:
    if frame.cues & FRESH and _stands_by_itself(frame, value):
        return True
    if value.definite and len(value.value) > 1 and value.role == "object":
        return True  # `has the colour teal`
    if not frame.copula:
        return value.role == "marked" and bool(frame.content & BOUND_STATES)
    return value.role in {"complement", "subject"} or (
        value.role == "marked" and value.marker in _PLACING | {"by", "of", "as"}
    )


def _described(frame: Frame, value: Filler) -> bool:
    """Tell whether it says what something definite is: `the job of Ada is`, `Ada's job is`."""
    places = {"subject", "marked"}
    return frame.copula and (
        any(each.role == "owner" or each.marker == "of" for each in frame.names)
        or any(each.definite and each.role in places and each is not value for each in frame.runs)
    )


def _as_what(frame: Frame) -> bool:
    return any(each.marker == "as" for each in frame.runs)


def _stands_by_itself(frame: Frame, value: Filler) -> bool:
    """Tell whether a clause has nothing but this in it."""
    rest = (*frame.names, *frame.figures, *frame.runs)
    return sum(each.clause == value.clause for each in rest) == 1


def says_same(one: Frame, other: Frame) -> bool:
    """Tell whether two statements about one entity give the same names and figures."""
    pair = _Pair(one, other)
    differ, agree, lone = pair.kinds()
    if not pair.shared or differ or lone or bool(one.denies) != bool(other.denies):
        return False
    return bool(agree) or len(pair.shared) > 1 or not (_extra(one, other) and _extra(other, one))
