"""What is told beside attributes: values side by side, occasions, bonds, leanings, small talk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.consolidation.world.idle import IDLE
from engram_lab.evaluation.consolidation.world.stories import DAYS, moment
from engram_lab.evaluation.consolidation.world.values import Value, another, date_value, drawn
from engram_lab.evaluation.consolidation.world.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.evaluation.consolidation.world.phrases import Bond, Leaning, Liking, Occasion
    from engram_lab.evaluation.consolidation.world.stories import Draft, Teller

__all__ = ["beside", "bond", "chatter", "leaning", "occasions"]

_TRIES: Final = 20
_GAPS: Final = (
    "food", "person", "town", "coined", "weekday", "object", "animal", "room", "clock", "plant",
    "instrument", "subject", "small", "colour", "minutes", "sport", "trade", "money", "degrees",
)  # fmt: skip


def beside(teller: Teller, likings: Sequence[Liking]) -> None:
    """Tell two or three values that hold side by side."""
    dice = teller.dice
    liking = dice.pick(likings)
    taken: set[Value] = set()
    words = teller.words.below(len(liking.says))
    for _ in range(2 + dice.below(2)):
        value = another(liking.kind, taken, dice, teller.naming)
        if dice.holds(50):
            words = teller.words.below(len(liking.says))
        day = dice.below(DAYS)
        fact = teller.fact(liking.key, "beside", value, begins=moment(day))
        dated = moment(day) if dice.holds(30) else None
        text = teller.say(liking.says[words], who=teller.name, a=value)
        first = teller.tell(text, fact, day, dated)
        plain = value.forms[0]
        teller.book.asks[fact] = f"What do we know about {teller.name} and {plain}?"
        teller.again(first, liking.says, words, until=DAYS - 1, who=teller.name, a=value)


def occasions(teller: Teller, kinds: Sequence[Occasion]) -> None:
    """Tell of two occasions of one kind: another day and the same number, or another number."""
    dice = teller.dice
    kind = dice.pick(kinds)
    days = [dice.below(DAYS // 2), DAYS // 2 + dice.below(DAYS // 2 - 4)]
    values = [drawn(kind.kind, dice, teller.naming)] * 2
    differs = "date"
    if dice.holds(40):
        taken = {values[0]}
        values[1] = another(kind.kind, taken, dice, teller.naming, beside=values[0])
        differs = "number"
        days[1] = days[0] if dice.holds(60) else days[1]
    words = teller.words.below(len(kind.says))
    told: list[Draft] = []
    for day, value in zip(days, values, strict=True):
        on = date_value(moment(day).date())
        if dice.holds(30):
            words = teller.words.below(len(kind.says))
        fact = teller.fact(kind.key, "occasion", value, begins=moment(day))
        text = teller.say(kind.says[words], who=teller.name, a=value, on=on)
        first = teller.tell(text, fact, min(DAYS - 1, day + dice.below(4)), moment(day))
        told.append(first)
        teller.book.asks[fact] = f"What was that with {teller.name} on {on.forms[0]}?"
        teller.again(first, kind.says, words, until=DAYS - 1, who=teller.name, a=value, on=on)
    teller.book.near.append((told[0], told[1], differs))


def bond(teller: Teller, other: str, kinds: Sequence[Bond]) -> None:
    """Tell what one person is to another, and that the other is it to the one."""
    dice = teller.dice
    kind = dice.pick(kinds)
    words = teller.words.below(len(kind.says))
    drafts: list[Draft] = []
    for x, y in ((teller.name, other), (other, teller.name)):
        if dice.holds(40):
            words = teller.words.below(len(kind.says))
        day = dice.below(DAYS)
        fact = teller.fact(f"{kind.key}-{x}", "bond", None, begins=moment(day))
        first = teller.tell(teller.say(kind.says[words], x=x, y=y), fact, day)
        teller.again(first, kind.says, words, until=DAYS - 1, x=x, y=y)
        drafts.append(first)
    teller.book.near.append((drafts[0], drafts[1], "roles"))


def leaning(teller: Teller, kinds: Sequence[Leaning]) -> None:
    """Tell that something is so, and of something else of the sort that it is not so, or not."""
    dice = teller.dice
    kind = dice.pick(kinds)
    value = drawn(kind.kind, dice, teller.naming)
    words = teller.words.below(len(kind.says))
    drafts: list[Draft] = []
    first_day = dice.below(DAYS - 40)
    ends = moment(first_day + 30)
    turned = dice.holds(50)
    for place, says in enumerate((kind.denies, kind.says) if turned else (kind.says, kind.denies)):
        day = first_day + 30 * place
        fact = teller.fact(
            kind.key, "leaning", None, begins=moment(day), ends=None if place else ends
        )
        first = teller.tell(teller.say(says[words], who=teller.name, a=value), fact, day)
        teller.again(
            first, says, words, until=DAYS - 1 if place else day + 29, who=teller.name, a=value
        )
        drafts.append(first)
    teller.book.near.append((drafts[0], drafts[1], "negation"))


def chatter(teller: Teller, said: dict[str, str]) -> None:
    """Tell something of the day that nobody will miss.

    Args:
        teller: Of whoever it is about.
        said: The facts of all small talk so far by its words: the same words are the same fact.
    """
    dice = teller.dice
    text = ""
    for _ in range(_TRIES):
        gaps = {kind: drawn(kind, dice, teller.naming).one(dice) for kind in _GAPS}
        text = sentence(dice.pick(IDLE), **gaps)
        if text.casefold() not in said:
            break
    day = dice.below(DAYS)
    fact = said.get(text.casefold())
    if fact is None:
        worth = 1 + dice.below(8)
        fact = teller.fact("chatter", "chatter", None, begins=moment(day), worth=worth)
        said[text.casefold()] = fact
    teller.tell(text, fact, day, moment(day) if dice.holds(40) else None)
