"""Two frames side by side: what they share, what each has besides, and in what they differ."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.merge.apart import CLASSES, OPPOSITES
from engram_lab.consolidation.supersede.forms import root
from engram_lab.consolidation.supersede.frames import FIGURES
from engram_lab.consolidation.supersede.words import CHANGE, CORRECTING, FRESH, GENERIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.consolidation.supersede.frames import Frame

__all__ = ["Pair", "apart", "equal", "extra", "two_deeds"]

_KIN: Final = frozenset({"kin", "when", "turn", "stage", "post", "contact"})
"""Closed classes of which another member is another thing."""
_NO_DEEDS: Final = GENERIC - frozenset(
    map(root, ("say", "call", "use", "get", "go", "come", "take", "make", "do", "need", "put"))
)
"""Roots that name neither an attribute nor a deed."""
_OPPOSED: Final = frozenset(word for pair in OPPOSITES for side in pair for word in side)


class Pair:
    """Two frames side by side.

    Args:
        older: Of the older statement.
        newer: Of the newer one.

    Attributes:
        shared: Names that are in both, as they stand in each.
        surely: Whether any of them is surely a name.
        names_a: Other names of the older.
        names_b: Other names of the newer.
        common: Roots that both have beside the names, and that may tell an attribute.
        cued: Whether the newer says that something changed.
    """

    def __init__(self, older: Frame, newer: Frame) -> None:
        self.older, self.newer = older, newer
        self.shared = [
            (a, b)
            for a in older.names
            for b in newer.names
            if _same(a.value, b.value) and (a.sure or b.sure or a.value == b.value)
        ]
        self.surely = any(a.sure or b.sure for a, b in self.shared)
        ours = {a.value for a, _ in self.shared}
        theirs = {b.value for _, b in self.shared}
        self.names_a = [each for each in older.names if each.value not in ours]
        self.names_b = [each for each in newer.names if each.value not in theirs]
        kinds = frozenset(word for a, b in self.shared for word in a.beside & b.beside)
        for a, b in product(self.names_a, self.names_b):
            if (a.role, a.marker) != (b.role, b.marker):
                kinds |= a.beside & b.beside  # `the app Heron has`, `is used by the app Osprey`
        self.common = (older.content & newer.content) - GENERIC - kinds
        self.cued = bool(newer.cues & (FRESH | CORRECTING))

    @property
    def shown(self) -> tuple[str, str]:
        """Return the two frames as texts."""
        return self.older.text, self.newer.text

    def kinds(self) -> tuple[set[str], set[str], set[str]]:
        """Return in which kinds of figures and names they differ, agree, and only one has any."""
        differ: set[str] = set()
        agree: set[str] = set()
        lone: set[str] = set()
        for kind in FIGURES:
            a = [each.value for each in self.older.figures if each.kind == kind]
            b = [each.value for each in self.newer.figures if each.kind == kind]
            if a and b:
                alike = any(equal(kind, x, y) for x in a for y in b)
                (agree if alike else differ).add(kind)
            elif a or b:
                lone.add(kind)
        if self.names_a and self.names_b:
            differ.add("name")
        elif not self._changed_by():
            lone.add("name")
        return differ, agree, lone

    def _changed_by(self) -> bool:
        """Tell whether names on one side alone are of who changed it, where that is told."""
        return all(
            each.role == "subject" and frame.cues & FRESH and topic.role != "subject"
            for side, (frame, names) in enumerate(
                ((self.older, self.names_a), (self.newer, self.names_b))
            )
            for each in names
            for topic in (both[side] for both in self.shared)
        )


def equal(kind: str, one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Tell whether two values of one kind say the same."""
    if kind == "number":
        return one[0] == other[0]
    if kind == "date":
        return all(not a or not b or a == b for a, b in zip(one, other, strict=True))
    return one == other


def _same(one: Sequence[object], other: Sequence[object]) -> bool:
    """Tell whether two names may be of one: the words of one are among those of the other."""
    return set(one) <= set(other) or set(other) <= set(one)


def apart(older: Frame, newer: Frame) -> bool:
    """Tell whether their words exclude each other: opposites, and other members of a class."""
    ours = older.plain - newer.plain - CHANGE
    theirs = newer.plain - older.plain - CHANGE
    if not ours or not theirs:
        return False
    opposed = OPPOSITES if ours & _OPPOSED and theirs & _OPPOSED else ()
    for left, right in opposed:
        if (ours & left and theirs & right) or (ours & right and theirs & left):
            return True
    a = {CLASSES[each] for each in ours if each in CLASSES and CLASSES[each][0] in _KIN}
    b = {CLASSES[each] for each in theirs if each in CLASSES and CLASSES[each][0] in _KIN}
    return any(x[0] == y[0] and x[1] != y[1] for x in a for y in b)


def extra(one: Frame, other: Frame) -> set[str]:
    """Return the words that one has and the other lacks, but for such as tell of a change."""
    cues = {root(word) for word in one.plain & CHANGE}
    return set(one.content - other.content - GENERIC - cues)


def two_deeds(pair: Pair) -> bool:
    """Tell whether two say of one subject that it does two things.

    One subject does many things at many places and times: "Ada keeps bees in room 5" and "Ada mends
    clocks in room 83" give two values, and of no one attribute. Where each has words of its own,
    and neither says that something is something, what is shared but stands beside the deeds.

    Source: D. Davidson, "The Logical Form of Action Sentences" (1967): where, when and how long
    are said of the event that a sentence tells of, and another sentence tells of another event.
    """
    older, newer = pair.older, pair.newer
    if older.copula or newer.copula:
        return False
    of_one = any(a.role == b.role == "subject" for a, b in pair.shared)
    return of_one and all(
        one.content - other.content - _NO_DEEDS - {root(word) for word in one.plain & CHANGE}
        for one, other in ((older, newer), (newer, older))
    )
