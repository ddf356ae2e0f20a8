"""How far the steps of earlier dreams have looked: what is kept between two dreams."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engram_lab.consolidation.step import Step
    from engram_lab.core.dreams import DreamRun
    from engram_lab.core.types import RecallEvent

__all__ = ["START", "Place", "Progress", "Span", "hash_of"]

Span = tuple[str, str]
"""Recall events by their ids: those after the first, up to the second."""

_LAST: Final = "\U0010ffff"
"""Behind all ids."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """How far one step has looked.

    Attributes:
        number: Up to which change of the log.
        event: Up to which recall event, by id.
        at: When, in seconds since 1970; nan where it never has.
        parameters: Of what it was set to then, a hash: set otherwise, it looks at all anew.
        looked: At which recall events in this one dream; empty where the step took no part in it.
    """

    number: int = 0
    event: str = ""
    at: float = float("nan")
    parameters: str = ""
    looked: tuple[Span, ...] = ()

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Place:
        """Return a place that was kept as JSON."""
        return cls(**{**told, "looked": tuple(map(tuple, told.get("looked", ())))})


START: Final = Place()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far all steps have looked.

    Attributes:
        places: By the name of the step, as the last dream that stands left them.
        owed: By the name of the step, the recall events before its place that no dream looked at
            which stands: those of dreams that were undone while later ones were not.
    """

    places: Mapping[str, Place]
    owed: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)

    @classmethod
    def after(cls, standing: Sequence[DreamRun], *, all_of_them: bool = True) -> Progress:
        """Return what the dreams of a workspace left.

        Args:
            standing: Those that were not undone, latest first.
            all_of_them: Whether there are none before; else what lies before the first of them
                counts as looked at.
        """
        told = [{name: Place.read(each) for name, each in run.state.items()} for run in standing]
        if not told:
            return cls({})
        owed = {}
        for name, place in told[0].items():
            looked = [span for each in told if name in each for span in each[name].looked]
            before = "" if all_of_them else told[-1].get(name, START).event
            if missing := _missing([("", before), *looked], place.event):
                owed[name] = missing
        return cls(told[0], owed)

    def of(self, step: Step, *, full: bool) -> Place:
        """Return from where a step goes on.

        Args:
            step: Which.
            full: Look at all memories. Recall events are never looked at twice: they were learned.
        """
        place = self.places.get(step.name, START)
        if full or place.parameters != hash_of(step):
            return Place(event=place.event, at=place.at)
        return place

    def spans(self, step: Step, start: Place) -> tuple[Span, ...]:
        """Return what recall events a step has to look at; the last span ends with the last."""
        return (*self.owed.get(step.name, ()), (start.event, _LAST))

    def reached(
        self, step: Step, start: Place, events: Sequence[RecallEvent], *, whole: bool
    ) -> Place:
        """Return how far a step has looked at recall events, from where it started.

        Args:
            step: Which.
            start: Where it began.
            events: Those that it is done with, in the order of their ids.
            whole: Whether these are all that there were.
        """
        last = events[-1].id if events else ""
        event = max(start.event, last)
        end = event if whole else last
        spans = ((after, min(upto, end)) for after, upto in self.spans(step, start))
        looked = tuple((after, upto) for after, upto in spans if after < upto)
        return replace(start, event=event, looked=looked)

    def moved(self, places: Mapping[str, Place]) -> dict[str, Any]:
        """Return it as plain JSON once some steps have moved on."""
        kept = {name: replace(place, looked=()) for name, place in self.places.items()}
        return {
            name: {
                "number": place.number,
                "event": place.event,
                "at": place.at,
                "parameters": place.parameters,
                "looked": [list(span) for span in place.looked],
            }
            for name, place in sorted({**kept, **places}.items())
        }


def _missing(looked: Iterable[Span], upto: str) -> tuple[Span, ...]:
    """Return what lies in none of some spans, up to an id."""
    missing, reached = [], ""
    for after, end in sorted(looked):
        if after > reached:
            missing.append((reached, after))
        reached = max(reached, end)
    if reached < upto:
        missing.append((reached, upto))
    return tuple(missing)


def hash_of(step: Step) -> str:
    """Return a short hash of what a step is set to."""
    told = json.dumps(dict(step.parameters), sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
