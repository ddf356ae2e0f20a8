"""Statements about what has a name, compared by their frames: the statement without its names.

A name that a model of language has never met is broken into pieces whose vectors drown those of all
other words: two statements about one such name are near whatever they say, and two tellings of one
statement no nearer. So the vectors that are compared are of frames, in which each name is an `X`,
each figure an `N`, each day a `day`. That names, figures and days themselves are the same is for
the guards to say.

How near two frames must be depends on what else the two share. Where they agree on a name and on a
figure, or on two names, there is hardly anything else that could be said with both; where they
share a single name, the frame has to carry the meaning alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.consolidation.merge.frame import frame_differs
from engram_lab.consolidation.merge.guards import GUARDS
from engram_lab.consolidation.merge.words import FUNCTION_WORDS

if TYPE_CHECKING:
    from collections.abc import Collection

    from engram_lab.consolidation.merge.statements import Statement

__all__ = [
    "BOUNDS",
    "Bounds",
    "frame_of",
    "kept_apart",
    "least_nearness",
    "names_of",
    "without_remarks",
]

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_LABEL = re.compile(r"^\s*[^\W\d_][^:.?!\d]{0,40}:\s+")
_REMARK = re.compile(
    r"^\s*(?:(?:and|so|well|oh|ok|okay|again|also|anyway|actually|fyi|btw|by the way|as i said"
    r"|as mentioned|one more thing|for the record|for your information|for completeness"
    r"|just so you know|in case you forgot|note that|remember that|please note|please remember"
    r"|did i mention it\?|to repeat|before i forget|come to think of it|incidentally)"
    r"\s*[,:;?]?\s+)+",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d+(?:[.,:/-]\d+)*")
_DAY = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|january|february|march|april|may(?=\s+N)|june|july|august|september|october|november"
    r"|december)\b"
)
_NAMES = re.compile(r"\bX(?:[\s-]+X)+\b")
_OWNING = re.compile(r"['\u2019]s?$")
_NO_NAMES: Final = FUNCTION_WORDS | {"c", "f"}
_WEEKDAY: Final = "weekday"
_MOST_LABEL_WORDS: Final = 5


class Bounds(NamedTuple):
    """Least cosine of the frames of one statement, by what two tellings share.

    Set on made-up statements in other words: of two that were not one statement, and that no guard
    kept apart, few were nearer with a name and a figure than .5, with two names than .6, and none
    with a single name than .8.
    """

    figure: float
    """A name and a figure, a date, a time or a code."""
    two: float
    """Two names."""
    one: float
    """One name alone."""
    replaced_beside_figure: float
    """Where they share a figure too, and differ in one place: one word stands for another."""
    replaced_within: float
    """Where they share none and differ in one place, between what both begin and end with: there
    stands what is said of one thing and another, seldom a thing."""
    replaced: float
    """Where they share none and differ in how they begin or end: there stand things."""


BOUNDS: Final = Bounds(
    figure=0.5, two=0.6, one=0.8, replaced_beside_figure=0.75, replaced_within=0.85, replaced=0.93
)

_BY_NEARNESS: Final = frozenset({"frame", "kind"})
"""Guards that compare word for word what the nearness of frames compares by meaning."""


def without_remarks(text: str) -> str:
    """Return a text without what introduces it: a label before a colon, a remark of the teller.

    A text without a small letter is put in small ones, as its capitals tell no name.
    """
    line = " ".join(text.split())
    line = line.lower() if line.isupper() else line
    for _ in range(3):
        before = line
        line = _REMARK.sub("", line)
        label = _LABEL.match(line)
        if label and len(label[0].split()) <= _MOST_LABEL_WORDS and not _named(label[0]):
            line = line[label.end() :]
        if line == before or not line:
            break
    return (line[:1].upper() + line[1:]) if line else text


def _named(label: str) -> bool:
    """Tell whether a label holds a capital where no sentence begins: it may be whom this is of."""
    return any(word[0][:1].isupper() for word in list(_WORD.finditer(label))[1:])


def names_of(a: Statement, b: Statement) -> frozenset[str]:
    """Return the words that are names in either of two statements.

    A first word that may be a name is one where the other statement has it as one too.
    """
    first = (a.openers & (b.openers | b.names)) | (b.openers & a.names)
    return (a.names | b.names | first) - _NO_NAMES


def frame_of(text: str, names: Collection[str]) -> str:
    """Return the frame of a text that `without_remarks` returned.

    Args:
        text: Which.
        names: Words that are names, in small letters.
    """
    masked = _WORD.sub(lambda word: _masked(word[0], names), text)
    masked = _FIGURE.sub("N", _NAMES.sub("X", masked))
    return _DAY.sub("day", masked)


def _masked(word: str, names: Collection[str]) -> str:
    whole = word.lower()
    bare = _OWNING.sub("", whole)
    return "X" + whole[len(bare) :] if bare in names else whole


def kept_apart(a: Statement, b: Statement) -> str | None:
    """Return what keeps two apart however near their frames are, None where no guard speaks."""
    for name, differs in GUARDS:
        if name not in _BY_NEARNESS and differs(a, b):
            return name
    return "kind" if _kinds_differ(a, b) else None


def _kinds_differ(a: Statement, b: Statement) -> bool:
    """Tell whether each has members of one closed class, and neither all those of the other."""
    if a.classes.get(_WEEKDAY) != b.classes.get(_WEEKDAY):
        return True
    shared = a.classes.keys() & b.classes.keys()
    return any(
        not a.classes[each] <= b.classes[each] and not b.classes[each] <= a.classes[each]
        for each in shared
    )


def least_nearness(a: Statement, b: Statement, bounds: Bounds = BOUNDS) -> float | None:
    """Return how near the frames of two must be; None where they share no name to go by.

    Of two that no guard keeps apart.
    """
    if not names_of(a, b) & a.words & b.words:
        return None
    figure = bool(a.numbers or a.dates or a.times or a.codes)
    if frame_differs(a, b):
        if figure:
            return bounds.replaced_beside_figure
        within = a.roots[:1] == b.roots[:1] and a.roots[-1:] == b.roots[-1:]
        return bounds.replaced_within if within else bounds.replaced
    if figure:
        return bounds.figure
    return bounds.two if max(len(a.entities), len(b.entities)) > 1 else bounds.one
