"""The sentence banks of a world: of all that may be told, the ways to tell it in one wording."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engram_lab.evaluation.consolidation.world.happenings import BONDS, OCCASIONS
from engram_lab.evaluation.consolidation.world.of_people import LEANINGS, PERSON, PERSON_MANY
from engram_lab.evaluation.consolidation.world.of_places import PLACE, PLACE_MANY
from engram_lab.evaluation.consolidation.world.of_projects import PROJECT, PROJECT_MANY
from engram_lab.evaluation.consolidation.world.of_things import THING, THING_MANY
from engram_lab.evaluation.consolidation.world.plain_happenings import HAPPENED
from engram_lab.evaluation.consolidation.world.plain_people import OF_PEOPLE
from engram_lab.evaluation.consolidation.world.plain_places import OF_PLACES
from engram_lab.evaluation.consolidation.world.plain_projects import OF_PROJECTS
from engram_lab.evaluation.consolidation.world.plain_things import OF_THINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engram_lab.evaluation.consolidation.world.phrases import (
        Attribute,
        Bond,
        Leaning,
        Liking,
        Occasion,
        Plain,
        Wording,
    )

__all__ = ["Bank", "bank_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bank:
    """All that may be told, and the ways to tell it.

    Attributes:
        attributes: Of which there is one value at a time, by the kind of the entity.
        many: Of which there are many values side by side, likewise.
        occasions: What happens to people on a day.
        bonds: What people are to each other.
        leanings: What is so of people, or is not.
    """

    attributes: Mapping[str, tuple[Attribute, ...]]
    many: Mapping[str, tuple[Liking, ...]]
    occasions: tuple[Occasion, ...]
    bonds: tuple[Bond, ...]
    leanings: tuple[Leaning, ...]


def bank_of(wording: Wording) -> Bank:
    """Return the sentence bank of a wording; what is told and asked is the same in both."""
    free = Bank(
        attributes={"person": PERSON, "project": PROJECT, "place": PLACE, "thing": THING},
        many={
            "person": PERSON_MANY,
            "project": PROJECT_MANY,
            "place": PLACE_MANY,
            "thing": THING_MANY,
        },
        occasions=OCCASIONS,
        bonds=BONDS,
        leanings=LEANINGS,
    )
    if wording == "free":
        return free
    plain = {
        "person": OF_PEOPLE, "project": OF_PROJECTS, "place": OF_PLACES, "thing": OF_THINGS,
    }  # fmt: skip
    return Bank(
        attributes={kind: _plainly(some, plain[kind]) for kind, some in free.attributes.items()},
        many={
            kind: tuple(replace(each, says=plain[kind][each.key].says) for each in some)
            for kind, some in free.many.items()
        },
        occasions=tuple(replace(each, says=HAPPENED[each.key].says) for each in OCCASIONS),
        bonds=tuple(replace(each, says=HAPPENED[each.key].says) for each in BONDS),
        leanings=tuple(
            replace(each, says=HAPPENED[each.key].says, denies=HAPPENED[each.key].denies)
            for each in LEANINGS
        ),
    )


def _plainly(some: Sequence[Attribute], plain: Mapping[str, Plain]) -> tuple[Attribute, ...]:
    return tuple(
        replace(
            each,
            says=plain[each.key].says,
            changes=plain[each.key].changes,
            fixes=plain[each.key].fixes,
        )
        for each in some
    )
