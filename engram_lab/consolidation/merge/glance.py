"""What shows at a glance that two texts are not one statement, before either is read with care."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from engram_lab.consolidation.merge.words import MONTHS, WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.consolidation.view import View

__all__ = ["Glance", "NameGlance", "Seen", "seen"]

_FIGURE = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]+")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][^\W\d_]+")
_CLOCK = re.compile(r"\d:|\d\s?[ap]\.?m\b|\bnoon\b|\bmidnight\b|\d,\d", re.IGNORECASE)
_OLD = re.compile(
    r"\b(?:from|but|not|no longer|longer|instead|said|wrong|earlier|before)\b", re.IGNORECASE
)
_OF_DAYS: Final = frozenset(each.lower() for each in (*MONTHS, *WEEKDAYS))


class Seen(NamedTuple):
    """What is seen of a text at a glance.

    Attributes:
        figures: Its figures as whole numbers; None where it may tell an old value beside, or a
            time, which has many spellings.
        names: Words with a capital after a small letter, in small letters, but for days and months;
            none where it may tell an old value beside.
        words: All words, in small letters.
    """

    figures: frozenset[int] | None
    names: frozenset[str]
    words: frozenset[str]


def seen(text: str) -> Seen:
    """Return what is seen of a text at a glance."""
    old = _OLD.search(text) is not None
    figures = None if old or _CLOCK.search(text) else map(int, _FIGURE.findall(text))
    names = () if old else (each.lower() for each in _NAME.findall(text))
    return Seen(
        None if figures is None else frozenset(figures),
        frozenset(names) - _OF_DAYS,
        frozenset(each.lower() for each in _WORD.findall(text)),
    )


class Glance:
    """Looks at the texts of a view, at each once.

    Args:
        view: Whose rows.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._seen: dict[int, Seen] = {}

    def look(self, rows: Sequence[int]) -> None:
        """Look at the texts of rows that were not looked at."""
        new = sorted({row for row in rows if row not in self._seen})
        if new:
            texts = self._view.texts(np.array(new, np.int64))
            self._seen.update((row, seen(text)) for row, text in zip(new, texts, strict=True))

    def apart(self, one: int, other: int) -> bool:
        """Tell whether two rows that were looked at are surely no one statement.

        Each has a figure that the other lacks, or one has a name that the other has not as a word.
        """
        a, b = self._seen[one], self._seen[other]
        if not (a.names <= b.words and b.names <= a.words):
            return True
        if a.figures is None or b.figures is None:
            return False
        return not (a.figures <= b.figures or b.figures <= a.figures)


class NameGlance(Glance):
    """Looks for a name that two have in common, for whoever asks what else is said of it."""

    def apart(self, one: int, other: int) -> bool:
        """Tell whether one has names, and the other has none of them, not even as a word."""
        a, b = self._seen[one], self._seen[other]
        if not (a.names or b.names):
            return False
        return a.names.isdisjoint(b.words) and b.names.isdisjoint(a.words)
