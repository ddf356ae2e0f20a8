"""What will be asked of a world, and what was: by worth, by age, and in part by chance."""

from __future__ import annotations

from bisect import bisect_right
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.consolidation.world.stories import BEGIN, DAYS
from engram_lab.evaluation.consolidation.world.told import Access, Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.evaluation.consolidation.world.stories import Book
    from engram_lab.evaluation.consolidation.world.told import Fact, Told
    from engram_lab.evaluation.datasets.fiction.dice import Dice

__all__ = ["accesses", "past", "present", "wanted"]

_NOW: Final = (" now", " at present", " these days", "", "", "")
_FRESH: Final = 30
_OLD: Final = 45
_LATELY: Final = 12
_ASTRAY: Final = 15
_WINDOW: Final = 8
"""In how many days a memory ceases to be fresh, and how many in a hundred recalls of older ones
happen; how many recalls look for what was just told, whatever it is worth, within how many days;
how many find what had ceased to hold."""

_TRIES: Final = 40
_SHARE: Final = 3


def _question(book: Book, fact: Fact, words: int, ending: str = "") -> str:
    if fact.key in book.asks:
        return book.asks[fact.key]
    attribute, name = book.attributes[fact.key]
    asked = attribute.asks[words % len(attribute.asks)].format(who=name)
    text = f"{asked[:-1]}{ending}?"
    return text[0].upper() + text[1:]


def _slots(book: Book) -> dict[str, list[Fact]]:
    slots: dict[str, list[Fact]] = {}
    for fact in book.facts.values():
        if fact.sort == "version":
            slots.setdefault(fact.slot, []).append(fact)
    return slots


def present(book: Book) -> tuple[Question, ...]:
    """Return a question about the present for each thing that changed."""
    asked = []
    for number, (slot, versions) in enumerate(sorted(_slots(book).items())):
        current = next(each for each in versions if each.holds)
        asked.append(
            Question(
                key=f"now:{slot}",
                text=_question(book, current, number, _NOW[number % len(_NOW)]),
                entity=current.entity,
                answer=current.key,
                stale=tuple(each.key for each in versions if not each.holds),
                manner=current.manner,
            )
        )
    return tuple(asked)


def past(book: Book, dice: Dice) -> tuple[Question, ...]:
    """Return a question about a moment of the past for each thing that changed.

    The moment lies within the time of one version, a day or more from its ends.
    """
    asked = []
    for number, (slot, versions) in enumerate(sorted(_slots(book).items())):
        held = [each for each in versions if each.ends is None or each.ends > each.begins]
        fact = dice.pick(held)
        ends = fact.ends or BEGIN + timedelta(days=DAYS)
        days = (ends - fact.begins).days
        if days < _SHARE:
            continue
        at = fact.begins + timedelta(days=1 + dice.below(days - 1))
        asked.append(
            Question(
                key=f"then:{slot}",
                text=_question(book, fact, number),
                entity=fact.entity,
                answer=fact.key,
                stale=tuple(each.key for each in versions if each.key != fact.key),
                at=at,
                manner="late" if any(each.manner == "late" for each in versions) else fact.manner,
            )
        )
    return tuple(asked)


def wanted(book: Book, dice: Dice) -> tuple[Question, ...]:
    """Return questions about what holds, in an order drawn by worth without replacement.

    A third of all that can be asked: what is seldom wanted is seldom among them.
    """
    facts = [
        fact
        for key, fact in book.facts.items()
        if fact.holds and (key in book.attributes or key in book.asks)
    ]
    left = {fact.key: fact for fact in facts}
    asked: list[Question] = []
    ends = list(accumulate(fact.worth for fact in facts))
    while left and len(asked) < max(1, len(facts) // _SHARE):
        fact = facts[bisect_right(ends, dice.below(ends[-1]))]
        if left.pop(fact.key, None) is not None:
            text = _question(book, fact, dice.below(2))
            asked.append(
                Question(key=f"want:{fact.key}", text=text, entity=fact.entity, answer=fact.key)
            )
    return tuple(asked)


def accesses(book: Book, told: Sequence[Told], dice: Dice) -> tuple[Access, ...]:
    """Return the recalls of the past, about four for five memories, oldest first."""
    ends = list(accumulate(book.facts[each.fact].worth for each in told))
    days = [(each.recorded_at - BEGIN).days for each in told]
    by_entity: dict[str, list[int]] = {}
    for place, each in enumerate(told):
        by_entity.setdefault(each.entity, []).append(place)
    found = []
    for _ in range(len(told) * 4 // 5):
        minute = dice.below((DAYS - 10) * 24 * 60) + 10 * 24 * 60
        at, day = BEGIN + timedelta(minutes=minute), minute // (24 * 60)
        target = _target(book, told, days, ends, day, dice)
        if target is None:
            continue
        beside = [other for other in by_entity[told[target].entity] if days[other] < day]
        hits = [target, *(dice.pick(beside) for _ in range(dice.below(3)) if beside)]
        text = _asked(book, told[target])
        keys = tuple(dict.fromkeys(told[hit].key for hit in hits))
        found.append(Access(at, text, keys))
    return tuple(sorted(found))


def _target(
    book: Book,
    told: Sequence[Told],
    days: Sequence[int],
    ends: Sequence[int],
    day: int,
    dice: Dice,
) -> int | None:
    """Return the place of what is recalled on a day; None where nothing is found in some draws."""
    if dice.holds(_LATELY):
        first, last = bisect_right(days, day - _WINDOW - 1), bisect_right(days, day - 1)
        return first + dice.below(last - first) if last > first else None
    for _ in range(_TRIES):
        place = bisect_right(ends, dice.below(ends[-1]))
        if days[place] >= day:
            continue
        fact = book.facts[told[place].fact]
        ended = fact.ends is not None and (fact.ends - BEGIN).days <= day
        if ended and not dice.holds(_ASTRAY):
            continue
        if day - days[place] <= _FRESH or dice.holds(_OLD):
            return place
    return None


def _asked(book: Book, told: Told) -> str:
    fact = book.facts[told.fact]
    if fact.key in book.attributes or fact.key in book.asks:
        return _question(book, fact, 0)
    return told.text.strip()
