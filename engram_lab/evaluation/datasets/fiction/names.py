"""Names of people, places and things that nobody bears: put together from syllables of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engram_lab.evaluation.datasets.fiction.dice import Dice

__all__ = ["Names"]

_PERSON: Final = (
    (
        "Bramv", "Dorv", "Elsk", "Fesk", "Garv", "Hesk", "Ilv", "Jorv", "Kelm", "Lurv", "Morv",
        "Nesk", "Ozm", "Pelv", "Quelv", "Ruskv", "Selk", "Tarv", "Uvr", "Vesk", "Wemb", "Yelv",
        "Zorn", "Tebr", "Osk", "Mivr", "Lisk", "Dulv", "Cresk", "Avr",
    ),
    ("ada", "ith", "in", "uno", "ely", "ane", "ick", "una", "eth", "ory", "im", "osa"),
)  # fmt: skip

_TOWN: Final = (
    (
        "Ollu", "Kelve", "Druma", "Vasti", "Mirro", "Quonna", "Tarre", "Yelda", "Zubri", "Ebbo",
        "Uske", "Lorro", "Pimma", "Sarve", "Gonda", "Hulle", "Nivvo", "Jasku", "Rethe", "Wulka",
    ),
    ("dell", "vek", "quay", "stow", "grave", "holm", "sund", "fold", "spire", "wold", "brae"),
)  # fmt: skip

_COINED: Final = (
    (
        "Pel", "Tor", "Zan", "Miv", "Kor", "Lus", "Dra", "Fen", "Gul", "Hab", "Jex", "Nol", "Oru",
        "Quil", "Rav", "Sib", "Ubb", "Vor", "Wex", "Yam",
    ),
    ("ba", "du", "ki", "lo", "ma", "ne", "po", "ra", "su", "ti", "vi", "zo"),
    ("dor", "lix", "mar", "nel", "quo", "rim", "sk", "tan", "vax", "wen", "x", "zel"),
)  # fmt: skip

_PATIENCE: Final = 40

_KINDS: Final = {"person": _PERSON, "town": _TOWN, "coined": _COINED}

_REAL: Final = frozenset(
    {"Nesko", "Oskin", "Oskim", "Ilvin", "Kelmin", "Avrin", "Avrim", "Selkie", "Hullwold"}
)
"""What the syllables could make and some person or place does bear."""


class Names:
    """Gives each name once.

    Args:
        dice: What decides which.
    """

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._given: set[str] = set()

    def new(self, kind: str) -> str:
        """Return a name not given yet: of a `person`, a `town`, or `coined` for a thing."""
        parts = _KINDS[kind]
        name = self._drawn(parts)
        for _ in range(_PATIENCE):
            if name not in self._given and name not in _REAL:
                break
            name = self._drawn(parts)
        while name in self._given or name in _REAL:
            # The short ones are used up: every round makes it longer by a syllable.
            name = self._dice.pick(parts[0]) + self._dice.pick(_COINED[1]) + name.lower()
        self._given.add(name)
        return name

    def _drawn(self, parts: tuple[tuple[str, ...], ...]) -> str:
        return "".join(self._dice.pick(part) for part in parts)
