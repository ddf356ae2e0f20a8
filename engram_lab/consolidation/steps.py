"""Which steps a dream takes: by name from the registry, or things of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engram_lab.consolidation.step import STEPS, Step
from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from engram_lab.config import DreamSettings

__all__ = ["steps_of"]


def steps_of(
    settings: DreamSettings, wanted: Sequence[str | Step] | str | None = None
) -> tuple[Step, ...]:
    """Return the steps of a dream in order.

    Args:
        settings: What those that are named go by, and which they are unless told.
        wanted: Names, things of one's own, or names by commas; else `dream.steps`.

    Raises:
        InvalidInputError: There is no step of a name, or something is no step.
    """
    given = settings.steps if wanted is None else wanted
    if not isinstance(given, str | Sequence):
        raise InvalidInputError(f"steps is {shown(given)}: give names or steps in a list")
    if isinstance(given, str):
        given = [name.strip() for name in given.split(",") if name.strip()]
    steps: list[Step] = []
    for each in given:
        made = STEPS.get(each)(settings) if isinstance(each, str) else each
        if not isinstance(made, Step):
            raise InvalidInputError(
                f"{shown(each)} is no step of a dream: give a name, or something with `name`, "
                "`parameters` and `plan`"
            )
        steps.append(made)
    return tuple(steps)
