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

from engram_lab.consolidation.merge.doers import same_doer
from engram_lab.consolidation.merge.frame import between, frame_differs
from engram_lab.consolidation.merge.guards import GUARDS
from engram_lab.consolidation.merge.order import order_differs
from engram_lab.consolidation.merge.roots import root, stem
from engram_lab.consolidation.merge.words import FUNCTION_WORDS

if TYPE_CHECKING:
    from collections.abc import Collection

    from engram_lab.consolidation.merge.statements import Statement

__all__ = ["BOUNDS", "Bounds", "frame_of", "kept_apart", "least_nearness", "names_of"]

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_FIGURE = re.compile(r"\d+(?:[.,:/-]\d+)*")
_DAY = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|january|february|march|april|may(?=\s+N)|june|july|august|september|october|november"
    r"|december)\b"
)
_NAMES = re.compile(r"\bX(?:(?:[\s-]|\s&\s)+X)+\b")
_BY_NAME = re.compile(r"\bX ([a-z]+(?: [a-z]+)?)|\bthe ([a-z]+) X\b")
_OWNING = re.compile(r"['\u2019]s?$")
_NO_NAMES: Final = FUNCTION_WORDS | {"c", "f"}
_WEEKDAY: Final = "weekday"


class Bounds(NamedTuple):
    """Least cosine of the frames of one statement, by what two tellings share.

    Set on made-up statements in other words: of two that were not one statement, and that no guard
    kept apart, few were nearer with a name and a figure than .5, with two names than .6, and none
    with a single name than .75.
    """

    figure: float
    """A name and a figure, a date, a time or a code, and a word beside them."""
    figure_alone: float
    """A name and a figure, and no word beside them: it may be the number of two things."""
    two: float
    """Two names, of which but one may be a person's."""
    peers: float
    """Two names that might exchange their parts, told so that it does not show who does it, or
    with words that the other has not."""
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
    figure=0.55,
    figure_alone=0.7,
    two=0.6,
    peers=0.88,
    one=0.77,
    replaced_beside_figure=0.75,
    replaced_within=0.85,
    replaced=0.93,
)

_BY_NEARNESS: Final = frozenset({"frame"})
"""Guards that compare word for word what the nearness of frames compares by meaning."""

_LOOSER: Final = frozenset({"kind", "negation", "order", "rhythm"})
"""Guards that are asked here in a way of their own, as other words are to be expected."""

_ANY_FIGURE: Final = frozenset({"number", "figure", "code", "name", "date", "time", "day"})
"""Words that say of a figure no more than that it is one."""


_LIGHT_VERBS: Final = frozenset(map(root, ("pay", "make", "have", "take", "give", "do")))
_LIKING: Final = root("like")
"""Who likes to do something need not do it."""
_ARTICLES: Final = frozenset({"the", "a", "an", "our", "my", "this"})
_BEFORE_THINGS: Final = _ARTICLES | {"in", "at", "near", "into", "inside"}
_NOT_PEOPLE: Final = frozenset(
    {
        "app", "bank", "café", "centre", "center", "clinic", "club", "co", "college", "company",
        "gardens", "group", "hospital", "hotel", "house", "inc", "institute", "lake", "library",
        "ltd", "museum", "office", "operation", "park", "plc", "project", "restaurant", "river",
        "road", "school", "server", "shop", "station", "street", "studio", "team", "theatre",
        "theater", "university", "website", "works",
    }
)  # fmt: skip
"""Words that, as part of a name, say that it is no person's."""


def names_of(a: Statement, b: Statement) -> frozenset[str]:
    """Return the words that are names in either of two statements.

    A first word that may be a name is one where the other statement has it as one too.
    """
    first = (a.openers & (b.openers | b.names)) | (b.openers & a.names)
    return (a.names | b.names | first) - _NO_NAMES


