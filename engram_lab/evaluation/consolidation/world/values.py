"""What fills the gaps: values, each in the forms in which people write it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.evaluation.datasets.fiction.values import LISTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engram_lab.evaluation.consolidation.world.naming import Naming
    from engram_lab.evaluation.datasets.fiction.dice import Dice

__all__ = ["MONTHS", "Value", "another", "date_value", "drawn"]

_WEEKDAYS: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_EVENTS: Final = (
    "summer fair", "harbour trip", "anniversary dinner", "house-warming", "choir concert",
    "quiz night", "farewell party", "spring hike", "wine tasting", "board meeting",
    "class reunion", "boat race",
)  # fmt: skip
_ROOMS: Final = (
    "the cellar", "the attic", "the garage", "the annex", "the boathouse", "the back office",
    "the workshop", "the archive", "the laundry", "the conservatory", "the pavilion", "the shed",
)  # fmt: skip
_UNITS: Final = {
    "minutes": (11, 180, ("{n} minutes", "{n} min")),
    "hours": (3, 60, ("{n} hours", "{n} h")),
    "km": (2, 90, ("{n} km", "{n} kilometres")),
    "kg": (3, 250, ("{n} kg", "{n} kilograms", "{n} kilos")),
    "degrees": (4, 95, ("{n} degrees", "{n} °C")),
    "small": (3, 60, ("{n}",)),
    "number3": (101, 890, ("{n}",)),
    "number4": (1003, 8990, ("{n}",)),
    "money": (12, 240, ("{n}0 crowns", "{n}0 cr", "{n}0 kr")),
}
_FIRST_DAY: Final = date(2032, 1, 5)
_TRIES: Final = 60
_CLOSE: Final = 40
"""How many of a hundred values that are told beside another are written nearly as that one."""


class Value(NamedTuple):
    """One value, in the forms in which it may be written; the first is the plainest."""

    forms: tuple[str, ...]

    def one(self, dice: Dice) -> str:
        """Return one of the forms."""
        return dice.pick(self.forms)

    def stands_in(self, text: str) -> bool:
        """Tell whether a text has it in some form, as whole words: of days also each week's."""
        folded = f" {_words(text)} "
        forms = [_words(form) for form in self.forms]
        return any(f" {form}{end}" in folded for form in forms for end in (" ", "s ")) or any(
            f" v{form} " in folded for form in forms
        )


def _words(text: str) -> str:
    kept = (mark if mark.isalnum() else " " for mark in text.casefold())
    return " ".join("".join(kept).split())


def date_value(day: date) -> Value:
    """Return a day, as it is written in letters and in lists."""
    month = MONTHS[day.month - 1]
    return Value(
        (
            f"{day.day} {month} {day.year}",
            f"{month} {day.day}, {day.year}",
            day.isoformat(),
        )
    )


def drawn(kind: str, dice: Dice, naming: Naming) -> Value:
    """Return a value of a kind."""
    if kind in {"person", "town", "coined", "firm"}:
        return Value((naming.value(kind, dice),))
    if kind in _UNITS:
        low, high, forms = _UNITS[kind]
        number = low + dice.below(high - low)
        return Value(tuple(form.format(n=number) for form in forms))
    if kind in _COMPOSED:
        return _COMPOSED[kind](dice)
    return Value((dice.pick(LISTS[kind]),))


def _date(dice: Dice) -> Value:
    return date_value(_FIRST_DAY + timedelta(days=dice.below(700)))


def _clock(dice: Dice) -> Value:
    hour, minute = 6 + dice.below(15), 5 * dice.below(12)
    half = "am" if hour < 12 else "pm"  # noqa: PLR2004 - noon
    return Value((f"{hour:02}:{minute:02}", f"{(hour - 1) % 12 + 1}:{minute:02} {half}"))


_COMPOSED: Final[Mapping[str, Callable[[Dice], Value]]] = {
    "weekday": lambda dice: Value((dice.pick(_WEEKDAYS),)),
    "event": lambda dice: Value((dice.pick(_EVENTS),)),
    "room": lambda dice: Value((f"{dice.pick(_ROOMS)} of house {2 + dice.below(97)}",)),
    "date": _date,
    "clock": _clock,
    "version": lambda dice: Value((f"{1 + dice.below(9)}.{dice.below(40)}.{dice.below(10)}",)),
    "reading": lambda dice: Value((f"{100 + dice.below(70)}/{60 + dice.below(40)}",)),
}


def another(
    kind: str, taken: set[Value], dice: Dice, naming: Naming, *, beside: Value | None = None
) -> Value:
    """Return a value of a kind that is none of those taken, and take it.

    Args:
        kind: Of the value.
        taken: Those that it must not be.
        dice: What decides.
        naming: Where names come from.
        beside: What it now and then differs from by a digit, some days or a first name alone.
    """
    value = drawn(kind, dice, naming)
    if beside is not None and dice.holds(_CLOSE):
        value = _close(kind, beside, dice, naming)
    for _ in range(_TRIES):
        if value not in taken:
            break
        value = drawn(kind, dice, naming)
    taken.add(value)
    return value


def _close(kind: str, value: Value, dice: Dice, naming: Naming) -> Value:
    """Return a value that is written nearly as another; where there is none, any of the kind."""
    plainest = value.forms[0]
    if kind == "person":
        return Value((f"{naming.value(kind, dice).split()[0]} {plainest.split()[-1]}",))
    if kind == "date":
        days = timedelta(days=1 + dice.below(9))
        return date_value(date.fromisoformat(value.forms[-1]) + days)
    if kind == "version":
        return Value((f"{plainest.rpartition('.')[0]}.{dice.below(10)}",))
    if kind not in _UNITS:
        return drawn(kind, dice, naming)
    low, high, forms = _UNITS[kind]
    zeros = 1 if kind == "money" else 0  # which all sums end in
    digits = list(plainest.split()[0])
    digits = digits[: len(digits) - zeros]
    digits[dice.below(len(digits))] = str(dice.below(10))
    number = int("".join(digits))
    if not low <= number < high:
        return drawn(kind, dice, naming)
    return Value(tuple(form.format(n=number) for form in forms))
