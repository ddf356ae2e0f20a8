"""Make a world: one size and one seed give the same to the byte, on every machine."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.evaluation.consolidation.world.banks import bank_of
from engram_lab.evaluation.consolidation.world.casts import (
    beside,
    bond,
    chatter,
    leaning,
    occasions,
)
from engram_lab.evaluation.consolidation.world.deeds import deeds
from engram_lab.evaluation.consolidation.world.mirrored import mirrored
from engram_lab.evaluation.consolidation.world.naming import Naming
from engram_lab.evaluation.consolidation.world.phrases import WORDINGS
from engram_lab.evaluation.consolidation.world.stories import (
    BEGIN,
    DAYS,
    Book,
    Draft,
    Teller,
    moment,
)
from engram_lab.evaluation.consolidation.world.told import NearMiss, Told, World
from engram_lab.evaluation.consolidation.world.wanting import accesses, past, present, wanted
from engram_lab.evaluation.datasets.fiction.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.evaluation.consolidation.world.banks import Bank
    from engram_lab.evaluation.consolidation.world.phrases import Attribute, Wording
    from engram_lab.evaluation.consolidation.world.told import Fact
    from engram_lab.evaluation.consolidation.world.values import Value

__all__ = ["MOST", "make_world"]

MOST: Final = 1_000_000
"""The most memories a world may have."""

_LEAST: Final = 50
_CHATTER: Final = 20
"""How many memories in a hundred are small talk."""
_DOING: Final = 80
"""How many persons in a hundred do something to things."""

_KINDS: Final = ("person",) * 9 + ("project",) * 4 + ("place",) * 3 + ("thing",) * 4
_CHAINED: Final = 25
_TWIN: Final = 60
_KINDRED: Final = 25
_PINNED: Final = 30
_HIGH: Final = 20
"""How many of a hundred attributes change; how many of a hundred entities share a value with one
before them, and of a hundred values two attributes of one entity; how many facts of a thousand are
pinned, and are of high importance."""

_TYPES: Final = {
    "chatter": ("note",) * 4 + ("episodic",) * 5 + ("fact",),
    "occasion": ("episodic",) * 6 + ("fact",) * 4,
    "deed": ("episodic",) * 6 + ("fact",) * 4,
    "": ("fact",) * 7 + ("context",) * 2 + ("preference",),
}
_UNTYPED: Final = 30
"""How many memories in a hundred are given no type, which makes them notes."""


def make_world(*, size: int, seed: int, wording: Wording = "plain") -> World:
    """Return a world of about so many memories.

    Args:
        size: From 50 to 1,000,000.
        seed: Another one gives other names, facts, words and times.
        wording: `plain`, in which every telling of an attribute has the word in it by which one
            would ask for it, or `free`, in which it may be told in any words. What happens, to
            whom and when is the same in both.

    Raises:
        InvalidInputError: The size or the seed is out of its bounds, or the wording is unknown.
    """
    _check("size", size, _LEAST, MOST)
    _check("seed", seed, 0, 2**63 - 1)
    if wording not in WORDINGS:
        raise InvalidInputError(f"the wording is {shown(wording)}: give {' or '.join(WORDINGS)}")
    dice = Dice(f"consolidation/{seed}/{size}")
    book = Book()
    _fill(book, dice, size - size * _CHATTER // 100, bank_of(wording))
    _chat(book, dice, size - len(book.drafts))
    told, keys = _in_order(book, dice.under("signs"))
    near = tuple(
        NearMiss(keys[left], keys[right], kind)
        for left, right, kind in book.near
        if left in keys and right in keys
    )
    questions = present(book)
    return World(
        seed=seed,
        wording=wording,
        now=BEGIN + timedelta(days=DAYS),
        told=told,
        facts=book.facts,
        near_misses=near,
        present=questions,
        past=past(book, dice.under("past")),
        wanted=wanted(book, dice.under("wanted")),
        accesses=accesses(book, told, dice.under("accesses")),
    )


def _fill(book: Book, dice: Dice, wanted_drafts: int, bank: Bank) -> None:
    naming = Naming(dice.under("naming"))
    shared: dict[str, tuple[Attribute, Value, int, Draft]] = {}
    people: list[str] = []
    number = 0
    while len(book.drafts) < wanted_drafts:
        number += 1
        here = dice.under(f"entity-{number}")
        kind = here.pick(_KINDS)
        teller = Teller(book, f"e{number:05}", naming.entity(kind), here, naming)
        drawn = _attributes(teller, bank.attributes[kind], shared, kind)
        if kind in shared and here.holds(_TWIN):
            attribute, value, used, first = shared[kind]
            if first.entity != teller.entity and attribute not in drawn:
                twin, _, _ = teller.single(attribute, value=value, used=used)
                book.near.append((first, twin, "other"))
                del shared[kind]
        if here.holds(60):
            beside(teller, bank.many[kind])
        mirrored(teller)
        if kind == "person":
            _of_people(teller, people, bank)
            people.append(teller.name)


def _attributes(
    teller: Teller,
    known: Sequence[Attribute],
    shared: dict[str, tuple[Attribute, Value, int, Draft]],
    kind: str,
) -> list[Attribute]:
    """Tell some attributes, and return them; now and then another one has the value of one."""
    dice = teller.dice
    drawn = dice.shuffled(known)[: 4 + dice.below(4)]
    for attribute in tuple(drawn):
        if dice.holds(_CHAINED):
            teller.chain(attribute)
            continue
        first, value, used = teller.single(attribute)
        shared.setdefault(kind, (attribute, value, used, first))
        kin = [each for each in known if each.kind == attribute.kind and each not in drawn]
        if kin and dice.holds(_KINDRED):
            alike, _, _ = teller.single(kin[0], value=value)
            teller.book.near.append((first, alike, "attribute"))
            drawn.append(kin[0])
    return drawn


def _of_people(teller: Teller, people: list[str], bank: Bank) -> None:
    dice = teller.dice
    if dice.holds(60):
        occasions(teller, bank.occasions)
    if people and dice.holds(35):
        bond(teller, dice.pick(people), bank.bonds)
    if dice.holds(40):
        leaning(teller, bank.leanings)
    if dice.under("doing").holds(_DOING):
        deeds(teller)


def _chat(book: Book, dice: Dice, wanted_drafts: int) -> None:
    """Small talk stands under one head for each stretch of days, so that it has clusters too."""
    naming, said = Naming(dice.under("small-talk-names")), dict[str, str]()
    heads = max(1, wanted_drafts // 12)
    for number in range(heads):
        name = f"c{number + 1:05}"
        teller = Teller(book, name, name, dice.under(name), naming)
        for _ in range(len(range(number, wanted_drafts, heads))):
            chatter(teller, said)


def _in_order(book: Book, dice: Dice) -> tuple[tuple[Told, ...], dict[Draft, str]]:
    """Return the memories in the order of telling, and the key of each draft."""
    places = dice.shuffled(range(len(book.drafts)))
    drafts = [book.drafts[place] for place in places]
    drafts.sort(key=lambda draft: draft.day)
    keys = {draft: f"m{place:06}" for place, draft in enumerate(drafts, 1)}
    return tuple(_told(draft, keys[draft], book.facts[draft.fact], dice) for draft in drafts), keys


def _told(draft: Draft, key: str, fact: Fact, dice: Dice) -> Told:
    sort = fact.sort
    # Whoever tells a fact again takes it for the same sort of thing.
    type_ = Dice(f"type/{fact.key}/{fact.worth}").pick(_TYPES.get(sort, _TYPES[""]))
    pinned, high = dice.below(1000) < _PINNED, dice.below(1000) < _HIGH
    importance = 0.5
    if dice.holds(50):
        # What is wanted is a little more often called important; who tells is no good judge.
        importance = min(85, 15 + fact.worth // 3 + dice.below(60)) / 100
    if sort == "chatter":
        pinned = high = False
    return Told(
        key=key,
        text=draft.text,
        fact=draft.fact,
        entity=draft.entity,
        recorded_at=moment(draft.day),
        event_at=draft.event_at,
        valid_from=draft.valid_from,
        type="note" if dice.holds(_UNTYPED) else type_,
        importance=0.95 if high else importance,
        pinned=pinned,
    )


def _check(name: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidInputError(
            f"{name} is {shown(value)}: give a whole number from {least} to {most}"
        )
