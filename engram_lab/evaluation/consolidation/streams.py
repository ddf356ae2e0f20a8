"""Streams of questions in which memories that have nothing in common are asked for together.

What belongs together is planted: nothing in the words or the meaning of two memories of a chain
says so, only that people ask for both. So whatever finds the one by the other has learned it from
use. Names are coined, and a seed decides all.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.evaluation.datasets.fiction.dice import Dice
from engram_lab.evaluation.datasets.fiction.names import Names

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Asked", "Probe", "Stream", "Told", "make_stream"]

_ABOUT: Final = (
    "{p} repaired the valve of the {t} boiler before the frost came.",
    "{p} plays second violin in the {t} quartet on Thursdays.",
    "{p} bakes {t} bread with rye, caraway and a spoon of honey.",
    "{p} lost the {t} lawsuit over a fence and paid all fees.",
    "{p} saw the comet {t} through an old brass telescope.",
    "{p} coaches the {t} rowing crew and swears by long sprints.",
    "{p} wove the {t} carpet out of undyed wool.",
    "{p} was given {t} drops against a stubborn cough.",
    "{p} keeps bees on the roof of {t} house and sells wax.",
    "{p} prints posters at {t} press, mostly in two colours.",
    "{p} drives the night train to {t} and dislikes tunnels.",
    "{p} opened with the {t} gambit and won in thirty moves.",
)
"""Each of another trade; memories of one chain are of three of them."""

_TOGETHER: Final = (
    "What do we know about {a} and {b}?",
    "Please remind me of {b}, and of {a} as well.",
    "I need to look up both {a} and {b} today.",
    "Is there anything new on {b} or on {a}?",
    "Before the meeting: what was said of {a}, and what of {b}?",
    "Compare the notes on {b} with those on {a}.",
)
_ALONE: Final = (
    "What do we know about {a}?",
    "Please remind me of {a}.",
    "I need to look up {a} today.",
    "Is there anything new on {a}?",
)
_PROBES: Final = ("Tell me the story of {a}.", "Where does {a} come in?", "Why {a}?")
_TRAPS: Final = (
    "What do we know about {a}?",
    "Remind me of {p} and {a} before the meeting today.",
    "Is {a} new?",
)
_POPULAR: Final = (
    "What we know and what we need to look up: see the general notes of today.",
    "Before each meeting please read the notes: anything new is said there.",
    "Please remind everybody to look at the notes; compare what was said with what we know.",
    "Today anything new that we need to know is in the notes of the meeting.",
)
"""Memories that answer nothing and fit everything: they come back for most questions."""

_LENGTH: Final = 3
_FEWEST, _MOST = 10, 100
_OF_MEMORIES: Final = 25
_NIGHTS: Final = 6


class Told(NamedTuple):
    """A memory to be stored.

    Attributes:
        id: In the stream.
        content: Its text.
        name: The thing in it, by which a question asks for it.
        person: Who is in it.
    """

    id: str
    content: str
    name: str = ""
    person: str = ""


class Asked(NamedTuple):
    """A question of the stream, and the memories that it asks for by name."""

    text: str
    wants: tuple[str, ...]


class Probe(NamedTuple):
    """A held-out question: it names one memory, and what is wanted is another.

    Attributes:
        id: Of the probe.
        text: What is asked, in words that no training question had.
        named: The memory that it names.
        wanted: Another of its chain.
        hops: How many planted pairs lie between them: 1 was asked for together, 2 never was.
        chain: Probes of one chain are not independent.
    """

    id: str
    text: str
    named: str
    wanted: str
    hops: int
    chain: str


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Memories, what is asked of them night by night, and what must be found afterwards.

    Attributes:
        memories: In the order in which they are stored.
        nights: Questions before each dream, in order.
        pairs: What was planted: pairs of memories that are asked for together.
        probes: Held out.
        traps: Questions for one memory, in the words of the popular ones.
        popular: The memories that come back for many questions and answer none.
    """

    memories: tuple[Told, ...]
    nights: tuple[tuple[Asked, ...], ...]
    pairs: tuple[tuple[str, str], ...]
    probes: tuple[Probe, ...]
    traps: tuple[Asked, ...]
    popular: tuple[str, ...]


