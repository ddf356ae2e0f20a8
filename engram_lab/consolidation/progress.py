"""How far the steps of earlier dreams have looked: what is kept between two dreams."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.consolidation.step import Step
    from engram_lab.core.dreams import DreamRun

__all__ = ["START", "Place", "Progress", "hash_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """How far one step has looked.

    Attributes:
        number: Up to which change of the log.
        event: Up to which recall event, by id.
        at: When, in seconds since 1970; nan where it never has.
        parameters: Of what it was set to then, a hash: set otherwise, it looks at all anew.
    """

    number: int = 0
    event: str = ""
    at: float = float("nan")
    parameters: str = ""


START: Final = Place()


@dataclass(frozen=True, slots=True)
class Progress:
    """The places of all steps, by name."""

    places: Mapping[str, Place]

    @classmethod
    def after(cls, last: DreamRun | None) -> Progress:
        """Return what the last dream of a workspace left; nothing where there was none."""
        told: Mapping[str, Any] = {} if last is None else last.state
        return cls({name: Place(**place) for name, place in told.items()})

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

    def moved(self, places: Mapping[str, Place]) -> dict[str, Any]:
        """Return it as plain JSON once some steps have moved on."""
        return {
            name: {
                "number": place.number,
                "event": place.event,
                "at": place.at,
                "parameters": place.parameters,
            }
            for name, place in sorted({**self.places, **places}.items())
        }


def hash_of(step: Step) -> str:
    """Return a short hash of what a step is set to."""
    told = json.dumps(dict(step.parameters), sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
