"""What forgets without looking at what is said: the arms that a dream must beat at its own size.

Each is a step of a dream like any other, and hides as many memories as are over a number. What is
protected stays, as it does for the dream.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.core.dreams import Change
from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from engram_lab.consolidation import Scene, View

    Order = Callable[[View, Scene], NDArray[np.float64]]

__all__ = ["PLACEBOS", "Placebo", "placebo"]

_LIVES: Final = {"note": 30.0, "episodic": 30.0, "context": 90.0, "preference": 180.0}
_LIFE: Final = 180.0
"""Days that a memory of a type lives under a time to live, and of any other type."""
_DAY: Final = 86_400.0


def _by_lot(view: View, scene: Scene) -> NDArray[np.float64]:
    """Return a number for each memory that depends on the seed and its id alone."""
    drawn = (
        hashlib.sha256(f"{scene.seed}/{id_}".encode()).digest()[:6] for id_ in view.columns.ids
    )
    return np.array([int.from_bytes(each, "big") for each in drawn], np.float64)


def _told(view: View) -> NDArray[np.float64]:
    """Return when each was stored, in seconds since 1970."""
    return view.columns.created_at


def _recency(view: View, _: Scene) -> NDArray[np.float64]:
    return _told(view)


def _lru(view: View, _: Scene) -> NDArray[np.float64]:
    """Return when each was last recalled, or stored where it never was."""
    accessed = view.columns.accessed_at
    return np.where(np.isnan(accessed), _told(view), np.maximum(accessed, _told(view)))


def _ttl(view: View, scene: Scene) -> NDArray[np.float64]:
    """Return how much of its time each has left, as a share of that time."""
    lives = np.array([_LIVES.get(type_, _LIFE) for type_ in view.columns.types]) * _DAY
    return 1.0 - (scene.now_s - _told(view)) / lives


PLACEBOS: Final[Mapping[str, Order]] = {
    "random_drop": _by_lot,
    "lru": _lru,
    "recency": _recency,
    "ttl": _ttl,
}
"""By name, what each keeps first: the highest numbers stay.

`random_drop` keeps by lot, `lru` what was recalled last, `recency` what was stored last, `ttl` what
has most of the time left that its type is given.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placebo:
    """Archives the last in an order until so many memories are left to be found.

    Attributes:
        name: One of `PLACEBOS`.
        keep: How many are left; more only where more are protected.
    """

    name: str
    keep: int

    def __post_init__(self) -> None:
        if self.name not in PLACEBOS:
            raise InvalidInputError(
                f"{shown(self.name)} is no placebo: allowed are {', '.join(PLACEBOS)}"
            )
        if self.keep < 0:
            raise InvalidInputError(f"keep is {self.keep}: give 0 or more")

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was set to."""
        return {"keep": self.keep}

    def plan(self, view: View, scene: Scene) -> Iterator[Change]:
        """Yield the archiving of what is over the number, ties by key."""
        over = int(view.findable.sum()) - self.keep
        rows = np.flatnonzero(view.findable & ~view.protected)
        if over <= 0 or not len(rows):
            return
        order = PLACEBOS[self.name](view, scene)[rows]
        columns = view.columns
        for row in sorted(rows[np.lexsort((columns.keys[rows], order))][:over].tolist()):
            yield Change(
                step=self.name,
                action="update",
                id=columns.ids[row],
                fields={"lifecycle": "archived"},
                reason=f"over {self.keep} memories",
                seen=int(columns.version[row]),
            )


def placebo(name: str, *, keep: int) -> Placebo:
    """Return a placebo by name.

    Raises:
        InvalidInputError: There is none of that name, or `keep` is below 0.
    """
    return Placebo(name=name, keep=keep)