def make_stream(size: int, seed: int) -> Stream:
    """Return a stream; the same arguments give the same one everywhere.

    A chain is three memories a, b, c. Both a and b are asked for in one question each night, and so
    are b and c; a and c never are. A third as many questions ask for two memories that belong to no
    chain and are not asked for together again, and as many for one memory alone.

    Args:
        size: How many memories, popular ones included.
        seed: Another one gives other names, chains and order.
    """
    dice = Dice(f"stream/{seed}")
    chains = max(_FEWEST, min(_MOST, size // _OF_MEMORIES))
    memories = _memories(size - len(_POPULAR), chains, dice)
    linked = [memories[at : at + _LENGTH] for at in range(0, chains * _LENGTH, _LENGTH)]
    others = memories[chains * _LENGTH :]
    pairs = tuple((first, second) for chain in linked for first, second in pairwise(chain))
    popular = [Told(f"popular-{n:02}", text) for n, text in enumerate(_POPULAR, 1)]
    stored = dice.under("order").shuffled([*memories, *popular])
    return Stream(
        memories=tuple(stored),
        nights=_nights(pairs, others, dice.under("asking")),
        pairs=tuple((first.id, second.id) for first, second in pairs),
        probes=tuple(_probes(linked, dice.under("probes"))),
        traps=tuple(
            Asked(wording.format(a=chain[at].name, p=chain[at].person), (chain[at].id,))
            for chain in linked
            for at, wording in enumerate(_TRAPS)
        ),
        popular=tuple(each.id for each in popular),
    )


def _memories(count: int, chains: int, dice: Dice) -> list[Told]:
    """Return memories; the first three of each chain are of three trades."""
    names, told = Names(dice.under("names")), []
    for number in range(count):
        if number < chains * _LENGTH:
            place = (number // _LENGTH + 4 * (number % _LENGTH)) % len(_ABOUT)
        else:
            place = dice.below(len(_ABOUT))
        name = names.new("coined")
        person = names.new("person")
        content = _ABOUT[place].format(p=person, t=name)
        told.append(Told(f"memory-{number:06}", content, name, person))
    return told


def _nights(
    pairs: Sequence[tuple[Told, Told]], others: Sequence[Told], dice: Dice
) -> tuple[tuple[Asked, ...], ...]:
    """Return the questions of each night: each planted pair once, in other words each time."""
    nights = []
    for night in range(_NIGHTS):
        asked = []
        for place, (first, second) in enumerate(pairs):
            wording = _TOGETHER[(place + night) % len(_TOGETHER)]
            asked.append(Asked(wording.format(a=first.name, b=second.name), (first.id, second.id)))
        for place in range(len(pairs) // 3 if others else 0):
            one, two = dice.pick(others), dice.pick(others)
            wording = _TOGETHER[place % len(_TOGETHER)]
            asked.append(Asked(wording.format(a=one.name, b=two.name), (one.id, two.id)))
            alone = dice.pick(others)
            wording = _ALONE[place % len(_ALONE)]
            asked.append(Asked(wording.format(a=alone.name), (alone.id,)))
        nights.append(tuple(dice.shuffled(asked)))
    return tuple(nights)


def _probes(linked: Sequence[Sequence[Told]], dice: Dice) -> list[Probe]:
    probes = []
    for number, chain in enumerate(linked):
        for named in range(_LENGTH):
            for wanted in range(_LENGTH):
                if named == wanted:
                    continue
                text = dice.pick(_PROBES).format(a=chain[named].name)
                probes.append(
                    Probe(
                        id=f"c{number:03}-{named}{wanted}",
                        text=text,
                        named=chain[named].id,
                        wanted=chain[wanted].id,
                        hops=abs(named - wanted),
                        chain=f"c{number:03}",
                    )
                )
    return probes