def frame_of(text: str, names: Collection[str]) -> str:
    """Return the frame of a text that `simplified` returned.

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
        if name not in _BY_NEARNESS and name not in _LOOSER and differs(a, b):
            return name
    if bool(a.negations) != bool(b.negations):
        return "negation"
    if _kinds_differ(a, b):
        return "kind"
    if (_LIKING in a.content) != (_LIKING in b.content):
        return "liking"
    if a.rhythm and b.rhythm and a.rhythm != b.rhythm and not a.classes.get(_WEEKDAY):
        return "rhythm"
    return "order" if _parts_differ(a, b) else None


def _kinds_differ(a: Statement, b: Statement) -> bool:
    """Tell whether each has members of one closed class, and neither all those of the other."""
    if a.classes.get(_WEEKDAY) != b.classes.get(_WEEKDAY):
        return True
    shared = a.classes.keys() & b.classes.keys()
    return any(
        not a.classes[each] <= b.classes[each] and not b.classes[each] <= a.classes[each]
        for each in shared
    )


def _parts_differ(a: Statement, b: Statement) -> bool:
    """Tell whether two names have exchanged their parts.

    Whose something is, is told by `of` and by the genitive, wherever it stands; else the order
    tells, as for all statements. A single name has nothing to exchange its part with.
    """
    if min(len(a.entities), len(b.entities)) < 2:  # noqa: PLR2004 - two that might
        return False
    ours, theirs = _holders(a), _holders(b)
    of_both = {each for each in ours & theirs if sum(each in name for name in a.entities) > 1}
    if ours and theirs and (a.plain & b.plain) - a.named and not of_both:
        return ours.isdisjoint(theirs)  # a family name of both tells not whose it is
    return order_differs(a, b)


def _holders(told: Statement) -> frozenset[str]:
    return frozenset(each for each in told.named if told.marked.get(each) == "of")


def _are_peers(a: Statement, b: Statement, texts: tuple[str, str]) -> bool:
    """Tell whether two names might exchange their parts, and it does not show that they did not.

    What is at a place, or has a word beside its name that says what it is, plays another part than
    a person does. Where both say whose what is, `_parts_differ` has seen to it.
    """
    if _holders(a) and _holders(b):
        return False
    words = [text.split() for text in texts]
    people = [each for each in a.entities if not any(_is_thing(each, told) for told in words)]
    return len(people) > 1


def _same_words(a: Statement, b: Statement) -> bool:
    """Tell whether neither says anything more: `paid a visit to` says no more than `visited`.

    Source: O. Jespersen, "A Modern English Grammar on Historical Principles" VI (1942), section
    7.2, of light verbs.
    """
    return (a.content ^ b.content) <= _LIGHT_VERBS


def _is_thing(entity: frozenset[str], words: list[str]) -> bool:
    """Tell whether an article or a place stands before a name, perhaps with a noun between."""
    if entity & _NOT_PEOPLE:
        return True
    for at, word in enumerate(words):
        if _WORD.match(word) and _OWNING.sub("", word.strip(".,;:()").lower()) in entity:
            before = [each.lower() for each in words[max(0, at - 2) : at]]
            if not before:
                return False
            noun = words[at - 1].isalpha() and words[at - 1].islower()
            return before[-1] in _BEFORE_THINGS or (before[0] in _ARTICLES and noun)
    return False


def _ends(told: Statement) -> set[str]:
    """Return the roots that a statement ends with, and begins with but for a name.

    There stands what is said of the name. Where each of two has one there that the other has
    nowhere, they say two things.
    """
    return {each for each in (*told.roots[:1], *told.roots[-1:]) if each not in told.named}


def _nouns_of_names(a: Statement, b: Statement, texts: tuple[str, str]) -> frozenset[str]:
    """Return the stems that stand by a name in both texts, as in `the Kestrel heat pump`."""
    names = names_of(a, b)
    ours, theirs = (
        {
            stem(each)
            for found in _BY_NAME.finditer(frame_of(text, names))
            for each in found[0].split()
        }
        for text in texts
    )
    return frozenset(ours & theirs)


def _are_two_places(texts: tuple[str, str]) -> bool:
    """Tell whether they differ but in where something is: `in the shed`, `in the attic`."""
    one, other = (text.lower().split() for text in texts)
    a, b = between(one, other)
    if len(a) != 1 or len(b) != 1:
        return False
    at = next(at for at, (x, y) in enumerate(zip(one, other, strict=False)) if x != y)
    return at > 1 and one[at - 1] in _ARTICLES and one[at - 2] in _BEFORE_THINGS - _ARTICLES


def least_nearness(
    a: Statement, b: Statement, texts: tuple[str, str], bounds: Bounds = BOUNDS
) -> float | None:
    """Return how near the frames of two must be; None where nothing makes them one.

    They must share a name to go by, and not tell two places.

    Args:
        a: One, which no guard keeps apart from the other.
        b: The other.
        texts: Their words, as `simplified` returned them.
        bounds: By what they share.
    """
    differs = frame_differs(a, b)
    if not names_of(a, b) & a.words & b.words or (differs and _are_two_places(texts)):
        return None
    figure = bool(a.numbers or a.dates or a.times or a.codes)
    if differs and figure:
        return bounds.replaced_beside_figure
    if differs:
        within = a.roots[:1] == b.roots[:1] and a.roots[-1:] == b.roots[-1:]
        return bounds.replaced_within if within else bounds.replaced
    if figure:
        beside = (
            (a.plain & b.plain) - a.named - b.named - _ANY_FIGURE - _nouns_of_names(a, b, texts)
        )
        return bounds.figure if beside else bounds.figure_alone
    if max(_sure_names(a), _sure_names(b)) < 2:  # noqa: PLR2004
        return bounds.replaced if _ends(a) - b.content and _ends(b) - a.content else bounds.one
    return _of_two_names(a, b, texts, bounds)


def _sure_names(told: Statement) -> int:
    """Return how many names show as such: not by the other statement alone."""
    return sum(not each <= told.openers for each in told.entities)


def _of_two_names(a: Statement, b: Statement, texts: tuple[str, str], bounds: Bounds) -> float:
    apart = _are_peers(a, b, texts) and not (_same_words(a, b) and same_doer(a, b))
    return bounds.peers if apart else bounds.two
