"""What a world is: memories as they were told, what is true of them, and what will be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from engram_lab.evaluation.consolidation.world.phrases import Wording
    from engram_lab.evaluation.consolidation.world.values import Value

__all__ = [
    "NEAR_KINDS",
    "Access",
    "Fact",
    "Manner",
    "NearMiss",
    "Question",
    "Sort",
    "Told",
    "World",
]

Sort = Literal["single", "version", "beside", "occasion", "bond", "leaning", "deed", "chatter"]

Manner = Literal["silent", "cue", "words", "correction", "late"]

NEAR_KINDS: Final = (
    "number", "date", "name", "negation", "other", "roles", "attribute", "deed", "swap", "sign",
    "mark",
)  # fmt: skip
"""In what two near-misses differ; `other` is the entity, `attribute` what the value is of, `deed`
what one person does to one thing, `swap` which of two names of one word does it to the other,
`sign` that of a number, `mark` a sign that is no word, as in `A+` and `A-`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One memory, as it goes in.

    Attributes:
        key: Its name in the world, in the order of telling.
        text: What is told.
        fact: Which fact it tells; two that tell one fact may be merged, no others.
        entity: Whom or what it is about: the cluster of all that is asked of it.
        recorded_at: When it was told.
        event_at: When it is said to have become so, or to have been.
        valid_from: The same, where the teller says so.
        type: Of the memory; a noisy sign of what it is worth.
        importance: The same.
        pinned: Whether it must stay as it is.
    """

    key: str
    text: str
    fact: str
    entity: str
    recorded_at: datetime
    event_at: datetime | None
    valid_from: datetime | None
    type: str
    importance: float
    pinned: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """What is so, of whom, and for how long.

    Attributes:
        key: Its name.
        entity: Of whom or what.
        slot: Entity and attribute: versions of one thing share it, and so do values side by side.
        sort: Of what sort it is.
        value: What it says; None where that is no single thing, as with who is whose boss.
        begins: From when on it holds.
        ends: When it ceased to hold; None while it holds. A fact that never held ends as it begins.
        worth: How often it is wanted, as a weight of whole numbers.
        manner: How it was first told: `silent` as if nothing had been before, under a `cue`, in
            `words` for the change, as a `correction`, or `late`, after what followed it.
    """

    key: str
    entity: str
    slot: str
    sort: Sort
    value: Value | None
    begins: datetime
    ends: datetime | None
    worth: int
    manner: Manner = "silent"

    @property
    def holds(self) -> bool:
        """Whether it still holds."""
        return self.ends is None


class NearMiss(NamedTuple):
    """Two memories that look alike, and must not be merged."""

    left: str
    right: str
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A question whose answer is known.

    Attributes:
        key: Its name.
        text: The question.
        entity: The cluster.
        answer: The fact that answers it.
        stale: Facts that once answered it, or will: wrong at the moment that is asked of.
        at: The moment that is asked of; None for the present.
        manner: How the answer was told; `late` where any of its versions was told late.
    """

    key: str
    text: str
    entity: str
    answer: str
    stale: tuple[str, ...] = ()
    at: datetime | None = None
    manner: Manner = "silent"


class Access(NamedTuple):
    """A recall of the past: what was asked, when, and which memories came back."""

    at: datetime
    query: str
    hits: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """All of it.

    Attributes:
        seed: What it was made from.
        wording: In which it was told.
        now: The moment after all that was told.
        told: The memories, in the order of telling.
        facts: By key.
        near_misses: Pairs that must not be merged.
        present: Questions about the present where there was another answer before.
        past: Questions about a moment of the past.
        wanted: Questions about what holds, drawn by worth.
        accesses: Recalls before `now`, oldest first.
    """

    seed: int
    wording: Wording
    now: datetime
    told: tuple[Told, ...]
    facts: Mapping[str, Fact]
    near_misses: tuple[NearMiss, ...]
    present: tuple[Question, ...]
    past: tuple[Question, ...]
    wanted: tuple[Question, ...]
    accesses: tuple[Access, ...]

    def tellings(self) -> dict[str, list[Told]]:
        """Return the memories of each fact, in the order of telling."""
        found: dict[str, list[Told]] = {}
        for each in self.told:
            found.setdefault(each.fact, []).append(each)
        return found
