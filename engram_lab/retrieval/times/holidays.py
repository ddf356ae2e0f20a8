"""Days that have a name, fixed in their month or the nth weekday of it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from engram_lab.retrieval.times.absolute import told_year, yearless
from engram_lab.retrieval.times.periods import Period, days, month, nth
from engram_lab.retrieval.times.reading import Found

if TYPE_CHECKING:
    from engram_lab.retrieval.times.reading import Words

__all__ = ["FIRST_OF_NAMES", "holiday"]

_NAMES: Final[dict[str, tuple[int, int]]] = {
    "new year ' s eve": (12, 31),
    "new years eve": (12, 31),
    "new year ' s day": (1, 1),
    "new years day": (1, 1),
    "valentine ' s day": (2, 14),
    "valentines day": (2, 14),
    "saint patrick ' s day": (3, 17),
    "independence day": (7, 4),
    "halloween": (10, 31),
    "veterans day": (11, 11),
    "christmas eve": (12, 24),
    "christmas day": (12, 25),
    "christmas": (12, 25),
    "boxing day": (12, 26),
}
"""Month and day; a longer name stands before a shorter one that it begins with."""

_WEEKDAYS: Final[dict[str, tuple[int, int, int]]] = {
    "mother ' s day": (5, 6, 2),
    "memorial day": (5, 0, -1),
    "father ' s day": (6, 6, 3),
    "labor day": (9, 0, 1),
    "thanksgiving day": (11, 3, 4),
    "thanksgiving": (11, 3, 4),
}
"""Month, weekday and which of them, as the United States keep them."""

_CUES: Final = frozenset(
    {
        "on",
        "at",
        "last",
        "this",
        "next",
        "since",
        "before",
        "after",
        "over",
        "during",
        "until",
        "by",
    }
)
_THINGS: Final = frozenset(
    {"tree", "trees", "party", "parties", "gift", "gifts", "card", "cards", "lights", "dinner"}
)


def _by_first() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for name in (*_NAMES, *_WEEKDAYS):
        words = tuple(name.split())
        found.setdefault(words[0], []).append((words, name))
    return found


_BY_FIRST: Final = _by_first()
FIRST_OF_NAMES: Final = frozenset(_BY_FIRST)
"""The words that a name may begin with."""


def holiday(words: Words, at: int) -> Found | None:
    """Read `Christmas 2022`, `on New Year's Eve`, `last Halloween`, `over Thanksgiving`."""
    for name, key in _BY_FIRST.get(words.at(at), ()):
        stop = at + len(name)
        if tuple(words.lower[at:stop]) == name:
            return _dated(words, at, stop, key)
    return None


def _dated(words: Words, at: int, stop: int, name: str) -> Found | None:
    after, of_year = told_year(words, stop)
    if of_year is not None:
        return Found(after, _in_year(name, of_year))
    if words.at(at - 1) not in _CUES or words.at(stop) in _THINGS:
        return None
    return Found(stop, yearless(words, lambda each: _in_year(name, each), at - 1))


def _in_year(name: str, of_year: int) -> Period:
    if name in _NAMES:
        return days(date(of_year, *_NAMES[name]).toordinal())
    of_month, weekday, count = _WEEKDAYS[name]
    whole = month(of_year, of_month)
    return nth(str(weekday), whole, count) or whole
