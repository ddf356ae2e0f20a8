"""The times of the turns of a store, read once of each text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from engram_lab.retrieval.times.turns import TurnTimes, of_turns, together

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.retrieval.conversation.turns import Turns

__all__ = ["TimesIndex", "taken"]


class TimesIndex:
    """Follows the turns of a store: what was read of a text is not read again until it changes."""

    def __init__(self) -> None:
        self._known: tuple[Turns, TurnTimes] | None = None

    def follow(self, turns: Turns) -> TurnTimes:
        """Return what turns tell of time, by row.

        Args:
            turns: See `TurnIndex.catch_up`.
        """
        known = self._known
        if known is not None and known[0] is turns:
            return known[1]
        if known is None:
            times = _read(turns, np.arange(len(turns)))
        else:
            former, before = known
            old = former.rows(turns.keys)
            same = _unchanged(former, turns, old)
            new = (~same).nonzero()[0]
            both = together(taken(before, old[same]), _read(turns, new))
            order = np.empty(len(turns), np.int64)
            order[np.concatenate((same.nonzero()[0], new))] = np.arange(len(turns))
            times = taken(both, order)
        self._known = turns, times
        return times

    def close(self) -> None:
        """Let go of everything; a second call does nothing. Used again, it begins anew."""
        self._known = None


def _unchanged(former: Turns, turns: Turns, old: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell of each turn whether it says the same, of the same moment, as it did in a former row."""
    same = old >= 0
    rows = old[same]
    one, other = former.spoken_at[rows], turns.spoken_at[same]
    alike = (one == other) | (np.isnan(one) & np.isnan(other))
    same[same] = alike & (former.texts[rows] == turns.texts[same]).astype(np.bool_)
    return same


def _read(turns: Turns, rows: NDArray[np.int64]) -> TurnTimes:
    moments = [
        None if np.isnan(seconds) else datetime.fromtimestamp(seconds, UTC)
        for seconds in turns.spoken_at[rows].tolist()
    ]
    return of_turns([turns.texts[row] for row in rows.tolist()], moments)


def taken(times: TurnTimes, rows: NDArray[np.int64]) -> TurnTimes:
    """Return the times of some rows, in their order."""
    counts = np.diff(times.offsets)[rows]
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    places = np.arange(offsets[-1]) + np.repeat(times.offsets[:-1][rows] - offsets[:-1], counts)
    return TurnTimes(
        said=times.said[rows],
        starts=times.starts[places],
        ends=times.ends[places],
        offsets=offsets,
        tells_time=times.tells_time[rows],
        tells_length=times.tells_length[rows],
    )
