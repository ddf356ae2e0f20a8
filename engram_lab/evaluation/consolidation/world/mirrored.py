"""Statements of the same words that are another: names exchanged, another sign, another mark.

Two firms of which one did something to the other, two readings of which one is below zero, and two
grades of one letter have nothing to tell them apart but the order of two words, or one sign.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.consolidation.world.stories import DAYS, moment
from engram_lab.evaluation.consolidation.world.values import date_value
from engram_lab.evaluation.consolidation.world.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engram_lab.evaluation.consolidation.world.stories import Teller
    from engram_lab.evaluation.datasets.fiction.dice import Dice

__all__ = ["mirrored"]

_EACH: Final = 35
"""How many of a hundred entities are told of in each of the ways."""
_AGAIN: Final = 40
_FIRMS: Final = (
    ("{x} outbid {y} at the auction.", "At the auction, {x} outbid {y}."),
    ("{x} supplies {y} with felt.", "{y} is supplied with felt by {x}."),
    ("{x} audits {y} in spring.", "In spring, {x} audits {y}."),
    ("{x} sued {y} over the patent.", "{y} was sued by {x} over the patent."),
    ("{x} ships its crates through {y}.", "Through {y}, {x} ships its crates."),
    ("{x} swallowed {y} after the fair.", "After the fair, {x} swallowed {y}."),
)
_READINGS: Final = (
    (
        "{who} logged {a} degrees in room {room} on {on}.",
        "On {on} {who} logged {a} degrees in room {room}.",
    ),
    (
        "On {on} the gauge of {who} stood at {a} mm.",
        "The gauge of {who} stood at {a} mm on {on}.",
    ),
    (
        "The account of {who} closed at {a} crowns on {on}.",
        "On {on}, {who}'s account closed at {a} crowns.",
    ),
)
_MARKS: Final = (
    (
        "The jury gave {who} a {a} for round {room} on {on}.",
        "On {on}, the jury gave {who} a {a} for round {room}.",
    ),
    (
        "{who} was marked {a} on sheet {room} on {on}.",
        "On {on} {who} was marked {a} on sheet {room}.",
    ),
)
_LETTERS: Final = "ABCD"


def mirrored(teller: Teller) -> None:
    """Tell now and then of two firms, of two readings and of two marks that are alike."""
    dice = teller.dice.under("mirrored")
    if dice.holds(_EACH):
        _firms(teller, dice.under("firms"))
    if dice.holds(_EACH):
        number = 3 + dice.below(80)
        values = dice.shuffled([f"-{number}", str(number)])
        _two(teller, dice.under("readings"), "sign", dice.pick(_READINGS), values)
    if dice.holds(_EACH):
        letter = _LETTERS[dice.below(len(_LETTERS))]
        values = dice.shuffled([f"{letter}+", f"{letter}-"])
        _two(teller, dice.under("marks"), "mark", dice.pick(_MARKS), values)


def _firms(teller: Teller, dice: Dice) -> None:
    """Tell what one firm did to another, each of one word, and the other to the one."""
    x = y = teller.naming.value("coined", dice)
    while y == x:
        y = teller.naming.value("coined", dice)
    says = dice.pick(_FIRMS)
    _tell(teller, dice, "swap", says, [{"x": x, "y": y}, {"x": y, "y": x}])


def _two(teller: Teller, dice: Dice, kind: str, says: Sequence[str], values: Sequence[str]) -> None:
    """Tell two values of one day and room."""
    room, on = str(2 + dice.below(90)), date_value(moment(dice.below(DAYS)).date()).forms[0]
    gaps = [{"who": teller.name, "a": each, "room": room, "on": on} for each in values]
    _tell(teller, dice, kind, says, gaps)


def _tell(
    teller: Teller,
    dice: Dice,
    kind: str,
    says: Sequence[str],
    both: Sequence[Mapping[str, str]],
) -> None:
    words = dice.below(len(says))
    told = []
    for place, gaps in enumerate(both):
        day = dice.below(DAYS - 20)
        fact = teller.fact(f"{kind}-{place}", "deed", None, begins=moment(day))
        told.append(teller.tell(sentence(says[words], **gaps), fact, day))
        if dice.holds(_AGAIN):
            again = says[(words + 1) % len(says)]
            teller.tell(sentence(again, **gaps), fact, day + 1 + dice.below(8))
    teller.book.near.append((told[0], told[1], kind))
