"""Which turns whoever asks may see: what is known of the others shall not show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engram_lab.core.protocols import Corpus
    from engram_lab.core.selection import Selection
    from engram_lab.retrieval.conversation.turns import Turns

__all__ = ["Sight", "first_seen", "next_to", "seen", "sight_of"]

Sight = Callable[[NDArray[np.int64]], NDArray[np.bool_]]
"""Tells of rows of turns, int64 [n], each 0 or above, whether each may be seen: bool [n]."""


def sight_of(turns: Turns, corpus: Corpus, selection: Selection) -> Sight | None:
    """Return what tells which turns a selection holds, with their sessions; None for all of them.

    It asks the store once at most of each turn, and holds for this moment alone.

    Args:
        turns: The turns.
        corpus: As whoever asks may reach it.
        selection: Of the present. For `People`, all that may be reached:
            `Selection(archived=True)`.
    """
    if not len(turns):
        return None
    known = np.full(len(turns), _UNKNOWN, np.int8)
    hidden = corpus.hidden(selection)
    if hidden is not None:  # little is, and whoever asks reaches every session
        rows = turns.rows(hidden)
        rows = rows[rows >= 0]
        if not len(rows):
            return None
        known[:] = _SEEN
        known[rows] = _UNSEEN

    def sight(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        new = np.unique(rows[known[rows] == _UNKNOWN])
        if len(new):
            keys = turns.keys[new]
            within = corpus.visible(keys, selection)
            placed = [each is not None for each in corpus.turns(keys)]  # else not its session
            known[new] = np.where(within & np.array(placed), _SEEN, _UNSEEN)
        told: NDArray[np.bool_] = known[rows] == _SEEN
        return told

    return sight


def seen(rows: NDArray[np.int64], sight: Sight | None) -> NDArray[np.int64]:
    """Return rows of any shape with -1 for those out of sight; -1 stays."""
    if sight is None:
        return rows
    found = rows.copy()
    there = rows >= 0
    found[there] = np.where(sight(rows[there]), rows[there], -1)
    return found


def first_seen(rows: NDArray[np.int64], sight: Sight | None, *, most: int) -> NDArray[np.int64]:
    """Return the first rows that are in sight, in their order.

    Args:
        rows: int64 [n], each 0 or above.
        sight: What may be seen; all unless told.
        most: How many are wanted: no more rows are asked about than it takes, or twice as many.
    """
    if sight is None:
        return rows[:most]
    found: list[NDArray[np.int64]] = [rows[:0]]
    at, size, count = 0, most, 0
    while at < len(rows) and count < most:
        some = rows[at : at + size]
        found.append(some[sight(some)])
        count += len(found[-1])
        at, size = at + size, size * 2
    return np.concatenate(found)[:most]


def next_to(turns: Turns, rows: NDArray[np.int64], sight: Sight | None) -> NDArray[np.int64]:
    """Return the turns before and after each: int64 [n, 3], itself between them; -1 where none.

    Of those in sight, as if there were no others: what may not be seen stands between no two turns,
    be it as long as a thousand of them.

    Args:
        turns: The turns.
        rows: int64 [n]; one of -1 has nothing beside it.
        sight: What may be seen; all unless told.
    """
    found = turns.around(rows, 1)
    if sight is None:
        return found
    found[:, ::2] = _NONE
    unsure = (rows >= 0).nonzero()[0]
    distance = 1
    while len(unsure):
        around = turns.around(rows[unsure], distance)
        there = seen(around, sight)
        sure = np.ones(len(unsure), np.bool_)
        for column, steps in (
            (0, distance - np.arange(distance) - 1),
            (2, distance + 1 + np.arange(distance)),
        ):
            near = there[:, steps]
            first = (near >= 0).argmax(axis=1)
            found[unsure, column] = near[np.arange(len(near)), first]
            sure &= (found[unsure, column] >= 0) | (around[:, steps[-1]] < 0)
        if distance == _FARTHEST:
            break
        unsure, distance = unsure[~sure], min(distance * 4, _FARTHEST)
    return found


_NONE: Final = -1
_FARTHEST: Final = 1_000
_UNKNOWN, _UNSEEN, _SEEN = -1, 0, 1
