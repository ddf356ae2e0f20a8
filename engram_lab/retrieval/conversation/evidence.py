"""What the turns of a store tell of names: which are used where, and how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.text import normalise
from engram_lab.retrieval.conversation.names import Use, names_used
from engram_lab.retrieval.conversation.said import Said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from engram_lab.retrieval.conversation.turns import Turns

__all__ = ["Evidence"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """Each use of a name in a turn; m of them, in the order of the turns and then of the text.

    Attributes:
        turns: The turns, of which rows are meant.
        rows: In which turn, int64 [m].
        uses: How; see `Use`; int8 [m].
        numbers: Which of the names, int32 [m].
        names: The names as they are written, perhaps more than are used.
    """

    turns: Turns
    rows: NDArray[np.int64]
    uses: NDArray[np.int8]
    numbers: NDArray[np.int32]
    names: tuple[str, ...]

    @classmethod
    def of(cls, turns: Turns, before: Evidence | None = None) -> Evidence:
        """Return what turns tell.

        Args:
            turns: All of them.
            before: What they told before; only the texts that changed since are read.
        """
        if before is None:
            return cls._read(turns, np.arange(len(turns)), ())
        known = before.turns.rows(turns.keys)
        same = known >= 0
        same[same] = before.turns.texts[known[same]] == turns.texts[same]
        gone = len(before.turns) - int(same.sum())
        new = cls._read(turns, (~same).nonzero()[0], before.names)
        now = np.full(len(before.turns), -1)
        now[known[same]] = same.nonzero()[0]
        rows = now[before.rows]
        kept = rows >= 0
        rows = np.concatenate((rows[kept], new.rows))
        order = np.argsort(rows, kind="stable")
        both = cls(
            turns=turns,
            rows=rows[order],
            uses=np.concatenate((before.uses[kept], new.uses))[order],
            numbers=np.concatenate((before.numbers[kept], new.numbers))[order],
            names=new.names,
        )
        return both._without_unused() if gone else both

    @classmethod
    def _read(cls, turns: Turns, read: NDArray[np.int64], names: tuple[str, ...]) -> Evidence:
        """Return what some rows tell, with numbers that go on from those of known names."""
        numbers = {name: number for number, name in enumerate(names)}
        found = [
            (row, used.use, numbers.setdefault(used.name, len(numbers)))
            for row in read.tolist()
            for used in names_used(Said.spoken_of(turns.text(row)))
        ]
        rows, uses, of_each = np.array(found, np.int64).reshape(-1, 3).T
        return cls(
            turns=turns,
            rows=rows,
            uses=uses.astype(np.int8),
            numbers=of_each.astype(np.int32),
            names=tuple(numbers) if len(numbers) > len(names) else names,
        )

    def _without_unused(self) -> Evidence:
        """Return the same without names that stood in texts which are gone."""
        used, numbers = np.unique(self.numbers, return_inverse=True)
        names = tuple(self.names[each] for each in used.tolist())
        return replace(self, numbers=numbers.astype(np.int32), names=names)

    @cached_property
    def _by_name(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All places by the number of their name, and where each name begins among them."""
        order = np.argsort(self.numbers, kind="stable")
        return order, np.searchsorted(self.numbers[order], np.arange(len(self.names) + 1))

    @cached_property
    def _forms(self) -> Mapping[str, list[int]]:
        """The numbers of the forms in which each name is written, by the name in small letters."""
        found: dict[str, list[int]] = {}
        for number, name in enumerate(self.names):
            found.setdefault(normalise(name), []).append(number)
        return found

    def places(self, name: str) -> NDArray[np.int64]:
        """Return where in the arrays a name in small letters stands: int64 [k], rising."""
        order, begins = self._by_name
        parts = [order[begins[each] : begins[each + 1]] for each in self._forms.get(name, ())]
        return np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.int64)

    def called(self) -> list[str]:
        """Return the names that call somebody or say who speaks, in small letters, in order."""
        called = np.unique(self.numbers[np.isin(self.uses, _CALLING)])
        return sorted({normalise(self.names[each]) for each in called.tolist()})


_CALLING: Final = (Use.GREETS, Use.CALLS, Use.ENDS, Use.IS, Use.IS_PERHAPS)
