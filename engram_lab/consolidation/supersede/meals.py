"""What somebody has at a meal: of habits, those that one thing alone fills at a time.

A habit of what is had at a meal tells what the meal is: "Ada orders figs for lunch" says that her
lunch is figs, as "Ada's usual lunch is the one with figs" does. Who has something else is said to
have it instead. So too where one is told what to give somebody there: of two standing orders in the
same words the later one counts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.supersede.forms import root
from engram_lab.consolidation.supersede.words import CHANGE, GENERIC, HABITS

if TYPE_CHECKING:
    from engram_lab.consolidation.supersede.frames import Filler, Frame

__all__ = ["dishes"]


def _roots(words: str) -> frozenset[str]:
    return frozenset(root(word) for word in words.split())


_MEALS: Final = _roots("breakfast brunch lunch dinner supper")
_USUAL: Final = _roots("usual usually always")
_HAVING: Final = _USUAL | _roots(
    "order have get take eat want choose pick serve give dish meal menu one something mostly"
)
"""Roots of words that say no more than that something is had."""
_DISHES: Final = frozenset({"one", "something", "dish", "meal", "menu"})
_THE_DISH: Final = re.compile(r"\bthe (?:one|dish|meal|menu) (?:with|of)\b")
_BIDS: Final = re.compile(
    r"(?:at|on|in|for|after|before|during) (?!(?:.* )?(?:i|you|we|they|he|she) )"
)
_MOST_WORDS: Final = 3


def dishes(older: Frame, newer: Frame) -> tuple[Filler, Filler] | None:
    """Return what each of two says is had at one meal; None where they say more, or less.

    Args:
        older: Of the older statement.
        newer: Of the newer one.
    """
    if not older.content & newer.content & _MEALS or any(
        each.exists or each.past or each.may or each.figures for each in (older, newer)
    ):
        return None
    ours, theirs = _dish(older), _dish(newer)
    if ours is None or theirs is None or set(ours.value) & set(theirs.value):
        return None
    ordered = _bids(older) and _bids(newer) and _masked(older, ours) == _masked(newer, theirs)
    return (ours, theirs) if ordered or _serves(older) or _serves(newer) else None


def _dish(frame: Frame) -> Filler | None:
    """Return the words that tell what is had, None where more is said than that."""
    rest = _HAVING | _MEALS | GENERIC | {root(word) for word in frame.plain & CHANGE}
    found = [each for each in frame.runs if set(map(str, each.value)) - rest]
    if len(found) != 1:
        return None
    (value,) = found
    words = list(map(str, value.value))
    while words[0] in rest:
        words.pop(0)
    more = len(words) > _MOST_WORDS or (_MEALS | HABITS).intersection(words)
    if more or not _is_had(frame, value):
        return None
    return value._replace(value=tuple(words), told=" ".join(value.told.split()[-len(words) :]))


def _is_had(frame: Frame, value: Filler) -> bool:
    """Tell whether it is what is had, and not where or with whom: `the one with figs` is."""
    if not value.marker:
        return True
    before = f" {frame.text} ".partition(f" {value.marker} {value.told} ")[0].split()
    return before[-1:] != [] and before[-1] in _DISHES


def _serves(frame: Frame) -> bool:
    """Tell whether it says what the meal is: `for lunch`, `her usual lunch`, `the dish with`."""
    meals = [each for each in frame.runs if _MEALS & set(map(str, each.value))]
    return bool(_THE_DISH.search(frame.text)) or any(
        each.marker == "for" or frame.copula or _USUAL & set(map(str, each.value)) for each in meals
    )


def _bids(frame: Frame) -> bool:
    """Tell whether it tells the hearer what to do on an occasion: `at lunch, get Ada a pear`."""
    subject = any(each.role in {"subject", "owner"} for each in (*frame.names, *frame.runs))
    return bool(_BIDS.match(frame.text)) and not subject and not frame.copula


def _masked(frame: Frame, value: Filler) -> str:
    return f" {frame.text} ".replace(f" {value.told} ", " X ", 1)
