"""What a statement is taken apart into: its frame, and what fills the places in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

__all__ = ["FIGURES", "Filler", "Frame"]

FIGURES: Final = ("number", "date", "day", "time", "code")


class Filler(NamedTuple):
    """A name, a figure, or a run of words, with the part that it plays.

    Attributes:
        kind: `name`, `number`, `date`, `day`, `time`, `code` or `words`.
        value: Its words, or its value; equal where two say the same.
        role: `owner`, `subject`, `object`, `complement` or `marked`, by a preposition.
        marker: That preposition.
        clause: The number of the clause.
        indefinite: Whether `a` stands before it.
        definite: Whether `the` does.
        sure: Whether it is surely of its kind.
        told: How it stands in the frame.
        late: Whether it stands after `is`.
        counted: Of a number, the root of what it counts: `seat` in `90 seats`.
        label: Of a number, the root of what it numbers: `room` in `room 90`.
        beside: Of a name, the roots of what it is called with it: `pool` in `the Falconet pool`.
    """

    kind: str
    value: tuple[object, ...]
    role: str
    marker: str = ""
    clause: int = 0
    indefinite: bool = False
    definite: bool = False
    sure: bool = True
    beside: frozenset[str] = frozenset()
    told: str = ""
    late: bool = False
    counted: str = ""
    label: str = ""


_OF_A_NAME = re.compile(r"\bX ([a-z]+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What two statements are compared by; see the module.

    Attributes:
        text: The frame, to be compared by meaning.
        names: Names, in order.
        figures: Numbers, dates, days, times and codes that hold.
        runs: Runs of words with a meaning of their own.
        were: Names and figures of which it says that they held until now.
        content: Roots of the words in `runs`.
        plain: Those words, lower case.
        cues: Words that tell of a change.
        denies: Roots of the words that stand where it denies; none where it does not.
        several: Whether it says that there may be more.
        exists: Whether it says that there is something.
        past: Whether it tells what happened once.
        copula: Whether it says that something is something.
        may: Whether it tells of what can or may be.
        meant: Whether it tells what somebody means to do.
        definite: Whether its first words are of one thing alone, and tell no doing in progress.
        corrects: Whether it puts right what was told before.
    """

    text: str
    names: tuple[Filler, ...]
    figures: tuple[Filler, ...]
    runs: tuple[Filler, ...]
    were: tuple[Filler, ...]
    content: frozenset[str]
    plain: frozenset[str]
    cues: frozenset[str]
    denies: frozenset[str]
    several: bool
    exists: bool
    past: bool
    copula: bool
    may: bool
    meant: bool
    definite: bool
    corrects: bool

    @property
    def beside_names(self) -> frozenset[str]:
        """Words that say of what sort a name is: `the Kestrel library`, in small letters."""
        return frozenset(_OF_A_NAME.findall(self.text))
