"""Exchanges are put into sessions, between greetings and talk about the weather."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.datasets.fiction.script import Exchange, Line
from engram_lab.evaluation.datasets.fiction.smalltalk import (
    CHATTER,
    FAREWELLS,
    GREETINGS,
    OPENERS,
    THANKS,
)

if TYPE_CHECKING:
    from engram_lab.evaluation.datasets.fiction.dice import Dice
    from engram_lab.evaluation.datasets.fiction.script import Script

__all__ = ["weave"]

_THANKED: Final = 50
"""How many greetings in a hundred get an answer."""


def weave(script: Script, dice: Dice, *, sessions: int) -> list[list[Line]]:
    """Return the lines of each session, in order.

    Args:
        script: What is to be said.
        dice: What decides where.
        sessions: How many, 2 or more, so that what changed can lie in a later one.
    """
    placed: list[list[Exchange]] = [[] for _ in range(sessions)]
    session_of: dict[Exchange, int] = {}
    free = [each for each in dice.shuffled(script.exchanges) if each.after is None]
    bound = [each for each in script.exchanges if each.after is not None]
    for exchange in (*free, *bound):
        first = 0 if exchange.after is None else session_of[exchange.after] + 1
        # The emptiest, so that sessions are of about the same length.
        number = min(
            range(first, sessions - exchange.followed),
            key=lambda each: (_length(placed[each]), each),
        )
        placed[number].append(exchange)
        session_of[exchange] = number
    chatter = dice.under("chatter").shuffled(CHATTER)
    courtesies = [
        dice.under(f"courtesy-{number}").shuffled(said)
        for number, said in enumerate((GREETINGS, THANKS, FAREWELLS))
    ]
    return [
        _session(
            each,
            script.people,
            chatter,
            [said[number % len(said)] for said in courtesies],
            dice.under(f"session-{number}"),
        )
        for number, each in enumerate(placed)
    ]


def _length(exchanges: list[Exchange]) -> int:
    return sum(len(each.lines) for each in exchanges)


def _session(
    exchanges: list[Exchange],
    people: tuple[str, str],
    chatter: list[str],
    courtesies: list[str],
    dice: Dice,
) -> list[Line]:
    first, second = people if dice.holds(50) else people[::-1]
    greeting, thanks, farewell = courtesies
    lines = [Line(speaker=first, text=greeting.format(you=second))]
    if dice.holds(_THANKED):
        lines.append(Line(speaker=second, text=thanks.format(you=first)))
    ordered = dice.shuffled(exchanges)
    talks_at = dice.below(len(ordered)) if ordered else None
    for place, exchange in enumerate(ordered):
        lines += exchange.lines
        if place == talks_at and chatter:
            said = chatter.pop()
            text = f"{dice.pick(OPENERS)} {_inside(said)}"
            lines.append(Line(speaker=dice.pick(people), text=text))
    lines.append(Line(speaker=second, text=farewell.format(you=first)))
    return lines


def _inside(sentence: str) -> str:
    """Return a sentence as it goes on after a comma."""
    kept = sentence.startswith(("I ", "I'"))
    return sentence if kept else sentence[:1].lower() + sentence[1:]
