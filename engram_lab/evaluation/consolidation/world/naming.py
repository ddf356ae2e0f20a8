"""Names for all that a world holds: of several words, so that even a large world has enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.datasets.fiction.names import Names

if TYPE_CHECKING:
    from engram_lab.evaluation.datasets.fiction.dice import Dice

__all__ = ["Naming"]

_PLACES: Final = (
    "Café {n}", "the {n} museum", "the {n} library", "{n} Gardens", "the {n} pool", "Hotel {n}",
    "the {n} theatre", "the {n} bakery",
)  # fmt: skip
_PROJECTS: Final = ("Project ", "the app ", "Operation ", "the website ")
_THINGS: Final = (
    "the {n} kiln", "the {n} drone", "the {n} van", "the {n} printer", "the {n} telescope",
    "the {n} loom", "the {n} scooter", "the {n} heat pump",
)  # fmt: skip
_FIRMS: Final = ("{n} Ltd", "{n} & Sons", "{n} Works", "Studio {n}", "{n} Group")

_KIN: Final = 20
"""How many in a hundred persons share the surname of the one before."""

_POOL: Final = 97
"""How many names there are of each kind for values, which may come again with other entities."""


class Naming:
    """Gives entities a name each, once, and draws names that are values from a pool.

    Args:
        dice: What decides.
    """

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._given: set[str] = set()
        self._surname = ""
        self._names = Names(dice.under("names"))
        self._first = self._pool("person")
        self._towns = self._pool("town")
        self._coined = self._pool("coined")
        self._last = self._pool("coined")

    def _pool(self, kind: str) -> list[str]:
        return [self._names.new(kind) for _ in range(_POOL)]

    def entity(self, kind: str) -> str:
        """Return a name not given yet: of a `person`, `project`, `place` or `thing`."""
        name = self._some(kind)
        while name in self._given:
            name = self._some(kind)
        self._given.add(name)
        return name

    def _some(self, kind: str) -> str:
        dice = self._dice
        if kind == "person":
            if not self._surname or not dice.holds(_KIN):
                self._surname = self._coin(dice)
            return f"{dice.pick(self._first)} {self._surname}"
        coined = self._coin(dice)
        if coined in self._given:  # a project and a kiln of one name would be two riddles
            return coined
        self._given.add(coined)
        if kind == "project":
            return f"{dice.pick(_PROJECTS)}{coined}"
        return dice.pick(_PLACES if kind == "place" else _THINGS).format(n=coined)

    def _coin(self, dice: Dice) -> str:
        first = dice.pick(self._last)
        return first if dice.holds(50) else first + dice.pick(self._coined)[-4:].lower()

    def value(self, kind: str, dice: Dice) -> str:
        """Return a name as a value: of a `person`, a `town`, a `firm` or something `coined`."""
        if kind == "person":
            return f"{dice.pick(self._first)} {dice.pick(self._last)}"
        if kind == "town":
            return dice.pick(self._towns)
        if kind == "firm":
            return dice.pick(_FIRMS).format(n=dice.pick(self._coined))
        return dice.pick(self._coined)
