"""Who bears a name that turns use: whoever is called so, and does not use it of others."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.text import normalise
from engram_lab.retrieval.conversation.names import Use
from engram_lab.retrieval.conversation.words import CALLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.retrieval.conversation.evidence import Evidence
    from engram_lab.retrieval.conversation.sight import Sight
    from engram_lab.retrieval.conversation.turns import Turns

__all__ = ["bearers", "resembles"]

_ENOUGH: Final = 2.0
"""Points: a greeting or saying who one is gives two, another call one."""
_ENOUGH_IF_ALIKE: Final = 1.0
_OWN_SHARE: Final = 1 / 3
"""Who uses a name himself more often than this share of how often he is called so bears another."""
_TOLD_SHARE: Final = 3.0
_LEAD: Final = 1.5
"""So many times the points of any other of the same conversations."""
_ALIKE: Final = 3

_POINTS: Final = {Use.GREETS: 2.0, Use.CALLS: 1.0, Use.ENDS: 1.0, Use.BEGINS: 0.5}
_FIRM: Final = (Use.GREETS, Use.CALLS, Use.ENDS, Use.IS, Use.IS_PERHAPS)
_NOBODY: Final = -1


def resembles(name: str, speaker: str) -> bool:
    """Tell whether a name begins as one of the words of a speaker's name does, both folded.

    By three letters, or by two where it has at most four.
    """
    return any(
        (same := _same_beginning(name, word)) >= _ALIKE or (same > 1 and len(name) <= _ALIKE + 1)
        for word in speaker.split()
    )


def _same_beginning(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def bearers(evidence: Evidence, name: str, sight: Sight | None = None) -> frozenset[int]:
    """Return the numbers of the speakers who bear a name, as far as the turns in sight tell.

    A call is meant for whoever spoke last before or first after, half for each where these are two.
    Who is called so gets points for it; a name is his where he has enough of them, hardly uses it
    himself, and nobody else of his conversations comes near. A name that is mostly told of, and
    seldom called, is that of somebody else.

    Args:
        evidence: How the turns use names.
        name: In small letters.
        sight: What may be seen; all unless told.
    """
    turns = evidence.turns
    places = evidence.places(name)
    if sight is not None:
        places = places[sight(evidence.rows[places])]
    rows, uses = evidence.rows[places], evidence.uses[places]
    if not np.isin(uses, _FIRM).any():
        return frozenset()
    own_name = np.array([normalise(each) == name for each in turns.speaker_names], np.bool_)
    around = _Around(turns, np.unique(turns.sessions[rows]), sight)
    free = ~np.isin(turns.sessions[rows], around.sessions_of(own_name))  # no speaker is called so
    rows, uses = rows[free], uses[free]
    said_by, before, after = around.speakers(rows)
    points = np.zeros(len(turns.speaker_names))
    candidates = np.unique(np.concatenate((said_by, before, after)))
    tally = _Tally(uses, said_by, before, after)
    for each in candidates[candidates >= 0].tolist():
        there = np.isin(turns.sessions[rows], around.sessions_of(np.arange(len(points)) == each))
        points[each] = tally.points(each, there)
    found = set()
    for each in points.nonzero()[0].tolist():
        alike = resembles(name, normalise(turns.speaker_names[each]))
        together = np.isin(candidates, around.with_speaker(each))
        rivals = candidates[together & (candidates != each) & (candidates >= 0)]
        most = max((points[rival] for rival in rivals.tolist()), default=0.0)
        if (
            points[each] >= (_ENOUGH_IF_ALIKE if alike else _ENOUGH)
            and points[each] >= _LEAD * most
        ):
            found.add(each)
    if found and around.is_word(name, calls=len(rows)):
        return frozenset()
    return frozenset(found)


class _Tally:
    """How often each speaker is called by one name; all arrays [m], one entry a use."""

    def __init__(
        self,
        uses: NDArray[np.int8],
        said_by: NDArray[np.int64],
        before: NDArray[np.int64],
        after: NDArray[np.int64],
    ) -> None:
        self._uses = uses
        self._said_by = said_by
        self._before = before
        self._after = after

    def points(self, speaker: int, there: NDArray[np.bool_]) -> float:
        """Return the points of a speaker, 0 where the name is surely not his.

        Args:
            speaker: His number.
            there: Which uses are of sessions in which he takes part.
        """
        uses, by = self._uses, self._said_by
        weight = (self._before == speaker) * 0.5 + (self._after == speaker) * 0.5
        weight[(self._before == _NOBODY) | (self._after == _NOBODY)] *= 2.0
        calls = np.isin(uses, list(_POINTS)) & (weight > 0)
        mine = by == speaker
        says = mine & (uses == Use.IS)
        perhaps = mine & (uses == Use.IS_PERHAPS)
        count = weight[calls].sum() + 2.0 * says.sum() + min(1, perhaps.sum())
        own = (mine & ~says & ~perhaps).sum()
        told = (~mine & there & (uses == Use.TELLS)).sum()
        if own > _OWN_SHARE * count or told > _TOLD_SHARE * count:
            return 0.0
        given = {use: (weight * (uses == use)).sum() for use in _POINTS}
        firm = 2.0 * given[Use.GREETS] + given[Use.CALLS] + 2.0 * says.sum()
        loose = given[Use.ENDS] if told <= calls.sum() else 0.0
        if firm or loose:
            loose += _POINTS[Use.BEGINS] * given[Use.BEGINS]
        return float(firm + loose + min(1, perhaps.sum()))


class _Around:
    """The turns of some sessions that are in sight, and who speaks next to whom."""

    def __init__(self, turns: Turns, sessions: NDArray[np.int32], sight: Sight | None) -> None:
        wanted = np.zeros(len(turns.session_ids), np.bool_)
        wanted[sessions] = True
        rows = turns.order[wanted[turns.sessions[turns.order]]]
        if sight is not None:
            rows = rows[sight(rows)]
        self._rows = rows
        self._sessions = turns.sessions[rows]
        self._speakers = turns.speakers[rows].astype(np.int64)
        self._texts = turns.texts[rows]
        self._places = np.full(len(turns), -1)
        self._places[rows] = np.arange(len(rows))

    def is_word(self, name: str, *, calls: int) -> bool:
        """Tell whether a name stands in these sessions as a common word more often than so."""
        word = re.compile(rf"(\w+) {re.escape(name)}(?!\w)")
        texts = self._texts.tolist()
        count = sum(
            found[1].lower() not in CALLS for text in texts for found in word.finditer(text)
        )
        return count > calls

    def sessions_of(self, speakers: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Return the sessions in which any of some speakers takes part: bool [all speakers]."""
        return np.unique(self._sessions[speakers[self._speakers]])

    def with_speaker(self, speaker: int) -> NDArray[np.int64]:
        """Return all who take part in sessions of a speaker."""
        shared = np.isin(self._sessions, np.unique(self._sessions[self._speakers == speaker]))
        return np.unique(self._speakers[shared])

    def speakers(
        self, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return who said each row, which other spoke last before, and which first after.

        -1 for nobody.
        """
        count = len(self._rows)
        if not count:
            none = np.full(len(rows), _NOBODY)
            return none, none, none
        index = np.arange(count)
        changes = (
            np.flatnonzero((np.diff(self._sessions) != 0) | (np.diff(self._speakers) != 0)) + 1
        )
        run = np.searchsorted(changes, index, side="right")
        first = np.concatenate(([0], changes))[run] - 1
        after = np.concatenate((changes, [count]))[run]
        return (
            self._speakers[self._places[rows]],
            self._at(first, index)[self._places[rows]],
            self._at(after, index)[self._places[rows]],
        )

    def _at(self, places: NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[np.int64]:
        inside = (places >= 0) & (places < len(index))
        there = np.where(inside, places, 0)
        same = inside & (self._sessions[there] == self._sessions[index])
        return np.where(same, self._speakers[there], _NOBODY)
