"""What may not differ between two tellings of one statement, one guard for each kind of difference.

A guard names what it found, or nothing. However near two texts are by meaning, a guard that speaks
keeps them apart. Each is symmetric: the order of the two makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.merge.apart import OPPOSITES
from engram_lab.consolidation.merge.frame import frame_differs, substituted
from engram_lab.consolidation.merge.irregular import PASTS
from engram_lab.consolidation.merge.order import converse, order_differs
from engram_lab.consolidation.merge.roots import stem
from engram_lab.consolidation.merge.turned import exchanged, figures_exchanged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.consolidation.merge.statements import Statement

__all__ = ["GUARDS", "difference"]


def _numbers(a: Statement, b: Statement) -> bool:
    if a.numbers == b.numbers:
        return False
    if len(a.numbers) != len(b.numbers):
        return True
    rest = list(b.numbers)
    for value, unit in a.numbers:
        alike = [each for each in rest if each[0] == value and _one_unit(unit, each[1])]
        if not alike:
            return True
        rest.remove(max(alike, key=lambda each: each[1] == unit))
    return False


def _one_unit(unit: str, other: str) -> bool:
    """Tell whether two units are one; it may be left out, but for that of a share."""
    return unit == other or ("" in {unit, other} and _SHARE not in {unit, other})


_SHARE: Final = "percent"


def _dates(a: Statement, b: Statement) -> bool:
    if len(a.dates) != len(b.dates):
        return True
    return any(
        left[1:] != right[1:] or (left[0] and right[0] and left[0] != right[0])
        for left, right in zip(_by_day(a.dates), _by_day(b.dates), strict=True)
    )


def _by_day(dates: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    return sorted(dates, key=lambda each: each[1:])


def _times(a: Statement, b: Statement) -> bool:
    return a.times != b.times


def _codes(a: Statement, b: Statement) -> bool:
    return a.codes != b.codes


def _rhythm(a: Statement, b: Statement) -> bool:
    return a.rhythm != b.rhythm


def _negation(a: Statement, b: Statement) -> bool:
    return a.negations != b.negations


def _moods(a: Statement, b: Statement) -> bool:
    return bool((a.moods ^ b.moods) - _MUST)


def _amounts(a: Statement, b: Statement) -> bool:
    """Tell whether they speak of other shares; to leave out `all`, `usually` or `some` is none."""
    if a.amounts - _LEFT_OUT != b.amounts - _LEFT_OUT:
        return True
    ours, theirs = a.amounts & _LEFT_OUT, b.amounts & _LEFT_OUT
    return bool(ours and theirs) and ours != theirs


_MUST: Final = frozenset({"must"})
_LEFT_OUT: Final = frozenset({"all", "most", "some"})


def _classes(a: Statement, b: Statement) -> bool:
    """Tell whether each has members of one closed class, and neither all those of the other."""
    for name, ours in a.classes.items():
        theirs = b.classes.get(name)
        if theirs is not None and not ours <= theirs and not theirs <= ours:
            return True
    return any(a.classes.get(each) != b.classes.get(each) for each in _TOLD_BY_BOTH)


_TOLD_BY_BOTH: Final = ("weekday", "kin", "when", "turn", "stage", "post")


def _names(a: Statement, b: Statement) -> bool:
    """Tell whether one names what the other does not, be it a part of a name."""
    ours, theirs = _unknown(a, b), _unknown(b, a)
    if ours or theirs:
        return True
    opened_ours = a.openers - b.content - b.words - b.stems
    opened_theirs = b.openers - a.content - a.words - a.stems
    return bool(opened_ours and opened_theirs)


def _unknown(a: Statement, b: Statement) -> set[str]:
    known = b.words | b.content | _TITLES
    return {each for each in a.names if each not in known}


_TITLES: Final = frozenset({"project", "team", "dr", "mr", "mrs", "ms", "prof", "user"})
"""What may be left out before a name."""


def _opposites(a: Statement, b: Statement) -> bool:
    ours, theirs = a.stems - b.stems, b.stems - a.stems
    if not ours or not theirs or converse(a, b):
        return False
    table = _table()
    if any(table.get(each, frozenset()) & theirs for each in ours):
        return True
    return any(_denies(x, y) or _denies(y, x) for x in ours for y in theirs)


_PREFIXES: Final = ("un", "in", "im", "dis", "non", "ir", "il", "mis", "de")


def _denies(word: str, other: str) -> bool:
    return len(word) > len(other) > 2 and any(word == each + other for each in _PREFIXES)  # noqa: PLR2004


@lru_cache(maxsize=1)
def _table() -> dict[str, frozenset[str]]:
    """Return the opposites of each stem, both ways."""
    found: dict[str, set[str]] = {}
    for left, right in OPPOSITES:
        for one, other in ((left, right), (right, left)):
            for word in one:
                found.setdefault(stem(word), set()).update(stem(each) for each in other)
    return {word: frozenset(each) for word, each in found.items()}


def _tells_past(word: str) -> bool:
    return word.endswith("ed") or word in PASTS


_PAST: Final = frozenset({"was", "were", "had", "did", "used"})
_PRESENT: Final = frozenset({"is", "are", "does", "am"})


def _tense(a: Statement, b: Statement) -> bool:
    """Tell whether one says of the past what the other says of the present, in the same words."""
    if a.plain != b.plain:
        return False
    ours, theirs = a.words - b.words, b.words - a.words
    for one, other, left, right in ((ours, theirs, a, b), (theirs, ours, b, a)):
        past = one & _PAST - ({"used"} if a.passive or b.passive else set())
        if past and other & _PRESENT and not (right.words & _PAST or left.words & _PRESENT):
            return True
        if any(_tells_past(each) for each in one) and not (
            (left.words | right.words) & (_PAST | _PRESENT | {"has", "have", "been"})
        ):
            return any(
                not (_tells_past(each) or each.endswith("ing"))
                and stem(each) in {stem(w) for w in one}
                for each in other
            )
    return False


def _literals(a: Statement, b: Statement) -> bool:
    return a.surface.literals != b.surface.literals


def _manner(a: Statement, b: Statement) -> bool:
    return a.surface.manner != b.surface.manner


def _persons(a: Statement, b: Statement) -> bool:
    """Tell whether one speaks of its teller and the other of its hearer, or but pronouns differ."""
    ours, theirs = a.surface.persons - b.surface.persons, b.surface.persons - a.surface.persons
    if not ours or not theirs:
        return False
    return a.roots == b.roots or bool(
        ("I" in ours and "you" in theirs) or ("you" in ours and "I" in theirs)
    )


def _language(a: Statement, b: Statement) -> bool:
    """Tell whether one denies in another language, or they differ in words that none can read."""
    if a.surface.denials != b.surface.denials:
        return True
    english = a.surface.english and b.surface.english
    return not english and a.surface.told != b.surface.told


GUARDS: Final[tuple[tuple[str, Callable[..., bool]], ...]] = (
    ("number", _numbers),
    ("negation", _negation),
    ("date", _dates),
    ("time", _times),
    ("code", _codes),
    ("rhythm", _rhythm),
    ("modality", _moods),
    ("quantity", _amounts),
    ("kind", _classes),
    ("name", _names),
    ("opposite", _opposites),
    ("tense", _tense),
    ("frame", frame_differs),
    ("order", order_differs),
    ("exchange", exchanged),
    ("figures", figures_exchanged),
    ("substitution", substituted),
    ("sign", _literals),
    ("manner", _manner),
    ("person", _persons),
    ("language", _language),
)
"""Cheap ones first: what it finds, and how."""


def difference(a: Statement, b: Statement) -> str | None:
    """Return what keeps two statements apart, None where no guard speaks."""
    for name, differs in GUARDS:
        if differs(a, b):
            return name
    return None
