"""Whether the same words in another order are another statement.

"Ada owes Bob 40 euros" and "Bob owes Ada 40 euros" have the same words. In English the order says
who does what to whom, so another order is another statement, unless it is one of those that grammar
allows without a change of what is said: a phrase of time or place may stand before or after what it
belongs to, two things that `and` joins may change places, and so may the two sides of a copula.

Source: R. Quirk et al., "A Comprehensive Grammar of the English Language" (1985), sections 2.51
(order of the clause), 8.14-8.23 (places of adverbials) and 13.56 (order of what is joined).
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.merge.surface import BE, JOINING, OWNER, STARTERS
from engram_lab.consolidation.merge.words import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engram_lab.consolidation.merge.stated import Statement

__all__ = ["exchanged", "figures_exchanged", "reordered"]

_MOST: Final = 40
_WHEN: Final = frozenset(
    {"today", "tonight", "yesterday", "tomorrow", "now", "daily", "weekly", "monthly", "yearly"}
)
_Parts = tuple[object, ...]


def exchanged(a: Statement, b: Statement) -> bool:
    """Tell whether two have the same words in an order that is not the same statement."""
    ours, theirs = a.surface.parts, b.surface.parts
    if ours == theirs or len(ours) != len(theirs) or Counter(ours) != Counter(theirs):
        return False
    named = a.named | b.named | a.openers | b.openers
    if _by_sort(ours, named) == _by_sort(theirs, named):
        return False  # nothing has the place of another of its sort
    return not reordered(ours, theirs)


def _by_sort(parts: _Parts, named: frozenset[str]) -> dict[str, list[object]]:
    """Return the names, the figures of each kind, and the other words, each in order."""
    found: dict[str, list[object]] = {}
    for each in parts:
        if isinstance(each, tuple):
            found.setdefault(str(each[0]), []).append(each)
        elif each not in STARTERS | JOINING | {BE, OWNER}:
            found.setdefault("name" if each in named else "word", []).append(each)
    return found


def reordered(a: Sequence[object], b: Sequence[object]) -> bool:
    """Tell whether grammar allows both orders for one statement, in one step or in two."""
    ours, theirs = tuple(a), tuple(b)
    if len(ours) > _MOST:
        return False
    once = set(_orders(ours))
    return theirs in once or not once.isdisjoint(_orders(theirs))


def _orders(parts: _Parts) -> Iterator[_Parts]:
    """Yield other orders of a statement: something moved, or two sides that changed places."""
    size = len(parts)
    for cut in range(1, size):
        if _moves(parts[:cut]) or _moves(parts[cut:]):
            yield parts[cut:] + parts[:cut]
    starts = [at for at, each in enumerate(parts) if _begins(each)]
    for first, second in combinations(starts, 2):  # two phrases beside each other
        for end in (*(each for each in starts if each > second), size):
            if _moves(parts[first:second]) and _moves(parts[second:end]):
                yield (parts[:first] + parts[second:end] + parts[first:second] + parts[end:])
    yield from _joined(parts)
    at = [at for at, each in enumerate(parts) if each == BE]
    if len(at) == 1:
        yield (*parts[at[0] + 1 :], BE, *parts[: at[0]])


def _joined(parts: _Parts) -> Iterator[_Parts]:
    """Yield the orders in which what stands on the two sides of `and` has changed places.

    What is joined either begins the statement, or ends it, or a phrase follows: else `and` may join
    two clauses, as in "Ada hired Bo and Eve left".
    """
    size = len(parts)
    for at, each in enumerate(parts):
        if each not in JOINING:
            continue
        for first in range(at):
            for end in range(at + 2, size + 1):
                if first and end < size and parts[end] not in STARTERS:
                    continue
                swapped = (*parts[at + 1 : end], each, *parts[first:at])
                yield parts[:first] + swapped + parts[end:]


def _begins(part: object) -> bool:
    return part in STARTERS or _is_when(part)


def _is_when(part: object) -> bool:
    return part in _WHEN or part in WEEKDAYS or (isinstance(part, tuple) and part[0] == "date")


def _moves(block: _Parts) -> bool:
    """Tell whether a block may stand elsewhere: a phrase after a preposition, or a time."""
    return all(map(_is_when, block)) or (len(block) > 1 and block[0] in STARTERS)


def figures_exchanged(a: Statement, b: Statement) -> bool:
    """Tell whether two figures of one kind have changed places, and do not go with the same words.

    "2 cats and 3 dogs" is "3 dogs and 2 cats", as each figure has kept what it counts. Where words
    are others too, what stands right before or after a figure tells what it is of.
    """
    if len(a.order) < 2 or len(b.order) < 2:  # noqa: PLR2004 - nothing to change places with
        return False
    for kind in ("number", "ordinal", "date", "time"):
        ours, theirs = _figures(a, kind), _figures(b, kind)
        values = [each[0] for each in ours]
        others = [each[0] for each in theirs]
        if len(set(values)) < 2 or values == others or Counter(values) != Counter(others):  # noqa: PLR2004
            continue
        beside = dict(theirs)
        if not all(_alike(words, beside[value]) for value, words in ours):
            return True
    return False


def _alike(one: tuple[object, object], other: tuple[object, object]) -> bool:
    """Tell whether two figures have the same word before or after them."""
    return any(x is not None and x == y for x, y in zip(one, other, strict=True))


def _figures(told: Statement, kind: str) -> list[tuple[object, tuple[object, object]]]:
    """Return the figures of a kind in order, each with the word that it counts, or follows."""
    parts = told.surface.parts
    found: list[tuple[object, tuple[object, object]]] = []
    for at, each in enumerate(parts):
        if isinstance(each, tuple) and each[0] == kind:
            found.append((each[1], (_before(parts, at), _after(parts, at))))
    return found


def _before(parts: _Parts, at: int) -> object:
    """Return the last word with a meaning before a figure, up to another figure."""
    for each in reversed(parts[:at]):
        if isinstance(each, tuple) or each in JOINING:
            return None
        if each not in STARTERS and each != BE:
            return each
    return None


def _after(parts: _Parts, at: int) -> object:
    after = parts[at + 1] if at + 1 < len(parts) else None
    plain = isinstance(after, str) and after not in STARTERS | JOINING and after != BE
    return after if plain else None
