"""Where names stand beside points, so that none covers another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Place", "free_places", "places"]

_CHARACTER: Final = 7.0
_LINE: Final = 14.0
_AWAY: Final = 9.0
"""In points, as are all lengths here."""
_CLEAR: Final = 4.0
"""From the edge of a dot to its name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a name stands, seen from its point.

    Attributes:
        align: `left` where it begins there, `right` where it ends there, or `center`.
        dx: To the right.
        dy: Downwards.
    """

    align: str
    dx: float
    dy: float


def _tried(away: float) -> tuple[Place, ...]:
    """Return the places that a name can have, the best first, so far from the middle of a dot."""
    return (
        Place(align="left", dx=away, dy=0),
        Place(align="right", dx=-away, dy=0),
        Place(align="left", dx=away, dy=-_LINE),
        Place(align="left", dx=away, dy=_LINE),
        Place(align="right", dx=-away, dy=-_LINE),
        Place(align="right", dx=-away, dy=_LINE),
        Place(align="left", dx=away, dy=-2 * _LINE),
        Place(align="left", dx=away, dy=2 * _LINE),
    )


_TRIED: Final = _tried(_AWAY)

_Box = tuple[float, float, float, float]


def places(points: Sequence[tuple[float, float]], names: Sequence[str]) -> list[Place]:
    """Return a place for each name; the first that covers nothing, else the first of all.

    Args:
        points: In points from a corner, the second downwards.
        names: Of them.
    """
    taken: list[_Box] = [(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    found = []
    for (x, y), name in zip(points, names, strict=True):
        best = next(
            (each for each in _TRIED if not any(_meet(_box(x, y, name, each), b) for b in taken)),
            _TRIED[0],
        )
        taken.append(_box(x, y, name, best))
        found.append(best)
    return found


def free_places(
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    *,
    within: tuple[float, float],
    radii: Sequence[float],
) -> list[Place | None]:
    """Return a place for each name where it covers nothing, or none; the first choose first.

    Args:
        points: In points from a corner, the second downwards.
        names: Of them.
        within: Width and height that no name may leave.
        radii: Of the dots on the points.
    """
    taken: list[_Box] = [
        (x - r, y - r, x + r, y + r) for (x, y), r in zip(points, radii, strict=True)
    ]
    found: list[Place | None] = []
    for (x, y), name, radius in zip(points, names, radii, strict=True):
        free = (
            each
            for each in _tried(radius + _CLEAR)
            if _inside(box := _box(x, y, name, each), within)
            and not any(_meet(box, other) for other in taken)
        )
        place = next(free, None)
        if place is not None:
            taken.append(_box(x, y, name, place))
        found.append(place)
    return found


def _inside(box: _Box, within: tuple[float, float]) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= within[0] and box[3] <= within[1]


def _box(x: float, y: float, name: str, place: Place) -> _Box:
    width = len(name) * _CHARACTER
    left = x + place.dx - (width if place.align == "right" else 0)
    middle = y + place.dy
    return left, middle - _LINE / 2, left + width, middle + _LINE / 2


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
